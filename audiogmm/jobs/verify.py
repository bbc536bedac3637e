"""Verify: score trials, each of which claims that a recording is of a speaker."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.files import exclusive, replacing
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent, say_nothing
from audiogmm.types import Json, Seconds
from audiogmm.verification.backend import backend_of
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.decision import OperatingPoint, decide
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.normalization import NORMALIZATIONS, SMALLEST_COHORT
from audiogmm.verification.ratio import TOP, Scoring
from audiogmm.verification.recordings.gallery_calibration import LEFT_OUT, background_calibration
from audiogmm.verification.recordings.segment_scorer import SHORT, CutScores
from audiogmm.verification.recordings.trial_lines import Lines, Maker
from audiogmm.verification.recordings.trial_scorer import ScoredTrials, TrialScorer
from audiogmm.verification.trials import RESULTS, Trial, in_chunks
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry

AT_ONCE = 1 << 17
"""Trials that are in memory together: those of one recording among them are scored in one go."""

MODELS_AT_ONCE = 2048
"""Different models that are in memory together."""


@dataclass(frozen=True, slots=True)
class TrialScore:
    """What is thought of one trial.

    Attributes
    ----------
    model : str
        Who it was claimed to be.
    id : str
        The recording tested.
    score : float
        Calibrated log-likelihood ratio, nats, where the gallery is calibrated; else `space` where there is
        one; else `raw`.
    raw : float
        Mean log-likelihood ratio a frame, nats.
    space : float or None
        The back-end's score, where the background model has a back-end.
    voiced_seconds : Seconds
        What is voiced of the test.
    snr : float or None
        Signal-to-noise ratio of the test, decibels, where frames have levels.
    flag : str
        ``short``: few or no frames were voiced, and the loudest were scored. Else empty.
    """

    model: str
    id: str
    score: float
    raw: float
    space: float | None
    voiced_seconds: Seconds
    snr: float | None
    flag: str


def verify(
    gallery: Gallery,
    trials: Iterable[tuple[str, Entry]],
    *,
    scoring: Scoring = "exact",
    top: int = TOP,
    normalization: str = "none",
    upsample: bool = False,
    threads: int | None = None,
    workers: int = 0,
) -> list[TrialScore]:
    """Score trials: is this recording of that speaker?

    Parameters
    ----------
    gallery : Gallery
        Who is known.
    trials : iterable of (str, Entry)
        Who it is claimed to be, and the recording, or a piece of one.
    scoring : {"exact", "top", "linear"}
        See `RatioScorer`.
    top : int
        Components of `scoring="top"`.
    normalization : {"none", "z", "t", "zt", "s", "as"}
        Of the back end's scores, by impostors of the background; see `normalize`.
    upsample : bool
        Accept audio below the model's sample rate.
    threads, workers : int
        Threads of this process, or processes; scores do not depend on them.

    Returns
    -------
    list of TrialScore
        In the order of the trials.

    Raises
    ------
    ChoiceError
        If nobody has a name that is claimed.
    AudioGMMError
        The first bad recording's.
    """
    from audiogmm.reduce import LocalReducer

    listed = list(trials)
    cuts: dict[Recording, list[int]] = {}
    maker = Maker(gallery, upsample, say_nothing)
    for i, (_, entry) in enumerate(listed):
        cuts.setdefault(maker.recording(entry), []).append(i)

    def refuse(_: int, error: AudioGMMError) -> None:
        raise error

    with LocalReducer(threads, workers) as reducer:
        scorer = TrialScorer(gallery, reducer, scoring, top, normalization)
        scored = scorer.score([name for name, _ in listed], cuts, refuse)
    scores = scored.scores(calibration_for(gallery, normalization))
    return [
        TrialScore(
            name,
            entry.id,
            float(scores[i]),
            float(scored.raw[i]),
            None if np.isnan(scored.space[i]) else float(scored.space[i]),
            float(scored.voiced[i]),
            None if np.isnan(scored.snr[i]) else float(scored.snr[i]),
            scored.flags[i],
        )
        for i, (name, entry) in enumerate(listed)
    ]


@dataclass
class VerifyResult:
    """What a run came to."""

    output: Path
    aside: Aside
    calibrated: bool
    point: OperatingPoint
    trials: int = 0
    recordings: int = 0
    accepted: int = 0
    short: int = 0

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.output),
            "trials": self.trials,
            "recordings": self.recordings,
            "short": self.short,
            "calibrated": self.calibrated,
            "threshold": self.point.threshold if self.calibrated else None,
            "accepted": self.accepted if self.calibrated else None,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"scored {amount(self.trials, 'trial')} of {amount(self.recordings, 'recording')}"
        if self.short:
            verb = "is" if self.short == 1 else "are"
            yield (
                f"{self.short:,} {verb} flagged {SHORT!r}: few or no frames were voiced; the loudest count"
            )
        if self.calibrated:
            yield (
                f"accepted {self.accepted:,} of them: the log-likelihood ratio is at least "
                f"{self.point.threshold:.3f} ({self.point})"
            )
        yield f"scores: {self.output}"


def calibration_for(gallery: Gallery, normalization: str) -> Calibration | None:
    """The calibration that fits a normalization; None where none was learned.

    What leaving one recording out taught of scores that are not normalized says nothing about those that
    are, and the other way round: each has its own, from the same trials.

    Raises
    ------
    ChoiceError
        If there is no such normalization, or nobody to normalize by.
    """
    if normalization == "none":
        return gallery.calibration
    if normalization not in NORMALIZATIONS:
        raise ChoiceError(f"normalization {normalization!r}", needed=f"one of {', '.join(NORMALIZATIONS)}")
    backend = backend_of(gallery.background)
    size = 0 if backend is None else len(backend.cohort)
    if backend is None or size < SMALLEST_COHORT:
        raise ChoiceError(
            f"{normalization}-norm with a cohort of {size}",
            needed=f"a back end with at least {SMALLEST_COHORT} impostors",
            remedy="audiogmm enroll --background M, or --normalize none",
        )
    found = gallery.calibrations_normalized.get(normalization)
    if found is None and gallery.calibration_learned.get("method") != LEFT_OUT:
        found = background_calibration(gallery, normalization)
    return found


UNCALIBRATED = (
    "scores are not calibrated, so there is no decision; `enroll` learns a calibration where it can, "
    "and `audiogmm fuse` from trials whose truth is known"
)


def verify_to_file(
    folder: Path,
    trials: str,
    output: Path,
    *,
    scoring: Scoring = "exact",
    top: int = TOP,
    normalization: str = "none",
    point: OperatingPoint | None = None,
    manifest: str | None = None,
    upsample: bool = False,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> VerifyResult:
    """Score a list of trials into a CSV, in its order; what cannot be scored is set aside, by line.

    Tests are named by their paths, or, with a `manifest`, by the ids of its entries.

    Raises
    ------
    ModelFileError
        If the folder is no gallery.
    ManifestError
        If the list cannot be read.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    AudioGMMError
        The first bad line's or recording's, if `strict`.
    """
    from audiogmm.audio.frame_cache.index import signature_of
    from audiogmm.reduce import LocalReducer

    progress = progress or Silent()
    check_output(output, force, trials, *([manifest] if manifest else []))
    gallery = Gallery(folder)
    calibration = calibration_for(gallery, normalization)
    aside = Aside(errors_path(output), strict=strict)
    lines = Lines(trials, aside, manifest)
    result = VerifyResult(output, aside, calibration is not None, point or OperatingPoint())
    announce_compiling(progress.say)
    if calibration is None:
        progress.say(UNCALIBRATED)
    maker = Maker(gallery, upsample, progress.say)
    key = f"{gallery.state(gallery.names)} {scoring} {top} {normalization} {signature_of(trials)}"
    if manifest is not None:
        key += f" {signature_of(manifest)}"
    journal = Journal(output, key=key, resume=resume)
    progress.begin("verifying", lines.count(), "trials")
    with (
        exclusive(output),
        journal,
        LocalReducer(threads, workers) as reducer,
        replacing(output, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        earlier = {row["id"]: CutScores.from_dict(row) for row in journal.earlier()}
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*lines.list.columns, *RESULTS])
        scorer = TrialScorer(gallery, reducer, scoring, top, normalization)
        for n, chunk in enumerate(in_chunks(lines, AT_ONCE, MODELS_AT_ONCE)):
            cuts = lines.cuts(chunk, maker)
            counts = {f"{n}/{i}": len(rows) for i, rows in enumerate(cuts.values())}
            scored = scorer.score(
                [trial.model for trial in chunk],
                cuts,
                partial(lines.refuse_row, chunk),
                label=f"{n}/",
                journal=journal,
                earlier=earlier,
                each=lambda found, counts=counts: progress.advance(counts[found.id]),  # type: ignore[misc]
            )
            result.recordings += len(cuts)
            _write(writer, chunk, scored, calibration, result)
    progress.end()
    return result


def _write(
    writer: Any,
    chunk: Sequence[Trial],
    scored: ScoredTrials,
    calibration: Calibration | None,
    result: VerifyResult,
) -> None:
    """Write the rows of a chunk that were not set aside."""
    scores = scored.scores(calibration)
    decided = decide(scores, result.point.prior, result.point.cost_miss, result.point.cost_false_alarm)
    for i in np.flatnonzero(~np.isnan(scored.raw)).tolist():
        decision = "" if calibration is None else "accept" if decided[i] else "reject"
        space = "" if np.isnan(scored.space[i]) else _number(scored.space[i])
        writer.writerow(
            [
                *chunk[i].cells,
                _number(scores[i]),
                decision,
                _number(scored.raw[i]),
                space,
                f"{scored.voiced[i]:.3f}",
                "" if np.isnan(scored.snr[i]) else f"{scored.snr[i]:.5f}",
                scored.flags[i],
            ]
        )
        result.trials += 1
        result.accepted += decision == "accept"
        result.short += scored.flags[i] == SHORT


def _number(value: float) -> str:
    return f"{value:.10g}"
