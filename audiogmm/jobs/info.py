"""Say what a model is: its form, its front end, what it was trained on, its latency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiogmm.anomaly.learning.assembly import make_pipeline
from audiogmm.anomaly.learning.model_parts import score_names
from audiogmm.anomaly.scorers.table import score_unit
from audiogmm.mixture.store import load
from audiogmm.runs.frontends import read_frontend
from audiogmm.training.schedule.approximation import ApproximationLoss
from audiogmm.types import Json


@dataclass(frozen=True)
class InfoResult:
    """What there is to say about a model."""

    path: Path
    about: Json

    def summary(self) -> Json:
        """For `--json`."""
        return {"model": str(self.path), **self.about}

    def lines(self) -> Iterator[str]:
        """For a person."""
        about = self.about
        yield (
            f"{self.path}: {about['n_components']} components of {about['n_features']} features, "
            f"{about['covariance_type']} covariance ({about['n_parameters']:,} parameters)"
        )
        versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        yield f"fingerprint: {about['fingerprint'][:16]}, seed {about['seed']}, {versions}"
        data, training = about["data"], about["training"]
        if data:
            hours = f", {data['seconds'] / 3600:.2f} h" if about["frontend"] else ""
            yield f"trained on: {data['n_recordings']} recordings, {data['n_frames']:,} frames{hours}"
        if training.get("log_likelihood") is not None:
            yield (
                f"training: {training['algorithm']}, {training['passes']} passes, "
                f"{training['log_likelihood']:.4f} nats a frame, "
                f"BIC {training['bic']:,.0f}, AIC {training['aic']:,.0f}"
            )
        if lost := training.get("approximation"):
            yield f"approximation: {ApproximationLoss.from_json(lost)}"
        if about["frontend"] is None:
            yield "front end: none (frames of your own)"
        else:
            yield f"front end: {_settings(about['frontend'])}"
            yield f"sample rate: {about['sample_rate']} Hz"
        for stage, frames in about["latency"]["stages"].items():
            yield f"latency of {stage}: {frames} frames"
        latency = about["latency"]
        yield f"latency in all: {latency['steady_frames']} frames ({latency['steady_seconds']:.3f} s)"
        yield f"  at a recording's start: {latency['worst_frames']} frames ({latency['worst_seconds']:.3f} s)"
        detector = about.get("detector")
        if detector is None:
            yield "detector: none (audiogmm calibrate makes one)"
        else:
            unit = score_unit(about["score_names"])
            yield (
                f"detector: threshold {detector['threshold']:.3f} {unit} over "
                f"{detector['window']:g} s, from {len(detector['recordings'])} normal recordings"
            )
            yield f"scores: {', '.join(about['score_names'])}"
            left_out = about.get("scores", {}).get("how_chosen", {}).get("left_out")
            if left_out:
                yield f"scores left out, less steady on normal audio: {', '.join(left_out)}"


def info(path: Path) -> InfoResult:
    """Describe a model file.

    Raises
    ------
    ModelFileError
        If it is not a model of ours, or not a whole one.
    """
    model = load(path)
    about = model.summary()
    frontend = read_frontend(model)
    stages: dict[str, int] = {}
    steady = worst = 0
    frame_rate = 1.0
    if frontend is not None:
        latency = frontend.latency
        stages = {name: stage.steady for name, stage in latency.stages.items()}
        steady, worst = latency.steady, latency.worst
        frame_rate = frontend.clock(model.metadata.required_sample_rate).frame_rate
    if model.metadata.detector is not None:
        listener = make_pipeline(model, reasons=False)
        about["score_names"] = score_names(model)
        stages["scores"], stages["detector"] = listener.scorer.latency, listener.detector.latency
        steady, worst = steady + listener.latency, worst + listener.latency
        frame_rate = listener.detector.frame_rate
    about["latency"] = {
        "stages": stages,
        "steady_frames": steady,
        "steady_seconds": steady / frame_rate,
        "worst_frames": worst,
        "worst_seconds": worst / frame_rate,
    }
    return InfoResult(path, about)


def _settings(settings: Json) -> str:
    """The settings in one line, long vectors by their length."""

    def short(value: Any) -> str:
        return f"({len(value)} values)" if isinstance(value, list) and len(value) > 3 else str(value)

    return ", ".join(f"{name}={short(value)}" for name, value in settings.items())
