"""A model's scores: what they are built on, and how the model keeps them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.frontend_bands import mel_bands
from audiogmm.anomaly.scorers.learned import PREFIX, LearnedScores
from audiogmm.anomaly.scorers.part import ScoreContext
from audiogmm.anomaly.scorers.table import SCORES
from audiogmm.mixture.evaluator import Evaluator

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
    against: Mixture | None = None,
) -> ScoreContext:
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
        orders = [mel_bands(frontend, frontend.sample_rate, order) for order in range(frontend.deltas + 1)]
        bands = [order for order in orders if order is not None]
    background = None if against is None else Evaluator(against)
    return ScoreContext(Evaluator(mixture), every_frame, frame_rate, tuple(bands), background)


def read_learned_scores(model: Model) -> LearnedScores | None:
    """What the model has learnt of its scores; None where its detector uses plain log-likelihoods.

    Raises
    ------
    ModelFileError
        If it is not whole.
    """
    if model.metadata.scores is None:
        return None
    return LearnedScores.from_parts(model.metadata.scores, model.tensors)


def with_scores(model: Model, scores: LearnedScores | None) -> Model:
    """The same model with other scores; None for plain log-likelihoods."""
    if scores is None:
        return model.with_part("scores", PREFIX, None)
    return model.with_part("scores", PREFIX, scores.metadata(), scores.tensors())


def score_names(model: Model) -> list[str]:
    """The names of the scores that a model's detector uses.

    Raises
    ------
    ModelFileError
        If what it has learnt of its scores is not whole.
    """
    scores = read_learned_scores(model)
    return [PLAIN] if scores is None else [str(wanted) for wanted in scores.wanted]


def unit_of_scores(names: Sequence[str]) -> str:
    """What follows a number: one score has its own unit, several together are normal deviates.

    Examples
    --------
    >>> unit_of_scores(["mean"]), unit_of_scores(["twfr:0.5"]), unit_of_scores(["mean", "twfr"])
    ('nats a frame', 'nats a window', 'normal deviates')
    """
    if len(names) > 1:
        return "normal deviates"
    return SCORES[names[0].partition(":")[0]].unit


PLAIN = "mean"
"""The score of a detector that has learnt no other: log-likelihoods, averaged by the detector itself."""


def scores_fingerprint(model: Model) -> str:
    """SHA-256 of what the model has learnt of its scores, hexadecimal; empty for plain log-likelihoods."""
    if model.metadata.scores is None:
        return ""
    digest = hashlib.sha256(json.dumps(model.metadata.scores, sort_keys=True).encode())
    for name in sorted(model.tensors):
        if name.startswith(PREFIX):
            digest.update(f"{name} {model.tensors[name].shape}".encode())
            digest.update(model.tensors[name].tobytes())
    return digest.hexdigest()
