"""Raw samples: their formats, and their decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING
from audiogmm.audio.decoders.pcm_samples import decode_samples
from audiogmm.audio.decoders.wave import WaveHeader
from audiogmm.errors import ChoiceError

ENCODINGS = {
    "u8": ("PCM_U8", 1, False),
    "s8": ("PCM_S8", 1, False),
    "s16le": ("PCM_16", 2, False),
    "s16be": ("PCM_16", 2, True),
    "s24le": ("PCM_24", 3, False),
    "s24be": ("PCM_24", 3, True),
    "s32le": ("PCM_32", 4, False),
    "s32be": ("PCM_32", 4, True),
    "f32le": ("FLOAT", 4, False),
    "f32be": ("FLOAT", 4, True),
    "f64le": ("DOUBLE", 8, False),
    "f64be": ("DOUBLE", 8, True),
    "alaw": ("ALAW", 1, False),
    "mulaw": ("ULAW", 1, False),
}
"""ffmpeg's names of raw formats: libsndfile's name, bytes per sample, and whether it is big-endian."""

HIGHEST_RATE = 10_000_000
"""Hertz; anything higher is a typing error."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """The format of interleaved samples in a stream of bytes.

    Attributes
    ----------
    subtype : str
        libsndfile's name of the sample format.
    width : int
        Bytes per sample of one channel.
    sample_rate : int
        Hertz.
    channels : int
        Number of interleaved channels.
    swapped : bool
        Whether the bytes are big-endian.
    container : str
        ``WAV`` or ``RAW``.

    Examples
    --------
    >>> form = Pcm.parse("s16be:8000:2")
    >>> form.sample_rate, form.unit, form.decode(bytes([0, 1, 0xFF, 0xFF]))
    (8000, 4, array([[ 1, -1]], dtype=int16))
    """

    subtype: str
    width: int
    sample_rate: int
    channels: int
    swapped: bool = False
    container: str = "RAW"

    @classmethod
    def parse(cls, text: str) -> Pcm:
        """Parse ``ENCODING:RATE[:CHANNELS]``, such as ``s16le:16000:1``.

        Raises
        ------
        ChoiceError
            If a part is wrong; the message names it.
        """
        example = "ENCODING:RATE[:CHANNELS], such as s16le:16000:1"
        encoding, *numbers = text.strip().lower().split(":")
        if encoding not in ENCODINGS:
            raise ChoiceError(
                f"raw format {text!r}: {encoding!r} is not an encoding",
                needed=example,
                remedy="one of " + ", ".join(ENCODINGS),
            )
        if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
            raise ChoiceError(f"raw format {text!r}", needed=example)
        rate, channels = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 1
        if not 1 <= rate <= HIGHEST_RATE or not 1 <= channels <= 1024:
            raise ChoiceError(
                f"raw format {text!r}: {rate} Hz and {channels} channels",
                needed=f"1 to {HIGHEST_RATE} Hz, and 1 to 1024 channels",
                remedy=example,
            )
        subtype, width, swapped = ENCODINGS[encoding]
        return cls(subtype, width, rate, channels, swapped)

    @classmethod
    def of(cls, header: WaveHeader) -> Pcm:
        """Return the format that a wav header names; its `subtype` must be known."""
        return cls(
            header.subtype, header.width, header.sample_rate, header.channels, header.swapped, container="WAV"
        )

    @property
    def unit(self) -> int:
        """Bytes per sample of all channels."""
        return self.width * self.channels

    @property
    def ceiling(self) -> float:
        """Full scale, in the units that `decode` returns."""
        return CEILINGS.get(self.subtype, FLOAT_CEILING)

    @property
    def name(self) -> str:
        """Container and sample format, such as ``WAV PCM_16``."""
        return f"{self.container} {self.subtype}"

    def decode(self, data: bytes) -> NDArray[Any]:
        """Decode whole units to shape (n, channels), int16 or float32, scaled as libsndfile does."""
        swap = self.width if self.swapped else 0
        return decode_samples(self.subtype, data, swap).reshape(-1, self.channels)
