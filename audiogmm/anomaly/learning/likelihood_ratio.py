"""The two evaluators of a likelihood ratio: a model's and a background's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.errors import MismatchError
from audiogmm.runs.frontends import read_frontend

if TYPE_CHECKING:
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.mixture.store import Model


def make_evaluators(model: Model, against: Model | None) -> tuple[Evaluator, Evaluator | None]:
    """What evaluates a model, and its background model.

    Raises
    ------
    MismatchError
        If the two were trained through different front ends.
    """
    from audiogmm.mixture.evaluator import Evaluator

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
