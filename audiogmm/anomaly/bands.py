"""From frames back to frequency bands: a linear map, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray


@dataclass(frozen=True, eq=False)
class BandMap:
    """Levels of frequency bands, decibels, as a linear map of feature vectors: ``matrix @ x + offset``.

    Of cepstra it is the inverse cosine transform, so the levels are smoothed over frequency: the spectral
    envelope that the kept cepstra describe. Of log-mel energies it takes the bands themselves.

    Attributes
    ----------
    matrix : ndarray of shape (n_bands, n_features), float64
        Decibels for each unit of a feature; zero for features that do not contain the level.
    offset : ndarray of shape (n_bands,), float64
        Decibels.
    hertz : ndarray of shape (n_bands, 3), float64
        Lower edge, center and upper edge of each band; neighbors overlap as mel triangles do.
    absolute : bool
        Whether the levels are those of the band; otherwise they are relative to the mean over all bands
        (c0 was left out) or to the recent mean in time (a normalization took it).

    Examples
    --------
    >>> hertz = np.array([[100.0, 200.0, 300.0], [200.0, 300.0, 400.0]])
    >>> bands = BandMap(np.eye(2, 3), np.array([0.0, 10.0]), hertz, True)
    >>> bands.levels(np.array([[1.0, 2.0, 99.0]], np.float32)), bands.grouped(1).hertz
    (array([[ 1., 12.]]), array([[100., 250., 400.]]))
    """

    matrix: FloatArray
    offset: FloatArray
    hertz: FloatArray
    absolute: bool

    @property
    def n_bands(self) -> int:
        """Bands."""
        return len(self.offset)

    def levels(self, frames: np.ndarray) -> FloatArray:
        """Compute the levels of frames of shape (n, n_features): shape (n, n_bands), float64, decibels.

        Summed feature by feature, so what a frame gets does not depend on the frames around it (a product of
        matrices rounds a row by its place).
        """
        levels = np.repeat(self.offset[None], len(frames), axis=0)
        for feature in np.flatnonzero(self.matrix.any(axis=0)).tolist():
            levels += frames[:, feature, None].astype(np.float64) * self.matrix[None, :, feature]
        return levels

    def part(self, first: int, last: int) -> BandMap:
        """Return the bands from `first` up to `last`."""
        chosen = slice(first, last)
        return replace(self, matrix=self.matrix[chosen], offset=self.offset[chosen], hertz=self.hertz[chosen])

    def grouped(self, n: int) -> BandMap:
        """Return `n` broader bands: means of the levels of neighbors, as many in each as divides evenly.

        Raises
        ------
        ChoiceError
            If there are fewer bands than that.
        """
        if not 1 <= n <= self.n_bands:
            raise ChoiceError(f"{n} groups of {self.n_bands} bands", needed=f"1 to {self.n_bands}")
        bounds = [round(i * self.n_bands / n) for i in range(n + 1)]
        parts = [slice(first, last) for first, last in pairwise(bounds)]
        hertz = [(self.hertz[p][0, 0], self.hertz[p][:, 1].mean(), self.hertz[p][-1, 2]) for p in parts]
        return replace(
            self,
            matrix=np.stack([self.matrix[part].mean(axis=0) for part in parts]),
            offset=np.array([self.offset[part].mean() for part in parts]),
            hertz=np.array(hertz),
        )
