"""The modulation spectrum: how strongly levels vary, by how often a second."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.types import FloatArray, Seconds

SPAN: Seconds = 3.0
"""Length over which modulation is measured: the slowest has a period of about 2 s."""

SLOWEST, FASTEST, STEP = 0.5, 16.0, math.sqrt(2.0)
"""Hertz: the lower edge of the first rate band, the upper edge of the last, and their ratio."""

FAINTEST = 1e-3
"""Squared units that are added, to keep the logarithm finite where nothing varies."""


@dataclass(frozen=True, eq=False)
class Modulation:
    """Measures the modulation of a few tracks, each a linear map of the features.

    Parameters
    ----------
    tracks : ndarray of shape (n_tracks, n_features), float64
        What varies: such as the mean level of all bands, and those of low, middle and high ones, decibels.
    frame_rate : float
        Frames a second.

    Examples
    --------
    >>> modulation = Modulation(np.ones((1, 1)), 100.0)
    >>> beat = 6 * np.sin(2 * np.pi * 3.0 * np.arange(300) / 100)[:, None]
    >>> strength = modulation(beat)[0]
    >>> low, high = modulation.rates[int(np.argmax(strength))]
    >>> bool(low <= 3.0 <= high), modulation.span
    (True, 300)
    """

    tracks: FloatArray
    frame_rate: float

    @property
    def span(self) -> int:
        """Frames over which modulation is measured."""
        return max(1, round(SPAN * self.frame_rate))

    @property
    def rates(self) -> FloatArray:
        """Lower and upper edge of each rate band, shape (n_rates, 2), hertz; may be empty."""
        step = self.frame_rate / self.span
        count = round(math.log(FASTEST / SLOWEST) / math.log(STEP))
        edges = [SLOWEST * STEP**i for i in range(count + 1)]
        lines = sorted(
            {max(1, round(edge / step)) for edge in edges}
        )  # of the spectrum: a band has one at least
        lines = [line for line in lines if line * step <= self.frame_rate / 2]
        bounds = (np.array(lines, dtype=np.float64) - 0.5) * step
        return np.stack([bounds[:-1], bounds[1:]], axis=1) if len(bounds) > 1 else np.empty((0, 2))

    @property
    def n_values(self) -> int:
        """Numbers that describe one span: tracks by rate bands."""
        return len(self.tracks) * len(self.rates)

    def __call__(self, frames: np.ndarray) -> FloatArray:
        """Measure the strength of modulation, shape (n_tracks, n_rates), decibels.

        Parameters
        ----------
        frames : ndarray of shape (span, n_features)
            Consecutive ones.
        """
        n = len(frames)
        values = np.einsum("td,nd->tn", self.tracks, frames.astype(np.float64))
        values -= values.mean(axis=1, keepdims=True)
        power = np.abs(np.fft.rfft(values * np.hanning(n), axis=1)) ** 2 / n
        hertz = np.fft.rfftfreq(n, 1.0 / self.frame_rate)
        sums = [power[:, (hertz >= low) & (hertz < high)].sum(axis=1) for low, high in self.rates]
        if not sums:
            return np.empty((len(self.tracks), 0))
        strength: FloatArray = 10.0 * np.log10(np.stack(sums, axis=1) + FAINTEST)
        return strength
