"""When an input began on the clock of the world."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.errors import ChoiceError
from audiogmm.live.clock import Clock
from audiogmm.types import Seconds
from audiogmm.wall_clock import NEEDED, parse_time


@dataclass
class StartTime:
    """When an input's clock showed 0.

    Attributes
    ----------
    zero : Seconds or None
        As `audiogmm.wall_clock` has it; None where it is not known.
    is_live : bool
        Whether that follows from the present time, each time the input is opened.

    Examples
    --------
    >>> StartTime(100.0).at(2.5), StartTime().at(2.5)
    (102.5, None)
    """

    zero: Seconds | None = None
    is_live: bool = False

    @classmethod
    def parse(cls, text: str) -> StartTime:
        """Read a time, or ``now``.

        Raises
        ------
        ChoiceError
            If it is none.
        """
        if text == "now":
            return cls(is_live=True)
        try:
            return cls(parse_time(text))
        except ValueError as error:
            what, _, needed = str(error).partition("; needed: ")
            raise ChoiceError(f"--began: {what}", needed=f"now, or {needed or NEEDED}") from error

    def opened(self, at: Seconds, clock: Clock) -> None:
        """Note that the input is opened, and its clock shows `at`."""
        if self.is_live:
            self.zero = parse_time(clock.stamp()) - at

    def at(self, time: Seconds) -> Seconds | None:
        """Return when the input's clock shows a time; None where that is not known."""
        return None if self.zero is None else self.zero + time
