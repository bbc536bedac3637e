"""Calibrate a model: learn from normal audio how its scores vary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.anomaly.detector import Detector, learn
from audiogmm.anomaly.detector_settings import DetectorSettings, settings_from
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.track import track_of
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.jobs.amounts import amount
from audiogmm.jobs.aside import Aside, errors_path
from audiogmm.jobs.explaining import learn_moments, with_moments
from audiogmm.jobs.extent import Extent
from audiogmm.jobs.inputs import inputs_for
from audiogmm.jobs.models import detector_of, load_model, scorer_of, with_detector
from audiogmm.jobs.outputs import check_output
from audiogmm.jobs.progress import Progress, Silent, stopped_by_hand
from audiogmm.jobs.scores import score_names, unit_of_scores
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class TrackTask:
    """Scores a recording into memory; runs in a thread or a worker process."""

    scorer: FrameScorer

    def __call__(self, shard: Shard) -> ScoreTrack:
        return track_of(self.scorer, shard)


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
        What the detector scores by, see `audiogmm.jobs.scores.calibrated_scores`; what the model has, by
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
    from audiogmm.jobs.calibrate_scores import calibrated_scores
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
        task = TrackTask(scorer_of(model, every_frame=False))  # silence is not what normal audio sounds like
        tracks = reducer.map(normal, task, inputs.refuse)
        detector = learn(_counted(tracks, progress, extent), settings or settings_of(model))
        progress.end()
        moments = learn_moments(
            Evaluator(model.mixture), inputs.frontend, [(inputs, True)], reducer, met_again, progress
        )
    return with_moments(with_detector(model, detector), moments)


def settings_of(model: Model) -> DetectorSettings:
    """The settings of a model's detector; the default ones if it has none."""
    known = model.metadata.get("detector")
    return DetectorSettings() if known is None else settings_from(known)


def changed(
    settings: DetectorSettings,
    *,
    window: float | None = None,
    quantile: float | None = None,
    alarms_per_hour: float | None = None,
    min_duration: float | None = None,
    merge_gap: float | None = None,
) -> DetectorSettings:
    """The settings with those changed that were given; `quantile` is the share of normal windows kept quiet.

    Raises
    ------
    ChoiceError
        If a quantile and a budget of alarms are both given.

    Examples
    --------
    >>> found = changed(DetectorSettings(alarms_per_hour=2.0), quantile=0.99)
    >>> found.quantile, found.alarms_per_hour
    (0.01, None)
    """
    changes: dict[str, Any] = {"window": window, "min_duration": min_duration, "merge_gap": merge_gap}
    if quantile is not None and alarms_per_hour is not None:
        raise ChoiceError(
            f"a quantile of {quantile:g} and {alarms_per_hour:g} alarms an hour",
            needed="one of them, to set the threshold by",
        )
    if quantile is not None:
        changes["quantile"] = round(1 - quantile, 12)
        changes["release_quantile"] = max(settings.release_quantile, changes["quantile"])
        settings = replace(settings, alarms_per_hour=None)
    changes["alarms_per_hour"] = alarms_per_hour
    return replace(settings, **{name: value for name, value in changes.items() if value is not None})


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
    loaded = load_model(model)
    aside = Aside(errors_path(output), strict=strict)
    with aside.explaining():
        calibrated = calibrate(
            loaded,
            source,
            changed(
                settings_of(loaded),
                window=window,
                quantile=quantile,
                alarms_per_hour=alarms_per_hour,
                min_duration=min_duration,
                merge_gap=merge_gap,
            ),
            scores=scores,
            against=None if against is None else load_model(against),
            upsample=upsample,
            threads=threads,
            workers=workers,
            aside=aside,
            progress=progress,
        )
    calibrated.save(output, force=force)
    return CalibrateResult(output, detector_of(calibrated), aside, score_names(calibrated))


def met_again(_: str, __: AudioGMMError) -> None:
    """A recording that cannot be used is set aside once, in another pass than this one."""


def _counted(tracks: Iterable[ScoreTrack], progress: Progress, extent: Extent) -> Iterator[ScoreTrack]:
    for track in tracks:
        progress.advance(extent.part(len(track) / track.clock.frame_rate))
        yield track
