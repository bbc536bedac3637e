"""Wav streams that arrive through a pipe."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING, AudioInfo, skip
from audiogmm.audio.decoders.source import ByteSource
from audiogmm.audio.decoders.wave import WaveHeader, WaveReader


class PipeDecoder:
    """Wav streams whose length is known at their end at the earliest, by our own reader."""

    def __init__(
        self, stream: ByteSource, header: WaveHeader, n_samples: int | None, opened: ExitStack
    ) -> None:
        self._opened = opened
        self._reader = WaveReader(stream, header)
        self.info = AudioInfo(header.sample_rate, header.channels, n_samples, f"WAV {header.subtype}")
        self.ceiling: float = CEILINGS.get(header.subtype, FLOAT_CEILING)
        self.promised = header.n_samples if n_samples is None else n_samples

    def seek(self, sample: int) -> None:
        """Read up to a sample: a pipe cannot skip."""
        skip(self, sample)

    def read(self, n_samples: int) -> NDArray[Any]:
        """The next samples, as soon as there are some."""
        return self._reader.read(n_samples)

    def close(self) -> None:
        """Close the stream, unless it is standard input."""
        self._opened.close()
