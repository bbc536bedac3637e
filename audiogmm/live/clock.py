"""Wall time, as opposed to the time that samples count."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from audiogmm.live.stop import Stop
from audiogmm.types import Seconds


class Clock(Protocol):
    """Gives the wall time, and waits; tests replace it."""

    def monotonic(self) -> Seconds:
        """Return the seconds since a fixed moment; they never decrease."""
        ...

    def stamp(self) -> str:
        """Return the date and time of day, ISO 8601, in UTC."""
        ...

    def pause(self, stop: Stop, seconds: Seconds) -> bool:
        """Wait for so many seconds, or until a stop is requested; return whether it was."""
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
