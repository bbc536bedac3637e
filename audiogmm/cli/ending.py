"""What is still to be done when a command has ended, whatever ended it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Ending:
    """The object of a command's context: its calls are made by `main`, with the exit status.

    Examples
    --------
    >>> ending = Ending([print])
    >>> ending(3)
    3
    """

    callbacks: list[Callable[[int], object]] = field(default_factory=list)

    def __call__(self, status: int) -> None:
        """Make the calls, the last one first."""
        while self.callbacks:
            self.callbacks.pop()(status)
