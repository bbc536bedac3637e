"""Samples into frames: which samples a stream must keep, and the noise that is added to them."""

from __future__ import annotations

import numpy as np

from audiogmm.audio.frontend.row_buffer import RowBuffer
from audiogmm.kernels.front_end.noise import add_noise
from audiogmm.timeline import FrameClock
from audiogmm.types import Samples


class Framer:
    """Keeps the samples from the first one of the next frame on.

    Parameters
    ----------
    clock : FrameClock
        Hop and length in samples.
    """

    def __init__(self, clock: FrameClock) -> None:
        self._clock = clock
        self._kept = RowBuffer(0, np.float32)
        self.next_frame = 0

    def push(self, samples: Samples) -> int:
        """Keep samples; returns how many frames they complete."""
        self._kept.append(samples)
        return self._clock.n_frames(self._kept.end) - self.next_frame

    def frames(self) -> tuple[Samples, int]:
        """Return an array, and the place in it of the next frame's first sample."""
        array, place = self._kept.rows_with_slack()
        return array, place + self._clock.first_sample(self.next_frame) - self._kept.first

    def advance(self, n_frames: int) -> None:
        """Forget the samples that no frame from `n_frames` further on needs."""
        self.next_frame += n_frames
        self._kept.discard(self._clock.first_sample(self.next_frame))


class Dither:
    """Gaussian noise by absolute sample index: the same noise however a recording is cut.

    Parameters
    ----------
    deviation : float
        Standard deviation, full scale being 1.
    seed : int
        Another seed, other noise.

    Examples
    --------
    >>> silence = np.zeros(6, np.float32)
    >>> whole, parts = Dither(1e-4, seed=0), Dither(1e-4, seed=0)
    >>> joined = np.concatenate([parts.push(silence[:2]), parts.push(silence[2:])])
    >>> np.array_equal(whole.push(silence), joined)
    True
    """

    def __init__(self, deviation: float, seed: int) -> None:
        self._deviation = deviation
        self._seed = seed
        self.position = 0

    def push(self, samples: Samples) -> Samples:
        """Return the next samples, with noise."""
        noisy = np.empty_like(samples)
        add_noise(samples, self.position, self._seed, self._deviation, noisy)
        self.position += len(samples)
        return noisy
