"""Two lists with common keys, read side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lookup(Generic[Value]):
    """Values by key from a list whose keys are asked for in its own order; one line is held at a time.

    The first key out of order reads the whole list into memory.

    Parameters
    ----------
    pairs : callable
        Gives an iterator of keys and values, from the start each time.

    Examples
    --------
    >>> lookup = Lookup(lambda: iter([("a", 1), ("b", 2), ("c", 3)]))
    >>> [lookup.get(key) for key in "aab"], lookup.held
    ([1, 1, 2], 1)
    >>> [lookup.get(key) for key in "axc"], lookup.held
    ([1, None, 3], 3)
    """

    def __init__(self, pairs: Callable[[], Iterator[tuple[str, Value]]]) -> None:
        self._open = pairs
        self._pairs = pairs()
        self._current: tuple[str, Value] | None = None
        self._all: dict[str, Value] | None = None

    @property
    def held(self) -> int:
        """How many values are in memory."""
        return int(self._current is not None) if self._all is None else len(self._all)

    def get(self, key: str) -> Value | None:
        """Return the value of a key, or None if there is none."""
        if self._all is None:
            if self._current is not None and self._current[0] == key:
                return self._current[1]
            self._current = next(self._pairs, None)
            if self._current is not None and self._current[0] == key:
                return self._current[1]
            self._all = dict(self._open())
        return self._all.get(key)
