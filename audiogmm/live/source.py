"""Where sound comes from, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from audiogmm.live.arrival import Arrival
from audiogmm.live.stop import Stop
from audiogmm.types import Seconds

Idle = Callable[[Seconds], None]
"""Is told how long nothing has arrived, once each `Waiting.patience`."""


@dataclass(frozen=True)
class Waiting:
    """How a source waits.

    Attributes
    ----------
    stop : Stop
        Ends the wait, and with it the source.
    idle : callable
        See `Idle`.
    patience : Seconds or None
        Wall time without sound after which `idle` is called; None: never.
    """

    stop: Stop
    idle: Idle
    patience: Seconds | None


class Source(Protocol):
    """Sound that arrives."""

    @property
    def name(self) -> str:
        """As lines name it."""
        ...

    @property
    def drops(self) -> bool:
        """Whether sound that is not taken in time is lost, as a microphone's is; a pipe waits."""
        ...

    @property
    def queued(self) -> Seconds:
        """Sound that has arrived and was not taken yet."""
        ...

    def arrivals(self, waiting: Waiting) -> Iterator[Arrival]:
        """What arrives, in order; an `Ended` is last. To be iterated once.

        Raises
        ------
        AudioGMMError
            While iterating: what cannot be used, or is not there.
        """
        ...
