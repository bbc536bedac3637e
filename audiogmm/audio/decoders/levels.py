"""Whether samples can be used at all, and whether a recording is clipped, silent, or cancels in its mix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import AudioDataError
from audiogmm.kernels.front_end.pcm import clipped
from audiogmm.types import Seconds

CLIPPED_SHARE = 1e-3
"""A recording is called clipped if this share of its samples lies in runs of three or more at full scale."""

CANCELLED_SHARE = 1 / 50
"""Channels cancel if their mix has less than this share of the power that unrelated channels would leave."""

LOUDEST = 1e9
"""Full scale is 1.0: what is beyond this is not sound, and its power would overflow."""


class LevelCheck:
    """Checks the samples of a recording while they pass, and finds what should be known of them.

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
    >>> levels.warnings()
    ('a.wav holds nothing but zeros: 0.010 s of digital silence',)
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
        several = len(channels) > 1
        self._lowest: NDArray[np.float64] | None = np.full(len(channels), np.inf) if several else None
        self._highest = np.full(len(channels), -np.inf)
        self._power = self._mixed_power = 0.0

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
        if self._lowest is not None:
            self._lowest = np.minimum(self._lowest, chosen.min(axis=0))
            self._highest = np.maximum(self._highest, chosen.max(axis=0))
            wide = chosen.astype(np.float64)
            self._power += float(np.vdot(wide, wide)) / len(self._channels)
            mixed = wide.mean(axis=1)
            self._mixed_power += float(np.vdot(mixed, mixed))
        if peak >= self._ceiling:
            span = self._channels.start, self._channels.stop
            self._n_clipped += int(clipped(interleaved, *span, self._ceiling, self._runs))
        else:
            self._runs[:] = 0

    def warnings(self) -> tuple[str, ...]:
        """Return what deserves a warning about the recording, once it has passed."""
        seconds: Seconds = self._n_samples / self._sample_rate
        if self._n_samples == 0:
            return ()
        if self._peak == 0:
            return (f"{self._name} holds nothing but zeros: {seconds:.3f} s of digital silence",)
        share = self._n_clipped / (self._n_samples * len(self._channels))
        found = list(self._channel_warnings())
        if share >= CLIPPED_SHARE:
            found.append(
                f"{self._name} is clipped: {100 * share:.1f} % of its samples lie in runs of three or more "
                "at full scale"
            )
        return tuple(found)

    def _channel_warnings(self) -> Iterator[str]:
        """What mixing the channels down loses."""
        if self._lowest is None:
            return
        dead = np.flatnonzero(self._lowest == self._highest)
        first = self._channels.start
        if len(dead) and self._n_samples > 1:
            numbers = ", ".join(str(first + int(index)) for index in dead)
            plural, verb = ("s", "hold") if len(dead) > 1 else ("", "holds")
            what = "zeros" if not self._highest[dead].any() else "one value"
            yield (
                f"{self._name}: channel{plural} {numbers} {verb} nothing but {what}, and the mix of all "
                f"{len(self._channels)} channels is quieter for it; name the channel to read"
            )
        if self._mixed_power * len(self._channels) < CANCELLED_SHARE * self._power:
            lost = 10 * np.log10(self._power / max(self._mixed_power, self._power * 1e-12))
            yield (
                f"{self._name}: its channels cancel: their mix is {lost:.0f} dB below them (one is inverted?)"
                "; name the channel to read"
            )

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
