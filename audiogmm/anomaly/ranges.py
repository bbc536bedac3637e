"""What changes are named by: ranges of neighboring bands, or single columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiogmm.anomaly.bands import BandMap
from audiogmm.types import FloatArray

GROWTH = 1.25
"""Ratio of one width of a range to the next: they are tried at every place."""

NOTHING = 1e-6
"""Share of the longest direction under which a direction is zero: features that do not contain the level."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """Changes with a name, narrow ones first.

    Attributes
    ----------
    bounds : ndarray of shape (n, 2), int64
        First band (or column) of each range, and the one behind its last.
    directions : ndarray of shape (n, n_features), float64
        What one decibel more in that range (or 1 more in that column) does to the features.
    whole : int or None
        The range of all bands: a change of level. None where the features do not contain the level.
    bands : BandMap or None
        The bands; None for columns.
    """

    bounds: NDArray[np.int64]
    directions: FloatArray
    whole: int | None
    bands: BandMap | None

    @classmethod
    def of_bands(cls, bands: BandMap) -> Ranges:
        """Make all ranges of some widths.

        Features describe a smoothed spectrum, so one decibel more in some bands is, to the features, what
        the pseudo-inverse of the map gives: for cepstra, their cosine transform.

        Examples
        --------
        >>> hertz = np.array([[100.0, 200.0, 300.0], [200.0, 300.0, 400.0], [300.0, 400.0, 500.0]])
        >>> ranges = Ranges.of_bands(BandMap(2 * np.eye(3), np.zeros(3), hertz, True))
        >>> ranges.bounds.tolist(), ranges.whole
        ([[0, 1], [1, 2], [2, 3], [0, 2], [1, 3], [0, 3]], 5)
        >>> ranges.directions[5], ranges.hertz(1), ranges.hertz(3)
        (array([0.5, 0.5, 0.5]), (250.0, 350.0), (150.0, 350.0))
        """
        inverse = np.linalg.pinv(bands.matrix)
        bounds = [
            (first, first + width)
            for width in _widths(bands.n_bands)
            for first in range(bands.n_bands - width + 1)
        ]
        directions = np.stack([inverse[:, first:stop].sum(axis=1) for first, stop in bounds])
        lengths = np.sqrt(np.square(directions).sum(axis=1))
        known = lengths > NOTHING * lengths.max()
        if not bands.absolute:
            known[-1] = False
        whole = int(known.sum()) - 1 if known[-1] else None
        return cls(np.array(bounds, dtype=np.int64)[known], directions[known], whole, bands)

    @classmethod
    def of_columns(cls, static: NDArray[np.int64], n_features: int) -> Ranges:
        """Make a range for each column of a feature matrix.

        Examples
        --------
        >>> Ranges.of_columns(np.arange(2), 2).bounds.tolist()
        [[0, 1], [1, 2]]
        """
        return cls(np.stack([static, static + 1], axis=1), np.eye(n_features)[static], None, None)

    def hertz(self, index: int) -> tuple[float, float]:
        """Return where a range of bands begins and ends: at half the height of its outermost triangles."""
        assert self.bands is not None
        first, last = int(self.bounds[index, 0]), int(self.bounds[index, 1]) - 1
        hertz = self.bands.hertz
        return float(hertz[first, :2].mean()), float(hertz[last, 1:].mean())

    def is_level(self, index: int, share: float) -> bool:
        """Whether a range holds at least this share of the bands, and the features contain their level.

        Examples
        --------
        >>> bands = BandMap(np.eye(10), np.zeros(10), np.ones((10, 3)), True)
        >>> ranges = Ranges.of_bands(bands)
        >>> [ranges.is_level(index, 0.8) for index in (0, -1)]
        [False, True]
        """
        first, stop = self.bounds[index].tolist()
        return (
            self.whole is not None and self.bands is not None and stop - first >= share * self.bands.n_bands
        )

    def overlapping(self, index: int) -> NDArray[np.bool_]:
        """Mark the ranges that share a band with this one, or touch it, shape (n,)."""
        first, stop = self.bounds[index]
        shared: NDArray[np.bool_] = (self.bounds[:, 0] <= stop) & (self.bounds[:, 1] >= first)
        return shared


def _widths(n: int) -> list[int]:
    """Widths from 1 to n, each at least one more than the last."""
    widths = [1]
    while widths[-1] < n:
        widths.append(min(n, max(widths[-1] + 1, round(widths[-1] * GROWTH))))
    return widths
