"""The interface of every decoder, and what a recording's header says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from audiogmm.types import Seconds

CEILINGS = {"PCM_16": 32767, "PCM_U8": 127 << 8, "PCM_S8": 127 << 8, "ULAW": 32124, "ALAW": 32256}
"""Formats that int16 holds exactly, and the largest value of each: full scale."""

LOWEST_RATE, HIGHEST_RATE = 100, 10_000_000
"""Hertz: geophones have the lowest rates, acoustic emission the highest; others are damage in a header."""

FLOAT_CEILING = 32767 / 32768
"""Full scale of every other format, read as float32."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of a recording says.

    Attributes
    ----------
    sample_rate : int
        Hertz.
    channels : int
        Number of channels.
    n_samples : int or None
        Samples of each channel in the whole recording; None if that is not known before its end (a pipe).
    format : str
        Container and sample format, as ``WAV PCM_16``.
    """

    sample_rate: int
    channels: int
    n_samples: int | None
    format: str

    @property
    def duration(self) -> Seconds | None:
        """Length of the whole recording in seconds, if known.

        Examples
        --------
        >>> AudioInfo(sample_rate=8000, channels=1, n_samples=2000, format="WAV PCM_16").duration
        0.25
        """
        return None if self.n_samples is None else self.n_samples / self.sample_rate


class Decoder(Protocol):
    """An open recording.

    Attributes
    ----------
    info : AudioInfo
    ceiling : float
        Full scale, in the units of what `read` returns.
    promised : int or None
        Samples of each channel that the header promises, where it is reliable: fewer are
        a truncated file.
    notes : tuple of str
        What deserves a warning, once all has been read.
    """

    info: AudioInfo
    ceiling: float

    @property
    def promised(self) -> int | None:
        """Samples of each channel that are promised."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings."""
        ...

    def seek(self, sample: int) -> None:
        """Go to a sample, counted from the recording's first."""
        ...

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next 1 to `n_samples` samples, shape (n, n_channels), int16 or float32; none at the end.

        The array may be overwritten by the next call.
        """
        ...

    def close(self) -> None:
        """Close all that is open."""
        ...


def skip(decoder: Decoder, n_samples: int) -> None:
    """Read samples and drop them; stop at the end of the recording."""
    while n_samples > 0 and (got := len(decoder.read(min(n_samples, 65536)))):
        n_samples -= got
