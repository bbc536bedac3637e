"""What a likelihood is worth, given the parameters that it took."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import ChoiceError


def bic(log_likelihood: float, n_parameters: int, n_frames: float) -> float:
    """Bayesian information criterion (Schwarz 1978): lower is better.

    Parameters
    ----------
    log_likelihood : float
        Sum over all frames, nats.
    n_parameters : int
        Free parameters of the model.
    n_frames : float
        Frames, at least 1. Neighbouring frames of audio overlap and are no independent draws, so compare
        models on the same frames, and do not read absolute sizes into it.

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
    """Akaike's information criterion (Akaike 1974): lower is better.

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
