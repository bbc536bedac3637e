"""Information criteria: a likelihood less a penalty for parameters."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.expected import joint_log_likelihood
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats


def bic(log_likelihood: float, n_parameters: int, n_frames: float) -> float:
    """Return the Bayesian information criterion (Schwarz 1978): lower is better.

    Parameters
    ----------
    log_likelihood : float
        Sum over all frames, nats.
    n_parameters : int
        Free parameters of the model.
    n_frames : float
        Frames, at least 1. Neighboring frames of audio overlap and are not independent, so that models are
        to be compared on the same frames, and absolute values mean little.

    Returns
    -------
    float
        ``-2 log_likelihood + n_parameters log(n_frames)``.

    Raises
    ------
    ChoiceError
        If there are no frames.

    Examples
    --------
    >>> bic(-100.0, n_parameters=3, n_frames=1)
    200.0
    """
    if not n_frames >= 1:
        raise ChoiceError(f"BIC of {n_frames} frames", needed="at least 1 frame")
    return float(-2 * log_likelihood + n_parameters * np.log(n_frames))


def aic(log_likelihood: float, n_parameters: int) -> float:
    """Return Akaike's information criterion (Akaike 1974): lower is better.

    Parameters
    ----------
    log_likelihood : float
        Sum over all frames, nats.
    n_parameters : int
        Free parameters of the model.

    Returns
    -------
    float
        ``-2 log_likelihood + 2 n_parameters``.

    Examples
    --------
    >>> aic(-100.0, n_parameters=3)
    206.0
    """
    return float(-2 * log_likelihood + 2 * n_parameters)


def icl(log_likelihood: float, n_parameters: int, n_frames: float, entropy: float) -> float:
    """Return the integrated completed likelihood in its BIC form: lower is better.

    Biernacki, Celeux and Govaert (2000, section 3.2): BIC of the frames together with their components, so
    that components which overlap count for less. They complete each frame with its likeliest component;
    here the expectation over the posteriors stands in its place, as in McLachlan and Peel (2000, section
    6.10.3), which adds twice the entropy, and is never smaller.

    Parameters
    ----------
    log_likelihood, n_parameters, n_frames
        As for `bic`.
    entropy : float
        Of the posteriors, summed over the frames, nats; see `assignment_entropy`.

    Returns
    -------
    float
        ``bic + 2 entropy``.

    Examples
    --------
    >>> icl(-100.0, n_parameters=3, n_frames=1, entropy=2.5)
    205.0
    """
    return bic(log_likelihood, n_parameters, n_frames) + 2 * entropy


def effective_bic(log_likelihood: float, n_parameters: int, n_frames: float, time: float) -> float:
    """Return BIC of frames that depend on one another: lower is better.

    The likelihood of such frames, taken as if they were independent, is a composite likelihood, and BIC
    counts its parameters as ``tr(J H^-1)``, and the independent units (Gao and Song 2010): here `time` times
    `n_parameters`, and ``n_frames / time``. Frames that are written down r times each get r times what they
    get once, so that the order of models stays, while BIC comes to prefer the largest.

    Parameters
    ----------
    log_likelihood, n_parameters, n_frames
        As for `bic`.
    time : float
        Frames that are worth one independent frame, 1 to `n_frames`; see `dependence_times`.

    Returns
    -------
    float
        ``-2 log_likelihood + time n_parameters log(n_frames / time)``.

    Examples
    --------
    >>> effective_bic(-300.0, n_parameters=4, n_frames=30, time=3.0) / 3 == bic(-100.0, 4, 10)
    True
    """
    return -2 * log_likelihood + time * n_parameters * float(np.log(n_frames / time))


def assignment_entropy(statistics: SufficientStats, mixture: Mixture) -> float:
    """Return the entropy of the posteriors of an E-step, summed over its frames, without a further pass.

    With posteriors t_nk, ``-sum_nk t_nk log t_nk = sum_n log p(x_n) - sum_nk t_nk log(w_k N_k(x_n))``, and
    the second sum follows from the moments.

    Parameters
    ----------
    statistics : SufficientStats
        Of the frames under `mixture`, with their log-likelihood.
    mixture : Mixture
        That gave the posteriors, not the one estimated from them.

    Returns
    -------
    float
        Nats, at least 0 (a rounding error below it is cut off).

    Examples
    --------
    >>> from audiogmm.mixture.evaluator import Evaluator
    >>> mixture = Mixture([0.5, 0.5], [[1.0], [1.0]], [1.0, 1.0], "spherical")
    >>> statistics = Evaluator(mixture).accumulate(np.zeros((10, 1)))
    >>> round(assignment_entropy(statistics, mixture) / float(np.log(2)), 6)  # each frame could be either's
    10.0
    """
    return max(0.0, statistics.log_likelihood - joint_log_likelihood(statistics, mixture))
