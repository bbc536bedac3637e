"""Calibrate a model: learn from normal audio how its scores vary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import Detector, calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorOptions, DetectorSettings
from audiogmm.anomaly.learning.explainer import learn_moments, with_moments
from audiogmm.anomaly.learning.from_model import (
    make_scorer,
    read_detector,
    read_detector_settings,
    with_detector,
)
from audiogmm.anomaly.learning.scores import score_names, unit_of_scores
from audiogmm.anomaly.learning.tracks import TrackTask, ignore_repeated
from audiogmm.mixture.store import load
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import Extent, inputs_for
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent, stopped_by_hand
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


def calibrate(
    model: Model,
    source: str | os.PathLike[str] | Iterable[Entry],
    settings: DetectorSettings | None = None,
    *,
    scores: str | Iterable[str] | None = None,
    against: Model | None = None,
    upsample: bool = False,
    threads: int | None = None,
    workers: int = 0,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> Model:
    """Learn from normal audio how the scores of a model vary.

    Parameters
    ----------
    model : Model
        Not trained on this audio.
    source : path-like or iterable of Entry
        Normal recordings.
    settings : DetectorSettings, optional
        How events are cut out; those the model has, or the default ones.
    scores : str or iterable of str, optional
        What the detector scores by, see `anomaly.learning.scores`; what the model has, by
        default.
    against : Model, optional
        Background model of the score `ratio`.
    upsample : bool
        Accept audio below the model's sample rate.
    threads, workers : int
        Threads (all cores by default), and processes that decode and extract (none by default).
    aside : Aside, optional
        Takes recordings that cannot be used; by default the first one raises.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    Model
        The same with a detector.

    Raises
    ------
    MismatchError
        If no normal frame could be scored, or the model does not allow one of the scores.
    AudioGMMError
        The first bad recording's, unless `aside` takes it.
    """
    from audiogmm.anomaly.learning.calibrate_scores import calibrated_scores
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.training import LocalReducer

    progress = progress or Silent()
    inputs = inputs_for(
        model,
        source,
        aside=Aside(strict=True) if aside is None else aside,
        say=progress.say,
        upsample=upsample,
        again=True,
    )
    nothing_yet = stopped_by_hand("Nothing was written; the same command begins anew")
    with nothing_yet, LocalReducer(threads, workers) as reducer:
        model, normal = calibrated_scores(model, inputs, scores, against, reducer, progress)
        extent = inputs.extent()
        progress.begin("scoring normal audio", extent.total, extent.unit)
        task = TrackTask(
            make_scorer(model, every_frame=False)
        )  # silence is not what normal audio sounds like
        tracks = reducer.map(normal, task, inputs.refuse)
        detector = calibrate_detector(
            _counted(tracks, progress, extent), settings or read_detector_settings(model)
        )
        progress.end()
        moments = learn_moments(
            Evaluator(model.mixture), inputs.frontend, [(inputs, True)], reducer, ignore_repeated, progress
        )
    return with_moments(with_detector(model, detector), moments)


@dataclass(frozen=True)
class CalibrateResult:
    """A calibrated model, and what its detector learnt."""

    output: Path
    detector: Detector
    aside: Aside
    scores: list[str]

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.output),
            "recordings": len(self.detector.normal.ids),
            "seconds": len(self.detector.normal.scores) / self.detector.frame_rate,
            "threshold": self.detector.threshold,
            "release": self.detector.release,
            "quantile": 1 - self.detector.settings.quantile,
            "window": self.detector.settings.window,
            "budget": None if self.detector.budget is None else self.detector.budget.to_json(),
            "scores": self.scores,
            "note": self.detector.note,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        summary = self.summary()
        yield f"normal audio: {amount(summary['recordings'], 'recording')}, {summary['seconds']:,.1f} s"
        windows = f"normal {summary['window']:g} s windows"
        if summary["budget"] is None:
            windows = f"{self.detector.settings.quantile:.3%} of {windows}"
        unit = unit_of_scores(self.scores)
        yield f"threshold: {summary['threshold']:.3f} {unit}, of the mean in {windows}"
        if self.scores != ["mean"]:
            yield f"scores: {', '.join(self.scores)}"
        if summary["note"]:
            yield f"note: {summary['note']}"
        yield f"model: {self.output}"


def calibrate_to_file(
    model: Path,
    source: str,
    output: Path,
    *,
    window: float | None = None,
    quantile: float | None = None,
    alarms_per_hour: float | None = None,
    min_duration: float | None = None,
    merge_gap: float | None = None,
    scores: str | None = None,
    against: Path | None = None,
    upsample: bool = False,
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> CalibrateResult:
    """Calibrate as `calibrate` does, and save the model.

    Raises
    ------
    OutputError
        If the model file exists (and not `force`), or cannot be written.
    """
    check_output(output, force, source)
    loaded = load(model)
    aside = Aside(errors_path(output), strict=strict)
    with aside.explaining():
        calibrated = calibrate(
            loaded,
            source,
            DetectorOptions(
                window=window,
                quantile=quantile,
                alarms_per_hour=alarms_per_hour,
                min_duration=min_duration,
                merge_gap=merge_gap,
            ).applied_to(read_detector_settings(loaded)),
            scores=scores,
            against=None if against is None else load(against),
            upsample=upsample,
            threads=threads,
            workers=workers,
            aside=aside,
            progress=progress,
        )
    calibrated.save(output, force=force)
    return CalibrateResult(output, read_detector(calibrated), aside, score_names(calibrated))


def _counted(tracks: Iterable[ScoreTrack], progress: Progress, extent: Extent) -> Iterator[ScoreTrack]:
    for track in tracks:
        progress.advance(extent.part(len(track) / track.clock.frame_rate))
        yield track
