"""Samples of the caller's own as a source: an array, or chunks of one as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING
from audiogmm.audio.mixdown import Mixdown
from audiogmm.errors import AudioDataError
from audiogmm.live.arrival import Arrival, Ended, Opened, Sound
from audiogmm.live.pcm import Pcm
from audiogmm.live.source import WaitPolicy
from audiogmm.types import Seconds
from audiogmm.words import amount


@dataclass
class Chunks:
    """Chunks of samples, in order, each taken when the one before it has been analyzed.

    Parameters
    ----------
    chunks : iterable of array-like
        Shape (n_samples,) or (n_samples, n_channels): numbers of full scale 1.0, or int16. With `raw`, bytes.
    sample_rate : int
        Hertz.
    channel : int or None
        The channel to read, from 0; None: the mean of all.
    raw : Pcm or None
        The format of chunks that are bytes; a chunk may end within a sample.
    name : str
        Name of the source in lines.
    at : Seconds
        Time of the first sample, on the source's clock.

    Raises
    ------
    AudioDataError
        While iterating: if there is no sample, one is NaN or infinite, or a chunk is not sound.
    AudioFileError
        While iterating: if there is no such channel.

    Examples
    --------
    >>> from audiogmm.live.stop import Stop
    >>> stop = Stop()
    >>> chunks = Chunks([np.zeros(3), np.ones((2, 1))], 8000)
    >>> [type(arrival).__name__ for arrival in chunks.arrivals(WaitPolicy(stop, print, None))]
    ['Opened', 'Sound', 'Sound', 'Ended']
    >>> stop.close()
    """

    chunks: Iterable[Any]
    sample_rate: int
    channel: int | None = None
    raw: Pcm | None = None
    name: str = "samples"
    at: Seconds = 0.0
    drops: bool = False

    @property
    def queued(self) -> Seconds:
        """0: a chunk is asked for when it is wanted."""
        return 0.0

    def arrivals(self, waiting: WaitPolicy) -> Iterator[Arrival]:
        """See `Source`."""
        mixdown, form = None, None
        for interleaved in self._interleaved():
            if mixdown is None:
                form = interleaved.dtype, interleaved.shape[1]
                ceiling = CEILINGS["PCM_16"] if form[0] == np.int16 else FLOAT_CEILING
                mixdown = Mixdown(self.name, self.sample_rate, form[1], self.channel, ceiling)
                format = str(form[0]) if self.raw is None else self.raw.name
                yield Opened(self.at, self.sample_rate, form[1], format)
            dtype, channels = interleaved.dtype, interleaved.shape[1]
            if (dtype, channels) != form:
                raise AudioDataError(
                    f"{self.name}: a chunk of {dtype} and {amount(channels, 'channel')}",
                    needed="the dtype and the number of channels of the first chunk",
                )
            yield Sound(mixdown.mono(interleaved))
            if waiting.stop.is_set:
                break
        if mixdown is None:
            raise AudioDataError(f"{self.name} has zero length", needed="at least one sample")
        reason = waiting.stop.reason if waiting.stop.is_set else "the input ended"
        yield Ended(reason, notes=mixdown.notes)

    def _interleaved(self) -> Iterator[NDArray[Any]]:
        """Yield chunks that are not empty, shape (n_samples, n_channels), int16 or float32."""
        held = b""
        for chunk in self.chunks:
            if self.raw is not None:
                held += chunk
                whole = len(held) // self.raw.unit * self.raw.unit
                array, held = self.raw.decode(held[:whole]), held[whole:]
            else:
                array = as_interleaved(chunk, self.name)
            if len(array):
                yield array


def as_interleaved(chunk: Any, name: str) -> NDArray[Any]:
    """Return samples as shape (n_samples, n_channels), int16 as it is, other numbers as float32.

    Raises
    ------
    AudioDataError
        If it is not a vector or a matrix of real numbers of full scale 1.0, or int16.

    Examples
    --------
    >>> as_interleaved([0.5, -0.5], "samples").shape
    (2, 1)
    >>> as_interleaved(np.zeros(3, np.int64), "samples")
    Traceback (most recent call last):
    ...
    audiogmm.errors.AudioDataError: samples: a chunk of int64, shape (3,); needed: an array of float32, \
float64 or int16, shape (n_samples,) or (n_samples, n_channels); try: bytes with raw='s16le:16000'
    """
    array = np.asarray(chunk)
    if array.ndim not in (1, 2) or not (array.dtype.kind == "f" or array.dtype == np.int16):
        what = f"{array.dtype}, shape {array.shape}" if array.dtype.kind in "iufcb" else type(chunk).__name__
        raise AudioDataError(
            f"{name}: a chunk of {what}",
            needed="an array of float32, float64 or int16, shape (n_samples,) or (n_samples, n_channels)",
            remedy="bytes with raw='s16le:16000'",
        )
    kept = array if array.dtype == np.int16 else array.astype(np.float32)
    return np.ascontiguousarray(kept.reshape(len(kept), -1) if kept.size else kept.reshape(0, 1))
