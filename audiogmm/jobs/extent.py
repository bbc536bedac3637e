"""How much there is to do, as a progress bar counts it."""

from __future__ import annotations

from dataclasses import dataclass

HOURS = "h of audio"
"""Unit of an extent whose durations are known."""


@dataclass(frozen=True, slots=True)
class Extent:
    """An amount of recordings: hours of audio where every entry tells its duration, else their number."""

    total: float
    unit: str

    @property
    def hours(self) -> float | None:
        """Hours of audio, where known."""
        return self.total if self.unit == HOURS else None

    def part(self, seconds: float) -> float:
        """What one recording of `seconds` adds to it.

        Examples
        --------
        >>> Extent(2.0, "h of audio").part(1800), Extent(7, "recordings").part(1800)
        (0.5, 1.0)
        """
        return seconds / 3600 if self.unit == HOURS else 1.0
