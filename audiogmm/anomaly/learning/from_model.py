"""Models as the jobs use them: loaded, with their detector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorSettings, settings_from
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.errors import MismatchError
from audiogmm.words import SOUND, TABLE, Terms

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.anomaly.pipeline import DetectionPipeline
    from audiogmm.anomaly.scorer import FrameScorer
    from audiogmm.mixture.store import Model


def read_detector(model: Model) -> Detector:
    """The detector kept in a model.

    Raises
    ------
    MismatchError
        If the model was never calibrated.
    """
    from audiogmm.anomaly.detector import Detector

    if model.metadata.detector is None:
        raise MismatchError(
            "the model holds no scores of normal audio, so there is no threshold",
            needed="a calibrated model",
            remedy="audiogmm calibrate MODEL NORMAL -o MODEL, or train with --hold-out 0.1",
        )
    return Detector.from_parts(model.metadata.detector, model.tensors)


def make_scorer(model: Model, every_frame: bool | None = None) -> FrameScorer:
    """What gives frames the scores that the model's detector knows.

    Parameters
    ----------
    model : Model
        Plain log-likelihoods, or with scores of its own (`calibrate --scores`).
    every_frame : bool, optional
        Whether frames of exact silence count; as `scores_silence` by default.

    Raises
    ------
    ModelFileError
        If what it has learnt of its scores is not whole.
    """
    from audiogmm.anomaly.learning.scores import make_score_context, read_learned_scores
    from audiogmm.anomaly.scorer import LogLikelihoodScorer
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.runs.frontends import read_frontend

    every_frame = scores_silence(model) if every_frame is None else every_frame
    scores = read_learned_scores(model)
    if scores is None:
        return LogLikelihoodScorer(Evaluator(model.mixture), every_frame)
    return scores.scorer(
        make_score_context(
            model.mixture,
            read_frontend(model),
            scores.frame_rate,
            every_frame=every_frame,
            against=scores.against,
        )
    )


def make_pipeline(
    model: Model, detector: Detector | None = None, *, reasons: bool = True
) -> DetectionPipeline:
    """What finds events with a model, and with its own detector unless another one is given.

    Without `reasons`, nothing is said of why.

    Raises
    ------
    MismatchError
        If the model was never calibrated.
    """
    from audiogmm.anomaly.pipeline import DetectionPipeline

    explainer = None
    if reasons:
        from audiogmm.anomaly.learning.explainer import make_explainer

        explainer = make_explainer(model)
    return DetectionPipeline(make_scorer(model), detector or read_detector(model), explainer)


def with_detector(model: Model, detector: Detector) -> Model:
    """The same model with another detector."""
    return model.with_part("detector", "normal/", detector.metadata(), detector.tensors())


def unit_of(model: Model) -> str:
    """Return what follows a time: frames of the user's own are rows of a table, unless they have a rate."""
    detector = model.metadata.detector or {}
    return " s" if model.metadata.frontend or detector.get("frame_rate", 1.0) != 1.0 else ""


def terms_of(model: Model) -> Terms:
    """Return what messages call what the model is about."""
    return replace(SOUND if model.metadata.frontend else TABLE, unit=unit_of(model))


def scores_silence(model: Model) -> bool:
    """Whether frames of exact silence are to be judged: where no activity detector says what to listen to."""
    return bool(model.metadata.frontend and model.metadata.frontend["vad"] == "none")


def read_detector_settings(model: Model) -> DetectorSettings:
    """The settings of a model's detector; the default ones if it has none."""
    known = model.metadata.detector
    return DetectorSettings() if known is None else settings_from(known)
