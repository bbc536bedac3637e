"""From a model to what runs over recordings: its scorer, its explainer, and both in a detection pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.cells import LeveledScorer, levels_of
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.explainer import EventExplainer
from audiogmm.anomaly.learning.drift_learning import read_drift
from audiogmm.anomaly.learning.frontend_bands import band_maps
from audiogmm.anomaly.learning.model_parts import (
    is_silence_scored,
    read_detector,
    read_learned_scores,
    read_moments,
)
from audiogmm.anomaly.learning.moments import make_plan
from audiogmm.anomaly.modulation import Modulation
from audiogmm.anomaly.pipeline import DetectionPipeline
from audiogmm.anomaly.ranges import Ranges
from audiogmm.anomaly.scorer import FrameScorer, LogLikelihoodScorer
from audiogmm.anomaly.scorers.score import ScoreContext
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.runs.frontends import read_frontend

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.mixture.store import Model


def make_score_context(
    mixture: Mixture,
    frontend: FrontEnd | None,
    frame_rate: float,
    *,
    every_frame: bool = False,
    background: Mixture | None = None,
) -> ScoreContext:
    """Make what scores are made from.

    Parameters
    ----------
    mixture : Mixture
        The model's.
    frontend : FrontEnd or None
        Its front end, with the sample rate settled; None for frames of the user's own.
    frame_rate : float
        Frames a second.
    every_frame : bool
        Whether frames of exact silence count: when a recording is scored, not when scores are learned.
    background : Mixture, optional
        A background model in place of the one that is made of the model itself.
    """
    return ScoreContext(
        Evaluator(mixture),
        every_frame,
        frame_rate,
        band_maps(frontend),
        None if background is None else Evaluator(background),
    )


def make_scorer(model: Model, every_frame: bool | None = None, *, leveled: bool = True) -> FrameScorer:
    """Make the scorer whose scores the model's detector expects.

    Parameters
    ----------
    model : Model
        Plain log-likelihoods, or with learned scores (`calibrate --scores`).
    every_frame : bool, optional
        Whether frames of exact silence count; as `is_silence_scored` by default.
    leveled : bool
        Whether the scores of cells are put on one level, where the model's detector has cells.

    Raises
    ------
    ModelFileError
        If something of its learned scores is missing.
    """
    if leveled and (levels := levels_of(model.metadata.detector)) is not None:
        return LeveledScorer(make_scorer(model, every_frame, leveled=False), levels)
    every_frame = is_silence_scored(model) if every_frame is None else every_frame
    scores = read_learned_scores(model)
    if scores is None:
        return LogLikelihoodScorer(Evaluator(model.mixture), every_frame)
    context = make_score_context(
        model.mixture,
        read_frontend(model),
        scores.frame_rate,
        every_frame=every_frame,
        background=scores.background,
    )
    return scores.scorer(context)


def make_evaluators(model: Model, against: Model | None) -> tuple[Evaluator, Evaluator | None]:
    """Make the evaluators of a model and of its background model.

    Raises
    ------
    MismatchError
        If the two were trained through different front ends.
    """
    if against is None:
        return Evaluator(model.mixture), None
    ours, theirs = read_frontend(model), read_frontend(against)
    if ours != theirs or model.mixture.n_features != against.mixture.n_features:
        differences = ours.difference(theirs) if ours and theirs else ["one was not trained on audio"]
        raise MismatchError(
            f"the model and its background model have different front ends ({', '.join(differences)})",
            needed="models trained through the same one",
            remedy="train the model with the background model's --frontend",
        )
    return Evaluator(model.mixture), Evaluator(against.mixture)


def make_explainer(model: Model) -> EventExplainer:
    """Make what explains events, from a model, its front end and its normal moments.

    Without moments (models of earlier versions, or trained with nothing held out) there is no comparison.
    """
    frontend, moments = read_frontend(model), read_moments(model)
    bands = next(iter(band_maps(frontend)), None)
    rate = _frame_rate(model, frontend)
    plan = make_plan(frontend, model.mixture, rate)
    if moments is not None:  # the tracks that they were measured by: the mixture may have been another one
        plan = replace(plan, modulation=Modulation(moments.tracks, rate))
    if bands is None:
        ranges, level = Ranges.of_columns(plan.static, model.mixture.n_features), None
    else:
        ranges = Ranges.of_bands(bands)
        level = bands.matrix.mean(axis=0) if bands.absolute else None
    names = tuple(model.metadata.columns)
    names = names if len(names) == model.mixture.n_features else ()
    return EventExplainer(model.mixture, plan, ranges, level, moments, names)


def make_pipeline(
    model: Model, detector: Detector | None = None, *, reasons: bool = True, drift: bool = True
) -> DetectionPipeline:
    """Make what finds the events of recordings.

    Parameters
    ----------
    model : Model
        With its scores.
    detector : Detector, optional
        In place of the model's own.
    reasons : bool
        Whether events are explained.
    drift : bool
        Whether drift is watched for, where the model knows enough normal audio.

    Raises
    ------
    MismatchError
        If the model was never calibrated.
    """
    explainer = make_explainer(model) if reasons else None
    watch = read_drift(model) if drift else None
    return DetectionPipeline(make_scorer(model), detector or read_detector(model), explainer, watch)


def _frame_rate(model: Model, frontend: FrontEnd | None) -> float:
    for kept in (model.metadata.moments, model.metadata.detector):
        if kept is not None:
            return float(kept["frame_rate"])
    return 1.0 if frontend is None else frontend.clock(model.metadata.required_sample_rate).frame_rate
