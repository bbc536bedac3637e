"""What arrives from a source: its format, its samples, and interruptions."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.types import Samples, Seconds


@dataclass(frozen=True, slots=True)
class Opened:
    """The format of the samples that follow: at the beginning, and where it changes."""

    at: Seconds  # time of the next sample, on the source's clock
    sample_rate: int  # hertz
    channels: int  # number of channels before they are mixed down
    format: str  # such as ``WAV PCM_16``


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
    """The end of the source."""

    reason: str  # why it ended, for the user
    left_over: int = 0  # bytes of an incomplete last sample
    notes: tuple[str, ...] = ()  # remarks on the sound as a whole, such as that it is clipped


Arrival = Opened | Sound | Gap | Lost | Back | Ended
