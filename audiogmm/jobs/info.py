"""Info: the form of a model, its front end, its training, its detector and its latency."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiogmm.anomaly.learning.assembly import make_pipeline
from audiogmm.anomaly.learning.model_parts import score_names, terms_of
from audiogmm.anomaly.scorers.table import score_unit
from audiogmm.mixture.metadata import reading_part
from audiogmm.mixture.store import Model, model_from
from audiogmm.reprs import lines_repr
from audiogmm.runs.frontends import read_frontend
from audiogmm.training.schedule.approximation import ApproximationLoss
from audiogmm.types import Json
from audiogmm.words import Terms, amount


@dataclass(frozen=True)
class InfoResult:
    """The description of a model."""

    path: Path | None  # None: it was not read from a file
    about: Json
    terms: Terms

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {"model": None if self.path is None else str(self.path), **self.about}

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        with reading_part("document"):
            yield from list(self._lines())

    def _lines(self) -> Iterator[str]:
        about, terms = self.about, self.terms
        yield (
            f"{self.path or 'model'}: {amount(about['n_components'], 'component')} of "
            f"{amount(about['n_features'], 'feature')}, "
            f"{about['covariance_type']} covariance ({about['n_parameters']:,} parameters)"
        )
        versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        yield f"fingerprint: {about['fingerprint'][:16]}, seed {about['seed']}, {versions}"
        data, training = about["data"], about["training"]
        if data:
            hours = f", {data['seconds'] / 3600:.2f} h" if about["frontend"] else ""
            recordings, frames = terms.recordings(data["n_recordings"]), terms.frames(data["n_frames"])
            yield f"trained on: {recordings}, {frames}{hours}"
        if training.get("log_likelihood") is not None:
            yield (
                f"training: {training['algorithm']}, {amount(training['passes'], 'pass', 'passes')}, "
                f"{training['log_likelihood']:.4f} {terms.of('nats a frame')}, "
                f"BIC {training['bic']:,.0f}, AIC {training['aic']:,.0f}"
            )
        if classes := about.get("classes"):
            rows = zip(classes["names"], classes["components"], classes["frames"], strict=True)
            yield "classes: " + "; ".join(
                f"{name} ({amount(size, 'component')}, {terms.frames(n)})" for name, size, n in rows
            )
        if lost := training.get("approximation"):
            yield f"approximation: {ApproximationLoss.from_json(lost)}"
        if about["frontend"] is None:
            yield "front end: none (the model was trained on tables of features)"
            if about.get("columns"):
                yield f"columns: {', '.join(about['columns'])}"
        else:
            yield f"front end: {_settings(about['frontend'])}"
            yield f"sample rate: {about['sample_rate']} Hz"
        for stage, frames in about["latency"]["stages"].items():
            yield f"latency of {stage}: {terms.frames(frames)}"
        yield f"latency in all: {self._latency('steady')}"
        yield f"  at the start of a {terms.recording}: {self._latency('worst')}"
        detector = about.get("detector")
        if detector is None:
            yield "detector: none (`audiogmm calibrate` makes one)"
        else:
            unit = terms.of(score_unit(about["score_names"]))
            rows = max(1, round(detector["window"]))
            window = f"{detector['window']:g} s" if terms.unit else terms.frames(rows)
            yield (
                f"detector: threshold {detector['threshold']:.3f} {unit} over {window}, from normal "
                f"{terms.material}: "
                f"{terms.recordings(len(detector['recordings']))}"
            )
            yield f"scores: {', '.join(about['score_names'])}"
            left_out = about.get("scores", {}).get("how_chosen", {}).get("left_out")
            if left_out:
                yield f"scores left out, less steady on normal {terms.material}: {', '.join(left_out)}"

    def _latency(self, which: str) -> str:
        latency = self.about["latency"]
        seconds = f" ({latency[f'{which}_seconds']:.3f} s)" if self.terms.unit else ""
        return self.terms.frames(latency[f"{which}_frames"]) + seconds


def info(model: Model | str | os.PathLike[str]) -> InfoResult:
    """Describe a model: its form, its training, its detector and its latency.

    Parameters
    ----------
    model : Model or path-like

    Returns
    -------
    InfoResult
        `about` is a dict, `lines()` the same for a person.

    Raises
    ------
    ModelFileError
        If the file is not a model of audiogmm, or is damaged.

    Examples
    --------
    >>> from audiogmm.mixture.gaussian import Mixture
    >>> found = info(Model(Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], "spherical")))
    >>> next(found.lines())
    'model: 2 components of 1 feature, spherical covariance (5 parameters)'
    """
    loaded = model_from(model)
    path = None if isinstance(model, Model) else Path(model)
    with reading_part("document"):
        about = _describe(loaded)
    return InfoResult(path, about, terms_of(loaded))


def _describe(model: Model) -> Json:
    """What `info` says of a model."""
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
        pipeline = make_pipeline(model, reasons=False)
        about["score_names"] = score_names(model)
        stages["scores"], stages["detector"] = pipeline.scorer.latency, pipeline.detector.latency
        steady, worst = steady + pipeline.latency, worst + pipeline.latency
        frame_rate = pipeline.detector.frame_rate
    about["latency"] = {
        "stages": stages,
        "steady_frames": steady,
        "steady_seconds": steady / frame_rate,
        "worst_frames": worst,
        "worst_seconds": worst / frame_rate,
    }
    return about


def _settings(settings: Json) -> str:
    """Write settings in one line, long lists by their length."""

    def short(value: Any) -> str:
        return f"({len(value)} values)" if isinstance(value, list) and len(value) > 3 else str(value)

    return ", ".join(f"{name}={short(value)}" for name, value in settings.items())
