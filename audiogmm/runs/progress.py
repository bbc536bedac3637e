"""What a long job says while it runs, whoever listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Listener of a job. The command line draws a bar; a notebook may draw its own."""

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """A stage of work starts: `total` units of it, or None where that is not known."""
        ...

    def advance(self, amount: float, note: str = "") -> None:
        """`amount` units more are done; `note` is the latest figure worth reading."""
        ...

    def end(self) -> None:
        """The stage is over."""
        ...

    def say(self, message: str) -> None:
        """Something that the user should know, and that is no failure."""
        ...


def say_nothing(_: str) -> None:
    """Take a note and keep it to oneself: where another stage, or the caller, says it."""


@contextmanager
def stopped_by_hand(message: str) -> Iterator[None]:
    """Let Ctrl-C say how to go on, unless it does already.

    Examples
    --------
    >>> try:
    ...     with stopped_by_hand("the same command goes on"):
    ...         raise KeyboardInterrupt
    ... except KeyboardInterrupt as stopped:
    ...     print(stopped)
    the same command goes on
    """
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(" ".join([message, *map(str, stopped.args)])) from stopped


class Silent:
    """The listener that does nothing, except to keep what was said in `messages`.

    Examples
    --------
    >>> listener = Silent()
    >>> listener.say("a.wav is clipped")
    >>> listener.messages
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
