"""What takes events, and how it says that it has not."""

from __future__ import annotations

from typing import Protocol

from audiogmm.types import Json, Seconds


class UndeliveredError(Exception):
    """A row that the receiver does not have yet; it is sent again.

    Parameters
    ----------
    reason : str
        For the user.
    after : Seconds, optional
        When to try again, where the receiver said so.
    counts : bool
        Whether it is one of a limited number of attempts.
    is_said : bool
        Whether the user knows.
    """

    def __init__(
        self, reason: str, after: Seconds | None = None, *, counts: bool = True, is_said: bool = False
    ) -> None:
        super().__init__(reason)
        self.after = after
        self.counts = counts
        self.is_said = is_said


class RefusedError(Exception):
    """A row that the receiver will never take; it is set aside."""


class Receiver(Protocol):
    """Takes rows, from threads of a `Delivery`."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def at_once(self) -> int:
        """Rows that it takes side by side; with 1 they keep their order."""
        ...

    @property
    def tries(self) -> int | None:
        """Failures after which a row is set aside; None: it is tried for ever."""
        ...

    @property
    def limit(self) -> Seconds:
        """Longest time that `send` takes."""
        ...

    def send(self, row: Json) -> None:
        """Hand a row over; return once the receiver has it.

        Raises
        ------
        UndeliveredError, RefusedError
            If it has not.
        """
        ...

    def note(self, row: Json) -> None:
        """Take a line about an event that need not arrive: it may change what is shown now. Never waits."""
        ...

    def close(self) -> None:
        """Let go of it; a `send` that still waits fails."""
        ...
