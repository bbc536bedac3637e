"""From interleaved channels to mono samples, whose level is checked on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.levels import LevelCheck
from audiogmm.errors import AudioFileError
from audiogmm.kernels.front_end.pcm import mix
from audiogmm.manifest.entry import Channel, channels_of
from audiogmm.types import Samples
from audiogmm.words import amount


class Mixdown:
    """Averages the channels in float32, in their order, or takes one of them.

    Parameters
    ----------
    name : str
        The recording, for messages.
    sample_rate : int
        Hertz.
    channels : int
        How many there are.
    channel : int, tuple of int or None
        The one wanted, or several that are averaged; None averages all.
    ceiling : float
        Full scale, in the units of the samples.
    first : int
        Index in the recording of the first sample that comes, for messages.

    Attributes
    ----------
    n_samples : int
        Samples that have passed, of each channel.

    Raises
    ------
    AudioFileError
        If there is no such channel.

    Examples
    --------
    >>> mixdown = Mixdown("a.wav", 8000, channels=2, channel=None, ceiling=32767)
    >>> mixdown.mono(np.array([[16384, 0], [-32768, -32768]], np.int16))
    array([ 0.25, -1.  ], dtype=float32)
    >>> mixdown.n_samples
    2
    """

    def __init__(
        self,
        name: str,
        sample_rate: int,
        channels: int,
        channel: Channel,
        ceiling: float,
        first: int = 0,
    ) -> None:
        chosen = channels_of(channel)
        absent = [number for number in chosen if not 0 <= number < channels]
        if absent:
            raise AudioFileError(
                f"{name} has {amount(channels, 'channel')}, so there is no channel {absent[0]}",
                needed=f"a channel from 0 to {channels - 1}",
                remedy="another channel, counted from 0, or none: all channels are then mixed down",
            )
        self._several = list(chosen) if len(chosen) > 1 else None
        if len(chosen) == 1:
            self._span = (chosen[0], chosen[0] + 1)
        else:
            self._span = (0, len(chosen) or channels)
        self._levels = LevelCheck(name, sample_rate, range(*self._span), ceiling)
        self._first = first
        self.n_samples = 0

    def mono(self, interleaved: NDArray[Any]) -> Samples:
        """Mix the next samples down.

        Parameters
        ----------
        interleaved : ndarray of shape (n_samples, n_channels), int16 or float32, C-contiguous

        Returns
        -------
        ndarray of shape (n_samples,), float32
            A new array, full scale 1.0; 16 bits become exactly their integer / 32768.

        Raises
        ------
        AudioDataError
            If one of them is NaN, infinite, or not sound; its time is named.
        """
        if self._several is not None:
            interleaved = np.ascontiguousarray(interleaved[:, self._several])
        self._levels.add(interleaved, self._first + self.n_samples)
        self.n_samples += len(interleaved)
        scale = np.float32(2.0**-15 if interleaved.dtype == np.int16 else 1.0)
        mono = np.empty(len(interleaved), np.float32)
        mix(interleaved, *self._span, scale, mono)
        return mono

    @property
    def notes(self) -> tuple[str, ...]:
        """What deserves a warning about all that has passed."""
        return self._levels.warnings()
