"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from audiogmm.types import Seconds


@dataclass
class Backoff:
    """Waiting times that double from `first` to `most`, each drawn from its upper half.

    So receivers that many machines wait for are not asked by all of them in the same moment.

    Parameters
    ----------
    first, most : Seconds
    random : Random
        Draws.

    Examples
    --------
    >>> backoff = Backoff(1.0, 5.0, random.Random(0))
    >>> [0.5 <= backoff.next() <= 1, 1 <= backoff.next() <= 2, 2 <= backoff.next() <= 4, backoff.next() <= 5]
    [True, True, True, True]
    """

    first: Seconds = 1.0
    most: Seconds = 300.0
    random: random.Random = field(default_factory=random.SystemRandom)
    _now: Seconds = 0.0

    def next(self) -> Seconds:
        """Return the next waiting time."""
        self._now = min(self.most, 2 * self._now or self.first)
        return self._now * self.random.uniform(0.5, 1.0)
