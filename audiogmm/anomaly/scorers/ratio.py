"""The score `ratio`: how much likelier a frame is under the model than under a background model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import LogLikelihoodScorer
from audiogmm.anomaly.scorers.pools import Box
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.scoring.likelihood import Density
from audiogmm.types import FloatArray, Frames, Seconds


@dataclass(frozen=True)
class RatioDensity:
    """log p(x | model) - log p(x | background), nats (Reynolds 2000, eq. 6)."""

    model: Density
    background: Density

    def log_likelihood(self, frames: Frames) -> FloatArray:
        """Compute the ratio of every frame, shape (n,), each row's value its own."""
        return self.model.log_likelihood(frames) - self.background.log_likelihood(frames)


def single_gaussian(mixture: Mixture) -> Mixture:
    """Return the diagonal Gaussian with the mean and variances of a mixture: a general model of the audio.

    mean = sum w mu, variance = sum w (sigma^2 + mu^2) - mean^2: what one Gaussian trained on the same frames
    would be, since an M-step keeps these moments.

    Examples
    --------
    >>> mixture = Mixture([0.5, 0.5], [[-1.0], [1.0]], [[1.0], [1.0]], "diag")
    >>> single_gaussian(mixture).covariances
    array([[2.]])
    """
    form = form_of(mixture.covariance_type)
    variances = form.variances(mixture.covariances, mixture.n_components, mixture.n_features)
    spread = variances + np.square(mixture.means - mixture.center)
    weights = mixture.weights / mixture.weights.sum()
    return Mixture(np.ones(1), mixture.center[None], (weights @ spread)[None], "diag")


def ratio_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Average the log-likelihood ratio against a background over a window, nats.

    What is unlikely under any model of such audio (loud, or rare) counts less than what is unlikely under the
    model alone. The background is one broad Gaussian of the same audio, or a model of the user's.
    """
    background = context.background or Evaluator(single_gaussian(context.evaluator.mixture))
    base = LogLikelihoodScorer(RatioDensity(context.evaluator, background), context.every_frame)
    return SeriesGroup((ScoreSeries(base, Box(context.half(window))),))
