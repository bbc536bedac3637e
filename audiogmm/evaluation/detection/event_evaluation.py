"""Evaluate events, and the scores they came from, on recordings whose truth is known."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.dcase import figures_of
from audiogmm.evaluation.detection.dcase_score import DcaseScore, make_dcase_score
from audiogmm.evaluation.detection.evaluated_site import EvaluatedSite
from audiogmm.evaluation.detection.evaluation import DetectionEvaluation, RocCurve
from audiogmm.evaluation.detection.events import Events, FoundEvents, gather_events
from audiogmm.evaluation.detection.recording_evaluator import RecordingEvaluator
from audiogmm.evaluation.detection.site_entries import SiteEntries, group_by_site
from audiogmm.evaluation.detection.summaries import average_sites, find_unmeasured, pool_sites, summarize_site
from audiogmm.evaluation.detection.tracks import Scores, folders_of, tracks_from
from audiogmm.evaluation.settings import EvaluationSettings
from audiogmm.manifest.clock.streams import STREAM_KEY
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.segments.table import read_truth
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import read_entries
from audiogmm.runs.progress import Progress
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

CURVE_POINTS = 500
"""Points of a ROC curve that are kept for a picture."""


@dataclass(frozen=True, kw_only=True)
class EvaluateDetectSettings(EvaluationSettings):
    """How events are evaluated; see `EvaluationSettings` for the rest.

    Parameters
    ----------
    dcase : int, optional
        Year of DCASE Task 2, 2020 to 2024, whose official score is wanted: the sites are then the machines
        and their sections, by the keys `machine`, `section` and (from 2021 on) `domain`.
    criteria : DetectionCriteria
        Window, segment, score of a recording, collars.
    stream : str
        Key of the manifest that names streams: an event that spans recordings counts in each of them.

    Raises
    ------
    ChoiceError
        If the DCASE score is wanted together with keys to group by.
    """

    dcase: int | None = None
    criteria: DetectionCriteria = field(default_factory=DetectionCriteria)
    stream: str = STREAM_KEY

    def __post_init__(self) -> None:
        if self.dcase is not None and self.by:
            raise ChoiceError(f"the DCASE score by {', '.join(self.by)}", needed="no key to group by")


def evaluate_events(
    events: Events,
    manifest: str | os.PathLike[str] | Iterable[Entry],
    scores: Scores | None,
    settings: EvaluateDetectSettings,
    aside: Aside,
    progress: Progress,
) -> DetectionEvaluation:
    """Evaluate events on the recordings of a manifest.

    Parameters
    ----------
    events, manifest, scores
        See `audiogmm.evaluate_detect`.
    settings : EvaluateDetectSettings
    aside : Aside
        Takes recordings, events and sites that cannot be used.
    progress : Progress

    Raises
    ------
    ManifestError
        If a file cannot be read, or no recording has a truth.
    ChoiceError
        If the DCASE score is wanted without scores, or no entry has a key of `settings.by`.
    """
    criteria, draws, dcase = settings.criteria, settings.draws, settings.dcase
    if dcase is not None and scores is None:
        raise ChoiceError(
            "the DCASE score without scores", needed="the tracks of scores", remedy="--scores DIR"
        )
    figures = () if dcase is None else figures_of(dcase)
    name = name_of(manifest)
    with aside.explaining():
        found = gather_events(events, aside)
        entries = read_entries(manifest, aside)
        truth = read_truth(entries) if isinstance(entries, Manifest) else entries
        if found.timed:
            truth = list(truth)
            found.spread(truth, settings.stream)
        groups = group_by_site(truth, name, settings.by, dcase, found, aside)
        track_of = None if scores is None else tracks_from(scores)
        evaluator = RecordingEvaluator(found, track_of, criteria, aside, progress)
        progress.begin("evaluating", sum(map(len, groups.entries.values())), "recordings")
        sites: list[EvaluatedSite] = []
        replicates, measured, curves = [], [], []
        for site_name, entries in sorted(groups.entries.items()):
            cases = evaluator.evaluate_site(entries, site_name)
            if not cases:
                continue
            site = EvaluatedSite.of(site_name, cases, figures)
            drawn = site.replicate(draws, len(sites), criteria.max_fpr)
            sites.append(site)
            replicates.append(drawn)
            alone = None if site.n_recordings < 2 else drawn
            measured.append(summarize_site(site, alone, criteria, draws.confidence))
            curves += _curves(site)
        progress.end()
        if not sites:
            raise ManifestError(
                f"no recording of {name} can be evaluated",
                needed="recordings whose truth is known",
                remedy="a key events ([] for none), or a label of normal or anomaly",
            )
    sampled = replicates if any(site.n_recordings > 1 for site in sites) else None
    means = average_sites(measured, sampled, draws.confidence)
    dcase_score = None
    if dcase is not None:
        dcase_score = make_dcase_score(dcase, groups.sections, sites, sampled, draws.confidence)
        _set_sections_aside(dcase_score, name, aside)
    else:
        for site_name, reason in find_unmeasured(measured, means):
            error = ManifestError(reason, needed="both kinds for an AUC", remedy="it is left out of the mean")
            aside.put(site_name or "all recordings", name, error)
    return DetectionEvaluation(
        events=found.files,
        scores=folders_of(scores),
        manifest=name,
        by=tuple(settings.by),
        criteria=criteria,
        n_recordings=sum(site.n_recordings for site in sites),
        n_anomalous=sum(site.n_anomalous for site in sites),
        hours=sum(site.seconds for site in sites) / 3600,
        means=means,
        detected=pool_sites(sites, sampled, draws.confidence),
        sites=tuple(measured),
        dcase=dcase_score,
        curves=tuple(_of_one_level(curves)),
        delays=np.sort(np.concatenate([site.delays for site in sites])),
        notes=tuple(_notes(found, groups, sites, evaluator, bool(settings.by or dcase))),
        draws=draws,
        aside=aside,
    )


def name_of(manifest: str | os.PathLike[str] | Iterable[Entry]) -> str:
    """Return the path of a manifest; "the entries" for anything else."""
    return os.fspath(manifest) if isinstance(manifest, (str, os.PathLike)) else "the entries"


def _set_sections_aside(score: DcaseScore, manifest: str, aside: Aside) -> None:
    for section in score.sections:
        if section.reason:
            error = ManifestError(section.reason, needed="clips of both kinds", remedy="it is left out")
            aside.put(f"{section.machine} {section.section}", manifest, error)


def _curves(site: EvaluatedSite) -> list[RocCurve]:
    curves = []
    for level, found in site.levels.items():
        if found.both_kinds:
            false_alarms, hits = found.curve()
            along = false_alarms + hits
            kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], CURVE_POINTS)))
            curves.append(RocCurve(site.name, level, false_alarms[kept], hits[kept]))
    return curves


def _of_one_level(curves: Sequence[RocCurve]) -> list[RocCurve]:
    """Return the curves of frames, or of whole recordings where it is not known where events are."""
    level = "frame" if any(curve.level == "frame" for curve in curves) else "clip"
    return [curve for curve in curves if curve.level == level]


def _notes(
    found: FoundEvents,
    groups: SiteEntries,
    sites: Sequence[EvaluatedSite],
    evaluator: RecordingEvaluator,
    is_grouped: bool,
) -> list[str]:
    notes = []
    if evaluator.track_of is None:
        notes.append("without --scores there is no AUC: only the events are evaluated")
    if n := found.n_repeated:
        repeat = "repeats an earlier one and counts" if n == 1 else "repeat earlier ones and count"
        notes.append(f"{amount(n, 'event')} {repeat} once")
    if n := evaluator.n_unplaced:
        notes.append(
            f"{amount(n, 'recording')} labeled anomalous, without the times of events: only whole recordings "
            "are evaluated there"
        )
    if groups.named and not is_grouped and len(sites) == 1:
        notes.append("every entry names a site: with --by site, scores are compared within each site only")
    if evaluator.timeless:
        notes.append("some tables have no frame_rate: a row counts as a second, and an hour as 3,600 rows")
    few = [site.name for site in sites if site.n_recordings == 1]
    if few and len(sites) > len(few):
        notes.append(f"sites of one recording, which draws cannot vary: {', '.join(few[:5])}")
    return notes
