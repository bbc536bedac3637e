"""The latest sound of an input, and that of the events that are open."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from audiogmm.types import Samples, Seconds

LONGEST: Seconds = 60.0
"""Sound of a clip at most, from the beginning of its event on."""


class SoundRing:
    """Keep the latest samples, and from an event's beginning on up to `longest` seconds, until it is taken.

    Parameters
    ----------
    pre_roll : Seconds
        Sound before each event.
    behind : Seconds
        How far an event may lie behind the newest sound when it is first heard of.
    longest : Seconds
        Of an event.

    Examples
    --------
    >>> ring = SoundRing(pre_roll=1.0, behind=2.0)
    >>> ring.begin(4, 10.0)
    >>> for first in range(0, 24, 4):
    ...     ring.push(np.arange(first, first + 4, dtype=np.float32))
    >>> ring.take(0, 14.0, 14.25)
    array([12., 13., 14., 15., 16.], dtype=float32)
    """

    def __init__(self, pre_roll: Seconds, behind: Seconds, longest: Seconds = LONGEST) -> None:
        self._pre_roll = pre_roll
        self._behind = behind
        self._longest = longest
        self._open: dict[Any, tuple[int, int]] = {}
        self.begin(1, 0.0)

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """Begin a stretch without a gap: its rate, hertz, and its time on the input's clock."""
        self.sample_rate = sample_rate
        self._at = at
        self._n_samples = 0
        self._latest: deque[tuple[int, Samples]] = deque()
        self._held: list[tuple[int, Samples]] = []
        self._open.clear()

    @property
    def kept(self) -> int:
        """Samples that are in memory."""
        return sum(len(samples) for _, samples in [*self._latest, *self._held])

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n_samples,), float32; they are copied."""
        self._latest.append((self._n_samples, np.array(samples, np.float32)))
        self._n_samples += len(samples)
        last = self._n_samples - round((self._pre_roll + self._behind) * self.sample_rate)
        while self._latest and self._latest[0][0] + len(self._latest[0][1]) <= last:
            self._held += self._parts(*self._latest.popleft())

    def hold(self, number: Any, start: Seconds) -> None:
        """Keep the sound of an event that has begun, and has this number."""
        first = self._index(start - self._pre_roll)
        self._open[number] = (first, self._index(start + self._longest))

    def release(self, number: Any) -> None:
        """Let go of what only this event needs."""
        self._open.pop(number, None)
        if not self._open:
            self._held.clear()

    def take(self, number: Any, start: Seconds, end: Seconds) -> Samples:
        """Return the sound of an event, as far as it is kept, and release it."""
        first = self._index(start - self._pre_roll)
        last = self._index(min(end, start + self._longest))
        found = [
            samples[max(0, first - at) : max(0, last - at)] for at, samples in [*self._held, *self._latest]
        ]
        self.release(number)
        return np.concatenate([np.zeros(0, np.float32), *found])

    def _index(self, time: Seconds) -> int:
        return max(0, round((time - self._at) * self.sample_rate))

    def _parts(self, at: int, samples: Samples) -> list[tuple[int, Samples]]:
        """The part of samples that open events need."""
        if not self._open:
            return []
        first = min(first for first, _ in self._open.values())
        last = max(last for _, last in self._open.values())
        part = samples[max(0, first - at) : max(0, last - at)]
        return [(max(at, first), part)] if len(part) else []
