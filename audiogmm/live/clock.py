"""Time as it passes in the room, beside the time that samples count."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from audiogmm.live.stop import Stop
from audiogmm.types import Seconds


class Clock(Protocol):
    """What tells the time, and waits; a test brings one of its own."""

    def monotonic(self) -> Seconds:
        """Seconds since some moment; never goes back."""
        ...

    def stamp(self) -> str:
        """The date and time of day, ISO 8601, in UTC."""
        ...

    def pause(self, stop: Stop, seconds: Seconds) -> bool:
        """Wait so long, or until a stop is asked for; whether it was."""
        ...


class WallClock:
    """The system's clock.

    Examples
    --------
    >>> WallClock().monotonic() <= WallClock().monotonic(), WallClock().stamp()[-6:]
    (True, '+00:00')
    """

    def monotonic(self) -> Seconds:
        """See `Clock`."""
        return time.monotonic()

    def stamp(self) -> str:
        """See `Clock`."""
        return datetime.now(UTC).isoformat(timespec="milliseconds")

    def pause(self, stop: Stop, seconds: Seconds) -> bool:
        """See `Clock`."""
        return stop.wait(seconds)
