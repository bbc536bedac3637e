"""Noise added to a recording, as a room or a line would add it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.kernels.front_end.noise import add_noise
from audiogmm.types import Samples


@dataclass(frozen=True)
class AddedNoise:
    """Colored Gaussian noise, so many decibels below a recording's mean power.

    Attributes
    ----------
    decibels : float
        Signal-to-noise ratio: the mean power of all samples over that of the noise.
    color : float
        From 0 (white) towards 1 (red): the coefficient of a first-order recursion.
    seed : int
        Another seed, other noise.

    Raises
    ------
    ChoiceError
        If the ratio is not finite, or the color is outside [0, 1).

    Examples
    --------
    >>> samples = np.sin(np.arange(80000, dtype=np.float32))
    >>> stream = NoiseStream(AddedNoise(20.0, color=0.5), power=0.5)
    >>> round(10 * np.log10(0.5 / np.mean((stream.push(samples) - samples) ** 2)))
    20
    """

    decibels: float
    color: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not np.isfinite(self.decibels):
            raise ChoiceError(f"a signal-to-noise ratio of {self.decibels} dB", needed="a finite number")
        if not 0 <= self.color < 1:
            raise ChoiceError(f"a color of {self.color}", needed="at least 0 and under 1")


class NoiseStream:
    """Adds noise to samples as they pass; the same noise however a recording is cut.

    Parameters
    ----------
    noise : AddedNoise
        Which.
    power : float
        Mean power of the recording.
    """

    def __init__(self, noise: AddedNoise, power: float) -> None:
        self._noise = noise
        # the recursion v = color * v + w has a variance of 1 / (1 - color^2) times that of w
        self._deviation = float(np.sqrt(power * 10 ** (-noise.decibels / 10) * (1 - noise.color**2)))
        self._position = 0
        self._state = np.zeros(1)

    def push(self, samples: Samples) -> Samples:
        """Return the next samples, float32, with noise."""
        from scipy.signal import lfilter

        white = np.zeros(len(samples), np.float32)
        add_noise(white, self._position, self._noise.seed, self._deviation, white)
        self._position += len(samples)
        if not len(samples):
            return samples
        colored, self._state = lfilter(
            [1.0], [1.0, -self._noise.color], white.astype(np.float64), zi=self._state
        )
        return (samples + colored).astype(np.float32)
