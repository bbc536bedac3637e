"""What arrives from a source: its format, its samples, and interruptions."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.types import Samples, Seconds


@dataclass(frozen=True, slots=True)
class Opened:
    """The format of the samples that follow: at the beginning, and where it changes.

    Attributes
    ----------
    at : Seconds
        Time of the next sample, on the source's clock.
    sample_rate : int
        Hertz.
    channels : int
        Number of channels before they are mixed down.
    format : str
        Such as ``WAV PCM_16``.
    """

    at: Seconds
    sample_rate: int
    channels: int
    format: str


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """The next samples, mono, shape (n_samples,), float32, full scale 1.0; at least one."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples are missing from `start` to `end` (seconds on the source's clock), for this reason."""

    start: Seconds
    end: Seconds
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The device is gone since `at`, seconds; the source waits for it."""

    at: Seconds
    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """The device is there again at `at`, after `away` seconds; an `Opened` follows."""

    at: Seconds
    away: Seconds


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the source.

    Attributes
    ----------
    reason : str
        Why it ended, for the user.
    left_over : int
        Bytes of an incomplete last sample.
    notes : tuple of str
        Remarks on the sound as a whole, such as that it is clipped.
    """

    reason: str
    left_over: int = 0
    notes: tuple[str, ...] = ()


Arrival = Opened | Sound | Gap | Lost | Back | Ended
