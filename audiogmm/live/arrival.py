"""What arrives from a source: its format, sound, and everything that may come in between."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.types import Samples, Seconds


@dataclass(frozen=True, slots=True)
class Opened:
    """From here on sound has this format: at the beginning, and wherever it changes.

    Attributes
    ----------
    at : Seconds
        Time of the next sample, on the source's clock.
    sample_rate : int
        Hertz.
    channels : int
        How many there are, before they are mixed down.
    format : str
        As ``WAV PCM_16``.
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
    """Sound from `start` to `end` (seconds on the source's clock) was not heard, for this reason."""

    start: Seconds
    end: Seconds
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The device is gone since `at`; it is waited for."""

    at: Seconds
    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """The device is there again at `at`, after so many seconds; an `Opened` follows."""

    at: Seconds
    away: Seconds


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing will arrive any more.

    Attributes
    ----------
    reason : str
        Why, for people.
    left_over : int
        Bytes of a sample that was not whole.
    notes : tuple of str
        What should be known of the sound as a whole, such as that it was clipped.
    """

    reason: str
    left_over: int = 0
    notes: tuple[str, ...] = ()


Arrival = Opened | Sound | Gap | Lost | Back | Ended
