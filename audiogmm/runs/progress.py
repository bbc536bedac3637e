"""What a long run reports: stages, how far they are, and notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receiver of what a run reports. The command line draws a bar; a notebook may draw its own."""

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """Begin a stage of `total` units of work, or None where that is not known."""
        ...

    def advance(self, amount: float, note: str = "") -> None:
        """Count `amount` more units as done; `note` is the latest figure worth reading."""
        ...

    def end(self) -> None:
        """End the stage."""
        ...

    def say(self, message: str) -> None:
        """Show something that the user should know, and that is no failure."""
        ...


def say_nothing(_: str) -> None:
    """Drop a note: where another stage, or the caller, says it."""


@contextmanager
def stopped_by_hand(message: str) -> Iterator[None]:
    """Let Ctrl-C say how to continue, before what it says already.

    Examples
    --------
    >>> try:
    ...     with stopped_by_hand("the same command continues"):
    ...         raise KeyboardInterrupt
    ... except KeyboardInterrupt as stopped:
    ...     print(stopped)
    the same command continues
    """
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(" ".join([message, *map(str, stopped.args)])) from stopped


class Silent:
    """The receiver that does nothing, except to keep what was said in `messages`.

    Examples
    --------
    >>> progress = Silent()
    >>> progress.say("a.wav is clipped")
    >>> progress.messages
    ['a.wav is clipped']
    """

    def __init__(self) -> None:
        self.messages: list[str] = []

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """Do nothing."""

    def advance(self, amount: float, note: str = "") -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def say(self, message: str) -> None:
        """Keep the message."""
        self.messages.append(message)
