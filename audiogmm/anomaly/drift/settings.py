"""When a departure gets a verdict, and how often a wrong one may come."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.types import Seconds


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """How drift is judged; chosen on synthesized wandering sound and on three bearings (docs/drift.md).

    Attributes
    ----------
    hold : Seconds
        A departure that lasts as long gets a verdict.
    fewest : int
        Blocks at least until then, where blocks are far apart.
    memory : int
        Blocks over which the level is followed: the time constant of exponential forgetting.
    hours : float
        Of steady sound, in which one departure is begun in error, at most; few of them last to a verdict.
    allowance : float
        Of the CUSUM, in deviations of the log distance of normal blocks.
    outside : float
        Deviations of the wandering of normal audio by which a departure that lasts must have moved some band;
        what has not is within that wandering, and followed without a word.
    slow : float
        Deviations by which a trend over many spans must differ from the wandering of normal audio.
    least : float
        Decibels under which a slow trend is not worth a word.
    """

    hold: Seconds = 480.0
    fewest: int = 12
    memory: int = 60
    hours: float = 100.0
    allowance: float = 2.0
    outside: float = 2.5
    slow: float = 4.5
    least: float = 1.0
