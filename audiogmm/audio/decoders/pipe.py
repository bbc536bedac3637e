"""Wav streams that arrive through a pipe."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING, AudioInfo, skip
from audiogmm.audio.decoders.source import ByteSource
from audiogmm.audio.decoders.wave import WaveHeader, decode_samples


class PipeDecoder:
    """A wav stream that cannot seek, decoded as it arrives; its length is known at its end at the earliest.

    Parameters
    ----------
    stream : binary file
        At the first sample, where `read_header` left it.
    header : WaveHeader
        With a `subtype` that is not "".
    n_samples : int or None
        Samples of each channel, where they are known all the same.
    opened : ExitStack
        Closed with the decoder.

    Examples
    --------
    >>> import io
    >>> header = WaveHeader(1, 8000, channels=1, width=2, data_start=44, data_size=None)
    >>> PipeDecoder(io.BytesIO(bytes([1, 0, 255, 255])), header, None, ExitStack()).read(100)
    array([[ 1],
           [-1]], dtype=int16)
    """

    def __init__(
        self, stream: ByteSource, header: WaveHeader, n_samples: int | None, opened: ExitStack
    ) -> None:
        self._opened = opened
        self._read = getattr(stream, "read1", stream.read)  # what is there now, not all that was asked for
        self._header = header
        self._left = header.data_size
        self._remainder = b""
        self.info = AudioInfo(header.sample_rate, header.channels, n_samples, f"WAV {header.subtype}")
        self.ceiling: float = CEILINGS.get(header.subtype, FLOAT_CEILING)
        self.promised = header.n_samples if n_samples is None else n_samples

    def seek(self, sample: int) -> None:
        """Read up to a sample: a pipe cannot skip."""
        skip(self, sample)

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next samples, at least one and at most `n_samples` of each channel; none at the end.

        Returns
        -------
        ndarray of shape (n, n_channels), int16 or float32
            As of `decode_samples`.
        """
        unit = self._header.width * self._header.channels
        while len(self._remainder) < unit:
            size = n_samples * unit - len(self._remainder)
            piece = self._read(size if self._left is None else min(size, self._left))
            if not piece:
                self._remainder = b""
                break
            self._left = None if self._left is None else self._left - len(piece)
            self._remainder += piece
        whole = len(self._remainder) // unit * unit
        data, self._remainder = self._remainder[:whole], self._remainder[whole:]
        return decode_samples(self._header.subtype, data).reshape(-1, self._header.channels)

    def close(self) -> None:
        """Close the stream, unless it is standard input."""
        self._opened.close()
