"""Evaluate detection: how well do scores tell anomalies apart, and what are the events worth?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.detection.case import DetectionCriteria
from audiogmm.evaluation.detection.dcase import DcaseFigure, figures_of
from audiogmm.evaluation.detection.dcase_table import make_dcase_score
from audiogmm.evaluation.detection.evaluation import DetectionEvaluation, RocCurve
from audiogmm.evaluation.detection.events import Events, FoundEvents, gather_events
from audiogmm.evaluation.detection.groups import SiteEntries, group_by_site
from audiogmm.evaluation.detection.score_sites import RecordingEvaluator
from audiogmm.evaluation.detection.site import EvaluatedSite
from audiogmm.evaluation.detection.sums import figures_of_site, means_of, together, unmeasured
from audiogmm.evaluation.detection.tracks import Scores, folders_of, tracks_from
from audiogmm.evaluation.detection.wording import evaluation_lines
from audiogmm.evaluation.intervals import Draws
from audiogmm.files import replacing
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import read_entries
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

POINTS = 500
"""Of a curve that is kept for a picture."""


def evaluate_detect(
    events: Events,
    manifest: str | os.PathLike[str] | Iterable[Entry],
    scores: Scores | None = None,
    *,
    by: Sequence[str] = (),
    dcase: int | None = None,
    judging: DetectionCriteria | None = None,
    draws: Draws | None = None,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> DetectionEvaluation:
    """Evaluate events, and the scores they came from, on recordings whose truth is known.

    The truth of a recording is its key `events`, a list of where something is ([] for none), or a `label`
    "normal" or "anomaly" of the whole. Where it is not said where something is, events are judged by whether
    there are any. Intervals come from draws of the recordings of each site.

    Parameters
    ----------
    events : path-like, iterable of path-like, or iterable of Event
        What was found, as `detect` writes it (JSONL, CSV, RTTM, Audacity labels); by the recording's id.
    manifest : path-like or iterable of Entry
        The recordings, with their truth. A recording without an event is one in which nothing was found.
    scores : path-like, iterable of path-like, or mapping from str to ScoreTrack, optional
        Tracks as `score` writes them, one a recording; without them there is no AUC.
    by : sequence of str
        Keys of the manifest whose values make the sites: scores are compared within a site only.
    dcase : int, optional
        Year of DCASE Task 2, 2020 to 2024, whose official score is wanted: the sites are then the machines
        and their sections, by the keys `machine`, `section` and (from 2021 on) `domain`.
    judging : DetectionCriteria, optional
        Window, segment, clip score, collars.
    draws : Draws, optional
        How recordings are drawn for the intervals: how often, the confidence, the seed.
    aside : Aside, optional
        Takes recordings, events and sites that cannot be used; by default the first one raises.
    progress : Progress, optional
        Who listens.

    Raises
    ------
    ManifestError
        If a file cannot be read; if no recording has a truth.
    ChoiceError
        If a setting is out of range, or no entry has a key to group by.
    AudioGMMError
        The first recording's that cannot be used, unless `aside` takes it.

    Examples
    --------
    >>> from audiogmm.anomaly.event import Event
    >>> from audiogmm.manifest import Entry
    >>> from audiogmm.timeline import Segment
    >>> truth = (Segment(2.0, 4.0), Segment(7.0, 8.0))
    >>> entries = [
    ...     Entry("a.wav", id="a", duration=10.0, events=truth),
    ...     Entry("b.wav", id="b", duration=10.0, label="normal"),
    ... ]
    >>> events = [Event("a.wav", "a", 2.2, 4.3), Event("b.wav", "b", 5.0, 6.0)]
    >>> detected = evaluate_detect(events, entries).detected
    >>> detected.event.f1.value, round(detected.delay.median.value, 3), detected.false_alarms.n
    (0.5, 0.2, 1)
    """
    judging, draws, progress = judging or DetectionCriteria(), draws or Draws(), progress or Silent()
    aside = Aside(strict=True) if aside is None else aside
    if dcase is not None:
        if by or scores is None:
            lacking = "without scores" if scores is None else f"by {', '.join(by)}"
            raise ChoiceError(f"the DCASE score {lacking}", needed="scores, and no key to group by")
        figures: tuple[DcaseFigure, ...] = figures_of(dcase)
    else:
        figures = ()
    track_of = None if scores is None else tracks_from(scores)
    with aside.explaining():
        found = gather_events(events, aside)
        groups = group_by_site(read_entries(manifest, aside), _name(manifest), by, dcase, found, aside)
        judge = RecordingEvaluator(found, track_of, judging, aside, progress)
        progress.begin("judging", sum(map(len, groups.entries.values())), "recordings")
        sites: list[EvaluatedSite] = []
        replicates, measured, curves = [], [], []
        for name, entries in sorted(groups.entries.items()):
            cases = judge.all(entries, name)
            if not cases:
                continue
            site = EvaluatedSite.of(name, cases, figures)
            drawn = site.replicate(draws, len(sites), judging.max_fpr)
            sites.append(site)
            replicates.append(drawn)
            alone = None if site.n_recordings < 2 else drawn
            measured.append(figures_of_site(site, alone, judging, draws.confidence))
            curves += _curves(site)
        progress.end()
        if not sites:
            raise ManifestError(
                f"no recording of {_name(manifest)} can be judged",
                needed="recordings whose truth is known",
                remedy="a key events ([] for none), or a label of normal or anomaly",
            )
    sampled = replicates if any(site.n_recordings > 1 for site in sites) else None
    means = means_of(measured, sampled, draws.confidence)
    score = None
    if dcase is not None:
        score = make_dcase_score(dcase, groups.sections, sites, sampled, draws.confidence)
        for section in score.sections:
            if section.reason:
                error = ManifestError(section.reason, needed="clips of both kinds", remedy="it is left out")
                aside.put(f"{section.machine} {section.section}", _name(manifest), error)
    else:
        for name, reason in unmeasured(measured, means):
            error = ManifestError(reason, needed="both kinds for an AUC", remedy="it is left out of the mean")
            aside.put(name or "all recordings", _name(manifest), error)
    return DetectionEvaluation(
        events=found.files,
        scores=folders_of(scores),
        manifest=_name(manifest),
        by=tuple(by),
        judging=judging,
        n_recordings=sum(site.n_recordings for site in sites),
        n_anomalous=sum(site.n_anomalous for site in sites),
        hours=sum(site.seconds for site in sites) / 3600,
        means=means,
        detected=together(sites, sampled, draws.confidence),
        sites=tuple(measured),
        dcase=score,
        curves=tuple(_shown(curves)),
        delays=np.sort(np.concatenate([site.delays for site in sites])),
        notes=tuple(_notes(found, groups, sites, judge, scores is not None, bool(by or dcase))),
        draws=draws,
        aside=aside,
    )


def _curves(site: EvaluatedSite) -> list[RocCurve]:
    curves = []
    for level, found in site.levels.items():
        if found.both_kinds:
            false_alarms, hits = found.curve()
            along = false_alarms + hits
            kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], POINTS)))
            curves.append(RocCurve(site.name, level, false_alarms[kept], hits[kept]))
    return curves


def _shown(curves: Sequence[RocCurve]) -> list[RocCurve]:
    """Those of frames, or of whole recordings where it is not known where events are."""
    level = "frame" if any(curve.level == "frame" for curve in curves) else "clip"
    return [curve for curve in curves if curve.level == level]


def _notes(
    found: FoundEvents,
    groups: SiteEntries,
    sites: Sequence[EvaluatedSite],
    judged: RecordingEvaluator,
    scored: bool,
    grouped: bool,
) -> list[str]:
    notes = []
    if not scored:
        notes.append("without --scores there is no AUC: only events are judged")
    if found.n_repeated:
        notes.append(f"{found.n_repeated} events repeat an earlier one, and count once")
    if judged.n_unplaced:
        notes.append(
            f"{judged.n_unplaced} recordings are anomalous, and nothing says where: they count as wholes only"
        )
    if groups.named and not grouped and len(sites) == 1:
        notes.append("every entry names a site: --by site compares scores within it only")
    if judged.timeless:
        notes.append("some rows have no frame_rate: a second stands for one row, and an hour for 3,600")
    few = [site.name for site in sites if site.n_recordings == 1]
    if few and len(sites) > len(few):
        notes.append(f"of one recording, which draws cannot vary: {', '.join(few[:5])}")
    return notes


def _name(manifest: str | os.PathLike[str] | Iterable[Entry]) -> str:
    return os.fspath(manifest) if isinstance(manifest, (str, os.PathLike)) else "the entries"


@dataclass(frozen=True)
class EvaluateDetectResult:
    """An evaluation, and what was written of it."""

    evaluation: DetectionEvaluation
    output: Path | None
    picture: Path | None

    def summary(self) -> Json:
        """For `--json`."""
        aside = self.evaluation.aside
        return self.evaluation.to_dict() | {
            "output": None if self.output is None else str(self.output),
            "picture": None if self.picture is None else str(self.picture),
            "set_aside": len(aside),
            "errors": None if aside.path is None else str(aside.path),
            "reasons": [f"{row.id}: {row.reason}" if row.id else row.reason for row in aside.rows[:3]],
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield from evaluation_lines(self.evaluation)
        if self.output is not None:
            yield f"result: {self.output}"
        if self.picture is not None:
            yield f"picture: {self.picture}"


def evaluate_detect_to_file(
    events: Sequence[Path],
    manifest: str,
    output: Path | None = None,
    *,
    scores: Sequence[Path] = (),
    by: Sequence[str] = (),
    dcase: int | None = None,
    judging: DetectionCriteria | None = None,
    plot: Path | None = None,
    draws: Draws | None = None,
    force: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> EvaluateDetectResult:
    """Evaluate as `evaluate_detect` does; write the result and a picture.

    Parameters
    ----------
    output : Path, optional
        The result, JSON; what was set aside is listed beside it.
    plot : Path, optional
        The picture (.png, .svg or .pdf).
    force : bool
        Replace what is there.
    strict : bool
        Raise at the first recording that cannot be used.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    """
    for path in (output, plot):
        if path is not None:
            check_output(path, force, manifest, *events)
    if plot is not None:
        from audiogmm.report.picture import check_suffix

        check_suffix(plot)
    aside = Aside(None if output is None else errors_path(output), strict=strict)
    found = evaluate_detect(
        events,
        manifest,
        scores or None,
        by=by,
        dcase=dcase,
        judging=judging,
        draws=draws,
        aside=aside,
        progress=progress,
    )
    if plot is not None:
        from audiogmm.report.run.detection_picture import draw_evaluation

        draw_evaluation(found, plot, force=force)
    if output is not None:
        with replacing(output, force=force) as temporary:
            text = json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)
            temporary.write_text(text + "\n", encoding="utf-8")
    return EvaluateDetectResult(found, output, plot)
