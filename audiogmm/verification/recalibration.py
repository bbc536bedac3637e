"""Adapting a calibration to the enrolled speakers: a scale and an offset for that of the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.types import Json
from audiogmm.verification.calibration import Calibration, stack_columns
from audiogmm.verification.calibration_fitting import minimize_cost, weigh_trials

MIN_SPEAKERS = 5
"""Speakers with two recordings or more."""

MIN_TARGETS, MIN_NONTARGETS = 30, 200
"""Trials of each kind."""

CORRELATION = 0.1
"""Between trials of one speaker."""

PRIOR_DEVIATIONS = (0.5, 3.0)
"""Standard deviations of scale and offset (nats) about 1 and 0 from one corpus to another: the prior."""


def effective_trials(speakers: Sequence[str]) -> float:
    """Return to how many independent trials the trials of these speakers are equivalent.

    Of m trials of a speaker, ``m / (1 + (m - 1) rho)`` count, the design effect of Kish (1965, section 5.4),
    with rho `CORRELATION`: a speaker counts for ten at most.

    Examples
    --------
    >>> effective_trials(["ann", "bob"])
    2.0
    >>> round(effective_trials(["ann"] * 1000), 1)
    9.9
    """
    counts = np.unique(np.asarray(speakers, dtype=np.str_), return_counts=True)[1]
    return float(np.sum(counts / (1 + (counts - 1) * CORRELATION)))


def has_enough_trials(speakers: Sequence[str], target: ArrayLike) -> bool:
    """Tell whether trials are enough to learn a calibration from.

    Parameters
    ----------
    speakers : sequence of str of length n
        Who speaks in the test of each trial.
    target : array-like of shape (n,), bool

    Examples
    --------
    >>> has_enough_trials(["ann"] * 300, [True] * 50 + [False] * 250)
    False
    """
    truth = np.asarray(target, dtype=np.bool_)
    tried = {speaker for speaker, same in zip(speakers, truth.tolist(), strict=True) if same}
    n_targets = int(np.count_nonzero(truth))
    return (
        len(tried) >= MIN_SPEAKERS and n_targets >= MIN_TARGETS and len(truth) - n_targets >= MIN_NONTARGETS
    )


def recalibrate(
    background: Calibration, llr: ArrayLike, target: ArrayLike, speakers: Sequence[str]
) -> tuple[Calibration, Json]:
    """Scale and shift the background's calibration by trials of the enrolled speakers.

    The ratios between its weights stay as the many background speakers set them. Two numbers are learned, the
    scale and the offset, and are held to 1 and 0 the more the fewer speakers there are: they are the maximum
    a posteriori under a normal prior of `PRIOR_DEVIATIONS`, with trials that count for `effective_trials`.

    Parameters
    ----------
    background : Calibration
        Learned from the background.
    llr : array-like of shape (n,), float64
        Its log-likelihood ratio of each trial, nats.
    target : array-like of shape (n,), bool
        Whether each is a target trial.
    speakers : sequence of str of length n
        Who speaks in the test of each.

    Returns
    -------
    calibration : Calibration
        It reads the same columns.
    about : dict
        `scale`, never under 0, and `offset`, nats.

    Raises
    ------
    ChoiceError
        If there are no trials of one kind, or a number is not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = np.arange(4000) < 2000
    >>> llr = rng.normal(np.where(target, 2.0, -2.0), 2.0)  # well calibrated: variance twice the mean
    >>> who = [f"p{i % 200}" for i in range(4000)]
    >>> off = Calibration(("raw",), (2.0,), 3.0)  # of a raw score that is the ratio itself
    >>> found, about = recalibrate(off, 2 * llr + 3, target, who)
    >>> round(found.weights[0], 1), round(found.offset, 1), round(about["scale"], 1)
    (1.0, 0.0, 0.5)
    """
    own = [speaker for speaker, same in zip(speakers, np.asarray(target).tolist(), strict=True) if same]
    precision = tuple(1 / (effective_trials(own) * spread**2) for spread in PRIOR_DEVIATIONS)
    scale, offset = fit_shift(llr, target, prior=background.prior, precision=precision)
    scale = max(scale, 0.0)
    found = replace(
        background,
        weights=tuple(scale * weight for weight in background.weights),
        offset=scale * background.offset + offset,
        n_targets=len(own),
        n_nontargets=len(speakers) - len(own),
    )
    return found, {"scale": scale, "offset": offset}


def fit_shift(
    llr: ArrayLike, target: ArrayLike, *, prior: float, precision: tuple[float, ...]
) -> tuple[float, float]:
    """Learn the scale a and the offset b (nats) of a log-likelihood ratio: `fit_calibration` held to (1, 0).

    The penalty is ``(p_a (a - 1)^2 + p_b b^2) / 2``, with `precision` (p_a, p_b), both above 0.

    Raises
    ------
    ChoiceError
        As `fit_calibration`.

    Examples
    --------
    >>> scale, offset = fit_shift([-3.0, 5.0], [False, True], prior=0.5, precision=(1e9, 0.01))
    >>> round(scale, 3), round(offset, 1)
    (1.0, -0.6)
    """
    x, y = stack_columns({"llr": llr}, ("llr",)), np.asarray(target, dtype=np.bool_)
    alpha = weigh_trials(y, len(x), prior)
    design = np.column_stack([x, np.ones(len(x))])
    slope, offset = minimize_cost(
        design, y, alpha, x[:, 0] + math.log(prior / (1 - prior)), np.array(precision)
    )
    return 1 + float(slope), float(offset)
