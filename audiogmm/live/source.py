"""What every source of sound promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from audiogmm.live.arrival import Arrival
from audiogmm.live.stop import Stop
from audiogmm.types import Seconds

Idle = Callable[[Seconds], None]
"""Called with the seconds without a sample, once each `WaitPolicy.patience`."""


@dataclass(frozen=True)
class WaitPolicy:
    """How a source waits.

    Attributes
    ----------
    stop : Stop
        Ends the wait and the source.
    idle : callable
        See `Idle`.
    patience : Seconds or None
        Wall time without a sample after which `idle` is called; None: never.
    """

    stop: Stop
    idle: Idle
    patience: Seconds | None


class Source(Protocol):
    """A source of samples, such as `Pipe`, `File` and `Microphone`."""

    @property
    def name(self) -> str:
        """Name of the source in lines."""
        ...

    @property
    def drops(self) -> bool:
        """Whether samples that are not read in time are lost (a microphone), or wait (a pipe)."""
        ...

    @property
    def queued(self) -> Seconds:
        """Sound that has arrived and was not read yet."""
        ...

    def arrivals(self, waiting: WaitPolicy) -> Iterator[Arrival]:
        """Yield what arrives, in order, an `Ended` last; to be iterated once.

        Raises
        ------
        AudioGMMError
            While iterating: if the source is not there, or cannot be used.
        """
        ...
