"""The changes of an event by name: which bands, or columns, are louder or quieter than expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audiogmm.anomaly.counterfactual import ShiftSearch, covariance_of
from audiogmm.anomaly.ranges import Ranges
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray, Json

WHOLE = 0.6
"""Share of the best range's gain from which a change of all bands is called a change of level."""

NEARLY_ALL = 0.8
"""A change of this share of the bands is one of level: the outermost may lie on the logarithm's floor."""

NARROWER = 0.97
"""Share of the best range's gain from which a narrower range is named in its place."""

TONE = 2
"""A steady excess in at most this many bands is called a tone."""

STEADY = 0.93
"""Of a steady change, the amounts in the frames sum to this share of their sizes' sum, or more."""

PIECES, ALIKE = 4, 3.0
"""A change is alike in frames if its median in each of so many pieces is that of all, within so many dB."""

FURTHER, MOST_RANGES = 0.1, 3
"""A further range is named if undoing it too gains this share of the loss; at most this many ranges."""


@dataclass(frozen=True, eq=False)
class ChangeSearch:
    """Names the ranges of bands, or the columns, whose change explains most of a loss of likelihood.

    Parameters
    ----------
    mixture : Mixture
        The model.
    ranges : Ranges
        What changes are named by.
    """

    mixture: Mixture
    ranges: Ranges

    @cached_property
    def shifts(self) -> ShiftSearch:
        """Tries the ranges."""
        return ShiftSearch(self.mixture, self.ranges.directions)

    def __call__(self, frames: np.ndarray, loss: float) -> tuple[list[Json], bool]:
        """Name the changes of frames.

        Parameters
        ----------
        frames : ndarray of shape (n_frames, n_features)
            Of the event.
        loss : float
            Their loss, nats.

        Returns
        -------
        named : list of dict
            The one that gains most first: the entry `bands` or `columns` of an explanation, see
            `EventExplainer`.
        is_level : bool
            Whether the first is a change of level.
        """
        ranges, X = self.ranges, frames.astype(np.float64)
        named: list[Json] = []
        free = np.ones(len(ranges.bounds), dtype=np.bool_)
        is_level = False
        while len(named) < MOST_RANGES and free.any():
            found = self.shifts(X)
            gains = np.where(free, found.gains, 0.0)
            best = int(np.argmax(gains >= NARROWER * gains.max()))  # the narrowest that does as well
            if not named and ranges.whole is not None and gains[ranges.whole] >= WHOLE * gains.max():
                best = ranges.whole
            if not named:
                is_level = ranges.is_level(best, NEARLY_ALL)
            gain, amounts = float(gains[best]), found.amounts[best]
            if named and gain < FURTHER * loss:
                break
            share = min(1.0, max(0.0, gain / loss)) if loss > 0 else 0.0
            named.append(self._name(best, amounts, share))
            free &= ~ranges.overlapping(best)
            X = X - amounts[:, None] * ranges.directions[best]
        return named, is_level

    def _name(self, index: int, amounts: FloatArray, share: float) -> Json:
        amount = float(np.median(amounts))
        size = float(np.abs(amounts).sum())
        steady = abs(float(amounts.sum())) / size if size else 0.0
        if self.ranges.bands is None:
            column = int(self.ranges.bounds[index, 0])
            deviations = amount / float(np.sqrt(self._variances[column]))
            found = {"column": column, "amount": amount, "deviations": deviations}
            return found | {"share": share, "steady": steady}
        low, high = self.ranges.hertz(index)
        width = int(self.ranges.bounds[index, 1] - self.ranges.bounds[index, 0])
        tone = width <= TONE and amount > 0 and steady >= STEADY
        pieces = np.array_split(amounts, PIECES) if len(amounts) >= PIECES else [amounts]
        alike = steady >= STEADY and all(abs(float(np.median(piece)) - amount) <= ALIKE for piece in pieces)
        found = {"low_hz": low, "high_hz": high, "db": amount, "share": share, "steady": steady}
        return found | {"tone": tone, "alike": alike}

    @cached_property
    def _variances(self) -> FloatArray:
        """Of each feature over the whole mixture, shape (n_features,)."""
        weights, means = self.mixture.weights, self.mixture.means
        away = np.square(means - self.mixture.center)
        own = np.stack([np.diag(covariance_of(self.mixture, k)) for k in range(len(weights))])
        variances: FloatArray = np.einsum("k,kd->d", weights, away + own)
        return variances
