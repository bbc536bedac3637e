"""Two systems on the same trials, under the same draws of the speakers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.verification.bootstrap import TrialSet, replicate
from audiogmm.types import BoolArray, IntArray, Json


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two systems by one measure on the same trials.

    Attributes
    ----------
    first, second : float
        The measure of each.
    low, high : float
        Interval of second - first; NaN where there were too few speakers.
    p_value : float
        Two-sided: twice the share of draws in which the difference has the other sign or is none.
    """

    first: float
    second: float
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan

    def to_json(self) -> Json:
        """Return it as a JSON object; null where a number is not finite."""
        numbers = {
            "first": self.first,
            "second": self.second,
            "difference": self.second - self.first,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
        }
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def compare(first: TrialSet, second: TrialSet, draws: Draws | None = None) -> list[Difference]:
    """Compare two systems by a paired bootstrap: both are measured under the same draws of the speakers.

    Parameters
    ----------
    first, second : TrialSet
        The same trials in the same order, with the same operating points.
    draws : Draws, optional
        How speakers are drawn. The intervals are those of the percentiles.

    Returns
    -------
    list of Difference
        In the order of `TrialSet.names`.

    Raises
    ------
    MismatchError
        If the sets are not of the same trials and points.
    """
    if first.points != second.points or not _same_trials(first, second):
        raise MismatchError(
            "two sets of different trials or operating points", needed="the same ones, in the same order"
        )
    draws = draws or Draws()
    values = np.array([trials.measure()[0] for trials in (first, second)])
    if first.n_speakers < 2:
        return [Difference(a, b) for a, b in values.T.tolist()]
    drawn = replicate([first, second], draws)
    differences = drawn[:, 1] - drawn[:, 0]
    differences = differences[np.isfinite(differences).all(axis=1)]
    if len(differences) < 2:
        return [Difference(a, b) for a, b in values.T.tolist()]
    ends = (1 - draws.confidence) / 2, (1 + draws.confidence) / 2
    low, high = np.quantile(differences, ends, axis=0)
    opposite = np.minimum((differences <= 0).sum(axis=0), (differences >= 0).sum(axis=0))
    p_values = np.minimum(1.0, 2 * (opposite + 1) / (len(differences) + 1))
    columns = zip(*values.tolist(), low.tolist(), high.tolist(), p_values.tolist(), strict=True)
    return [Difference(*column) for column in columns]


def _same_trials(first: TrialSet, second: TrialSet) -> bool:
    def unsorted(trials: TrialSet) -> tuple[IntArray, BoolArray]:
        back = np.argsort(trials.ordered.order)
        return trials.speakers[back], trials.ordered.target[back]

    return all(map(np.array_equal, unsorted(first), unsorted(second)))
