"""Calibrate a model: learn from normal audio how its scores vary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.anomaly.detector import Detector, DetectorSettings, learn
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError
from audiogmm.jobs.amounts import amount
from audiogmm.jobs.aside import Aside, errors_path
from audiogmm.jobs.explaining import learn_moments, with_moments
from audiogmm.jobs.extent import Extent
from audiogmm.jobs.inputs import inputs_for
from audiogmm.jobs.models import detector_of, load_model, with_detector
from audiogmm.jobs.outputs import check_output
from audiogmm.jobs.progress import Progress, Silent, stopped_by_hand
from audiogmm.scoring.likelihood import score as score_shard
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class TrackTask:
    """Scores a recording into memory; runs in a thread or a worker process."""

    evaluator: Evaluator

    def __call__(self, shard: Shard) -> ScoreTrack:
        return score_shard(self.evaluator, shard)


def calibrate(
    model: Model,
    source: str | os.PathLike[str] | Iterable[Entry],
    settings: DetectorSettings | None = None,
    *,
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
        If no normal frame could be scored.
    AudioGMMError
        The first bad recording's, unless `aside` takes it.
    """
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
    extent = inputs.extent()
    progress.begin("scoring normal audio", extent.total, extent.unit)
    nothing_yet = stopped_by_hand("Nothing was written; the same command begins anew")
    with nothing_yet, LocalReducer(threads, workers) as reducer:
        tracks = reducer.map(inputs, TrackTask(Evaluator(model.mixture)), inputs.refuse)
        detector = learn(_counted(tracks, progress, extent), settings or settings_of(model))
        progress.end()
        moments = learn_moments(
            Evaluator(model.mixture), inputs.frontend, [(inputs, True)], reducer, _met_again, progress
        )
    return with_moments(with_detector(model, detector), moments)


def settings_of(model: Model) -> DetectorSettings:
    """The settings of a model's detector; the default ones if it has none."""
    known = model.metadata.get("detector")
    if known is None:
        return DetectorSettings()
    return DetectorSettings(**{name: known[name] for name in DetectorSettings.__dataclass_fields__})


def changed(
    settings: DetectorSettings,
    window: float | None,
    quantile: float | None,
    min_duration: float | None,
    merge_gap: float | None,
) -> DetectorSettings:
    """The settings with those changed that were given; `quantile` is the share of normal windows kept quiet.

    Examples
    --------
    >>> changed(DetectorSettings(), None, 0.99, None, None).quantile
    0.01
    """
    changes: dict[str, Any] = {"window": window, "min_duration": min_duration, "merge_gap": merge_gap}
    if quantile is not None:
        changes["quantile"] = round(1 - quantile, 12)
        changes["release_quantile"] = max(settings.release_quantile, changes["quantile"])
    return replace(settings, **{name: value for name, value in changes.items() if value is not None})


@dataclass(frozen=True)
class CalibrateResult:
    """A calibrated model, and what its detector learnt."""

    output: Path
    detector: Detector
    aside: Aside

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
            "note": self.detector.note,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        summary = self.summary()
        yield f"normal audio: {amount(summary['recordings'], 'recording')}, {summary['seconds']:,.1f} s"
        yield (
            f"threshold: {summary['threshold']:.3f} nats a frame, under which "
            f"{self.detector.settings.quantile:.3%} of normal {summary['window']:g} s windows lie"
        )
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
    min_duration: float | None = None,
    merge_gap: float | None = None,
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
            changed(settings_of(loaded), window, quantile, min_duration, merge_gap),
            upsample=upsample,
            threads=threads,
            workers=workers,
            aside=aside,
            progress=progress,
        )
    calibrated.save(output, force=force)
    return CalibrateResult(output, detector_of(calibrated), aside)


def _met_again(_: str, __: AudioGMMError) -> None:
    """A recording that cannot be read was set aside when it was scored."""


def _counted(tracks: Iterable[ScoreTrack], progress: Progress, extent: Extent) -> Iterator[ScoreTrack]:
    for track in tracks:
        progress.advance(extent.part(len(track) / track.clock.frame_rate))
        yield track
