"""What a long run reports: stages, how far they are, and notes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from audiogmm.runs.bar import NotebookBar, TerminalBar, in_notebook

_LOG = logging.getLogger("audiogmm")


class Progress(Protocol):
    """Receiver of what a run reports, such as a bar; see `progress_of`."""

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


class Notes(Silent):
    """The receiver that logs notes to the logger `audiogmm`, which Python prints on standard error.

    Parameters
    ----------
    bar : TerminalBar or NotebookBar, optional
        Shows the stages.
    """

    def __init__(self, bar: TerminalBar | NotebookBar | None = None) -> None:
        super().__init__()
        self._bar = bar

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """Begin a bar, where there is one."""
        if self._bar is not None:
            self._bar.begin(what, total, unit)

    def advance(self, amount: float, note: str = "") -> None:
        """Move it."""
        if self._bar is not None:
            self._bar.advance(amount, note)

    def end(self) -> None:
        """End it."""
        if self._bar is not None:
            self._bar.end()

    def say(self, message: str) -> None:
        """Log a note, but the same note only once."""
        if message not in self.messages:
            super().say(message)
            log_note(message)


def log_note(message: str) -> None:
    """Log a note as a warning, which Python prints unless the caller has set up logging differently."""
    _LOG.warning(message)


def progress_of(progress: Progress | bool | None) -> Progress:
    """Return the receiver that a caller in Python asks for.

    Parameters
    ----------
    progress : Progress, bool or None
        A receiver of the caller's own; True: a bar and notes; None: notes, and in a notebook a bar; False:
        nothing.

    Examples
    --------
    >>> progress_of(None).say("a.wav is clipped")
    >>> type(progress_of(False)).__name__
    'Silent'
    """
    if progress is False:
        return Silent()
    if progress is None or progress is True:
        bar = NotebookBar() if in_notebook() else TerminalBar() if progress else None
        return Notes(bar)
    return progress
