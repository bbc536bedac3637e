"""From interleaved channels to mono, while levels are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.levels import Levels
from audiogmm.errors import AudioFileError
from audiogmm.kernels.front_end.pcm import mix
from audiogmm.types import Samples
from audiogmm.words import amount


class Mixdown:
    """Average the channels, or take one, exactly as `open_audio` does.

    Parameters
    ----------
    name : str
        Name of the source, for messages.
    sample_rate : int
        Hertz.
    channels : int
        Number of channels.
    channel : int or None
        The channel to take, from 0; None: the mean of all.
    ceiling : float
        Full scale, in the units of the samples.

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
        self, name: str, sample_rate: int, channels: int, channel: int | None, ceiling: float
    ) -> None:
        if channel is not None and not 0 <= channel < channels:
            raise AudioFileError(
                f"{name} has {amount(channels, 'channel')}, so there is no channel {channel}",
                needed=f"a channel from 0 to {channels - 1}",
                remedy="--channel, counted from 0; without it all channels are mixed down",
            )
        self._span = (0, channels) if channel is None else (channel, channel + 1)
        self._levels = Levels(name, sample_rate, range(*self._span), ceiling)
        self.n_samples = 0

    def mono(self, interleaved: NDArray[Any]) -> Samples:
        """Mix samples of shape (n, channels), int16 or float32, down to shape (n,), float32.

        Raises
        ------
        AudioDataError
            If one of them is NaN, infinite, or out of range; the message names its time.
        """
        self._levels.add(interleaved, self.n_samples)
        self.n_samples += len(interleaved)
        scale = np.float32(2.0**-15 if interleaved.dtype == np.int16 else 1.0)
        mono = np.empty(len(interleaved), np.float32)
        mix(interleaved, *self._span, scale, mono)
        return mono

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about the levels so far."""
        verdict = self._levels.verdict()
        return () if verdict is None else (verdict,)
