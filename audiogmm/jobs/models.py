"""Models as the jobs use them: loaded, with their detector."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import MismatchError

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.anomaly.listener import Listener
    from audiogmm.anomaly.scorer import FrameScorer
    from audiogmm.mixture.store import Model


def load_model(path: str | os.PathLike[str]) -> Model:
    """Load a model file.

    Raises
    ------
    ModelFileError
        If it is not a model of ours, or not a whole one.
    """
    from audiogmm.mixture.store import load

    return load(Path(path))


def detector_of(model: Model) -> Detector:
    """The detector kept in a model.

    Raises
    ------
    MismatchError
        If the model was never calibrated.
    """
    from audiogmm.anomaly.detector import Detector

    if "detector" not in model.metadata:
        raise MismatchError(
            "the model holds no scores of normal audio, so there is no threshold",
            needed="a calibrated model",
            remedy="audiogmm calibrate MODEL NORMAL -o MODEL, or train with --hold-out 0.1",
        )
    return Detector.from_parts(model.metadata["detector"], model.tensors)


def scorer_of(model: Model) -> FrameScorer:
    """What gives frames the scores that the model's detector knows."""
    from audiogmm.anomaly.scorer import LogLikelihoodScorer
    from audiogmm.mixture.evaluator import Evaluator

    return LogLikelihoodScorer(Evaluator(model.mixture), hears_silence(model))


def listener_of(model: Model, detector: Detector | None = None) -> Listener:
    """What finds events with a model, and with its own detector unless another one is given.

    Raises
    ------
    MismatchError
        If the model was never calibrated.
    """
    from audiogmm.anomaly.listener import Listener

    return Listener(scorer_of(model), detector or detector_of(model))


def with_detector(model: Model, detector: Detector) -> Model:
    """The same model with another detector."""
    from dataclasses import replace

    kept = {name: tensor for name, tensor in model.tensors.items() if not name.startswith("normal/")}
    return replace(
        model,
        metadata=model.metadata | {"detector": detector.metadata()},
        tensors=kept | detector.tensors(),
    )


def unit_of(model: Model) -> str:
    """What follows a time: frames of the user's own may be rows of any table."""
    return " s" if model.metadata["frontend"] else ""


def hears_silence(model: Model) -> bool:
    """Whether frames of exact silence are to be judged: where no activity detector says what to listen to."""
    return bool(model.metadata["frontend"] and model.metadata["frontend"]["vad"] == "none")
