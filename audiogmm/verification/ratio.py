"""Log-likelihood ratios of many models against the one background that they were adapted from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray, Frames

Scoring = Literal["exact", "top", "linear"]
"""How a ratio is computed: see `RatioScorer`."""

TOP = 5
"""Components that `top` scores, Reynolds, Quatieri and Dunn 2000, section 3.4."""


class RatioScorer:
    """Mean log-likelihood ratios of frames under many models of one background.

    Parameters
    ----------
    background : Mixture
        The background model.
    models : sequence of Mixture
        Adapted from it.
    scoring : {"exact", "top", "linear"}
        `exact`: log p(x | model) - log p(x | background).
    top : int
        How many components `top` takes.

    Raises
    ------
    ChoiceError
        If there is no such scoring.
    MismatchError
        If a model has other components than the background.
    """

    def __init__(
        self, background: Mixture, models: Sequence[Mixture], scoring: Scoring = "exact", top: int = TOP
    ) -> None:
        if scoring not in get_args(Scoring):
            raise ChoiceError(f"scoring={scoring!r}", needed=f"one of {', '.join(get_args(Scoring))}")
        self.background = background
        self.models = tuple(models)
        self.scoring: Scoring = scoring
        self.top = top
        wanted = (background.means.shape, background.covariance_type)
        for model in self.models:
            came = (model.means.shape, model.covariance_type)
            if came != wanted:
                raise MismatchError(f"a model of {came}", needed=f"{wanted}, as its background is")
        self._background = Evaluator(background)
        self._evaluators = [Evaluator(model) for model in self.models]

    def scores(self, frames: Frames, which: Sequence[int] | None = None) -> FloatArray:
        """Mean ratio of frames (n, d) under the models, or those of `which`: (n_models,), nats a frame."""
        return self.totals(frames, which) / len(frames)

    def totals(self, frames: Frames, which: Sequence[int] | None = None) -> FloatArray:
        """Sums of what `scores` gives the means of."""
        under = self._background.log_likelihood(frames)
        chosen = range(len(self.models)) if which is None else which
        return np.array([np.sum(self._evaluators[m].log_likelihood(frames) - under) for m in chosen])
