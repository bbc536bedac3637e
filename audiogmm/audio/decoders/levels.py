"""Whether samples can be used at all, and whether a recording is clipped or silent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import AudioDataError
from audiogmm.kernels.front_end.pcm import clipped
from audiogmm.types import Seconds

CLIPPED_SHARE = 1e-3
"""A recording is called clipped if this share of its samples lies in runs of three or more at full scale."""

LOUDEST = 1e9
"""Full scale is 1.0: what is beyond this is not sound, and its power would overflow."""


class LevelCheck:
    """Checks the samples of a recording while they pass, and finds clipping and silence.

    Parameters
    ----------
    name : str
        The recording, for messages.
    sample_rate : int
        Hertz.
    channels : range
        The channels that are checked.
    ceiling : float
        Full scale, in the units of the samples.

    Examples
    --------
    >>> levels = LevelCheck("a.wav", 8000, range(1), ceiling=1.0)
    >>> levels.add(np.zeros((80, 1), np.float32), start=0)
    >>> levels.warning()
    'a.wav holds nothing but zeros: 0.010 s of digital silence'
    """

    def __init__(self, name: str, sample_rate: int, channels: range, ceiling: float) -> None:
        self._name = name
        self._sample_rate = sample_rate
        self._channels = channels
        self._ceiling = ceiling
        self._runs = np.zeros(channels.stop, np.int64)
        self._n_samples = 0
        self._n_clipped = 0
        self._peak = 0.0

    def add(self, interleaved: NDArray[Any], start: int) -> None:
        """Check the next samples.

        Parameters
        ----------
        interleaved : ndarray of shape (n_samples, n_channels), int16 or float32, C-contiguous
        start : int
            Index of the first of them in the recording.

        Raises
        ------
        AudioDataError
            If one of them is NaN, infinite, or not sound.
        """
        chosen = interleaved[:, self._channels.start : self._channels.stop]
        peak = float(max(-float(chosen.min()), float(chosen.max())))
        if interleaved.dtype == np.float32 and not peak <= LOUDEST:  # NaN passes min and max
            self._refuse(chosen, start)
        self._n_samples += len(interleaved)
        self._peak = max(self._peak, peak)
        if peak >= self._ceiling:
            span = self._channels.start, self._channels.stop
            self._n_clipped += int(clipped(interleaved, *span, self._ceiling, self._runs))
        else:
            self._runs[:] = 0

    def warning(self) -> str | None:
        """Return what deserves a warning about the recording, once it has passed; None if nothing does."""
        seconds: Seconds = self._n_samples / self._sample_rate
        if self._n_samples == 0:
            return None
        if self._peak == 0:
            return f"{self._name} holds nothing but zeros: {seconds:.3f} s of digital silence"
        share = self._n_clipped / (self._n_samples * len(self._channels))
        if share >= CLIPPED_SHARE:
            return (
                f"{self._name} is clipped: {100 * share:.1f} % of its samples lie in runs of three or more "
                "at full scale"
            )
        return None

    def _refuse(self, chosen: NDArray[np.float32], start: int) -> None:
        """Name the first sample that cannot be used."""
        bad = ~(np.abs(chosen) <= LOUDEST)
        row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
        value = float(chosen[row, column])
        what = (
            "NaN"
            if np.isnan(value)
            else "infinite"
            if np.isinf(value)
            else f"{value:.3g}, which is not sound"
        )
        where = "" if len(self._channels) == 1 else f" in channel {self._channels[int(column)]}"
        raise AudioDataError(
            f"{self._name}: the sample at {(start + int(row)) / self._sample_rate:.6f} s{where} is {what}",
            needed="finite samples with full scale at 1.0",
            remedy="find what wrote it, or cut that part out with offset and duration",
        )
