"""Samples in memory as a recording."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING, AudioInfo
from audiogmm.manifest.in_memory import MemoryEntry


class ArrayDecoder:
    """Reads the samples of a `MemoryEntry`; see `Decoder`.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.arange(6, dtype=np.int16).reshape(3, 2)
    >>> decoder = ArrayDecoder(MemoryEntry("array", id="a", sample_rate=8000, data=samples))
    >>> decoder.seek(1)
    >>> decoder.read(9).tolist(), decoder.info.channels
    ([[2, 3], [4, 5]], 2)
    """

    notes: tuple[str, ...] = ()

    def __init__(self, entry: MemoryEntry) -> None:
        assert entry.sample_rate is not None
        self._samples = entry.data
        self._at = 0
        self.info = AudioInfo(entry.sample_rate, self._samples.shape[1], len(self._samples), "array")
        self.ceiling = CEILINGS["PCM_16"] if self._samples.dtype == "int16" else FLOAT_CEILING

    @property
    def promised(self) -> int | None:
        """All of them are there."""
        return len(self._samples)

    def seek(self, sample: int) -> None:
        """Go to a sample."""
        self._at = sample

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next samples."""
        start, self._at = self._at, self._at + n_samples
        found: NDArray[Any] = self._samples[start : self._at]
        return found

    def close(self) -> None:
        """Do nothing."""
