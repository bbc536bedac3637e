"""Calibration on the speakers enrolled: a scale and an offset for what the background taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.types import Json
from audiogmm.verification.calibration import Calibration, fit_shift

FEWEST_SPEAKERS = 5
"""Speakers with two recordings or more."""

FEWEST_TARGETS, FEWEST_NONTARGETS = 30, 200
"""Trials of each kind."""

ALIKE = 0.1
"""Correlation between trials of one speaker."""

SPREAD = (0.5, 3.0)
"""Standard deviations of scale and offset (nats) about 1 and 0 from one corpus to another: the prior."""


def effective_trials(speakers: Sequence[str]) -> float:
    """What so many trials of some speakers are worth, in independent ones.

    Of m trials of a speaker, ``m / (1 + (m - 1) rho)`` count, the design effect of Kish (1965, section 5.4),
    with rho `ALIKE`: a speaker is worth ten at most.

    Examples
    --------
    >>> effective_trials(["ann", "bob"])
    2.0
    >>> round(effective_trials(["ann"] * 1000), 1)
    9.9
    """
    counts = np.unique(np.asarray(speakers, dtype=np.str_), return_counts=True)[1]
    return float(np.sum(counts / (1 + (counts - 1) * ALIKE)))


def enough(speakers: Sequence[str], target: ArrayLike) -> bool:
    """Whether trials are enough to learn a calibration from.

    Parameters
    ----------
    speakers : sequence of str of length n
        Who speaks in the test of each trial.
    target : array-like of shape (n,), bool

    Examples
    --------
    >>> enough(["ann"] * 300, [True] * 50 + [False] * 250)
    False
    """
    truth = np.asarray(target, dtype=np.bool_)
    tried = {speaker for speaker, same in zip(speakers, truth.tolist(), strict=True) if same}
    n_targets = int(np.count_nonzero(truth))
    return (
        len(tried) >= FEWEST_SPEAKERS
        and n_targets >= FEWEST_TARGETS
        and len(truth) - n_targets >= FEWEST_NONTARGETS
    )


def recalibrate(
    background: Calibration, llr: ArrayLike, target: ArrayLike, speakers: Sequence[str]
) -> tuple[Calibration, Json]:
    """The background's calibration, scaled and moved to suit trials of the speakers enrolled.

    How much each score and the length of speech count stays as many background speakers taught it; two
    numbers are learned, and held to 1 and 0 the more the fewer speakers there are: they are the most probable
    ones under a normal prior of the spreads `SPREAD`, with trials that count for `effective_trials`.

    Parameters
    ----------
    background : Calibration
        Learned from the background.
    llr : array-like of shape (n,), float64
        What it gives for each trial, nats.
    target : array-like of shape (n,), bool
        Whether each is a target trial.
    speakers : sequence of str of length n
        Who speaks in the test of each.

    Returns
    -------
    calibration : Calibration
        It reads what the background's does.
    about : dict
        The scale and the offset; `scale` is never under 0: where the trials say so, scores count nothing.

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
    precision = tuple(1 / (effective_trials(own) * spread**2) for spread in SPREAD)
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
