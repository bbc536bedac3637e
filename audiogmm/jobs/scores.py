"""A model's scores: what they are built on, and how the model keeps them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.scorers.learnt import PREFIX, LearntScores
from audiogmm.anomaly.scorers.part import Ground
from audiogmm.jobs.bands import bands_behind
from audiogmm.mixture.evaluator import Evaluator

if TYPE_CHECKING:
    from audiogmm.audio.frontend import FrontEnd
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.mixture.store import Model


def ground_of(
    mixture: Mixture,
    frontend: FrontEnd | None,
    frame_rate: float,
    *,
    every_frame: bool = False,
    against: Mixture | None = None,
) -> Ground:
    """What scores are built on.

    Parameters
    ----------
    mixture : Mixture
        The model's.
    frontend : FrontEnd or None
        Its front end, with the sample rate settled; None for frames of one's own.
    frame_rate : float
        Frames a second.
    every_frame : bool
        Whether frames of exact silence count: when a recording is judged, not when normal audio teaches.
    against : Mixture, optional
        Another background model than the one that is made of the model itself.
    """
    bands = []
    if frontend is not None and frontend.sample_rate is not None:
        orders = [bands_behind(frontend, frontend.sample_rate, order) for order in range(frontend.deltas + 1)]
        bands = [order for order in orders if order is not None]
    background = None if against is None else Evaluator(against)
    return Ground(Evaluator(mixture), every_frame, frame_rate, tuple(bands), background)


def scores_of(model: Model) -> LearntScores | None:
    """What the model has learnt of its scores; None where its detector uses plain log-likelihoods.

    Raises
    ------
    ModelFileError
        If it is not whole.
    """
    if "scores" not in model.metadata:
        return None
    return LearntScores.from_parts(model.metadata["scores"], model.tensors)


def with_scores(model: Model, scores: LearntScores | None) -> Model:
    """The same model with other scores; None for plain log-likelihoods."""
    metadata = {name: value for name, value in model.metadata.items() if name != "scores"}
    tensors = {name: tensor for name, tensor in model.tensors.items() if not name.startswith(PREFIX)}
    if scores is not None:
        metadata["scores"] = scores.metadata()
        tensors |= scores.tensors()
    return replace(model, metadata=metadata, tensors=tensors)
