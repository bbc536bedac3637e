"""The last rows of a stream, found by their absolute index."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SLACK = 8
"""Rows past the last one that may be read (their values mean nothing): kernels load whole registers."""


class RowBuffer:
    """The rows (or samples) of a stream that are still needed: a window that moves forward.

    Appending costs what is appended; memory is bounded by the most rows that were held at once.

    Parameters
    ----------
    width : int
        Numbers in a row; 0 for a stream of single numbers.
    dtype : type
        Their type.

    Examples
    --------
    >>> kept = RowBuffer(0, np.float32)
    >>> kept.append(np.arange(5, dtype=np.float32))
    >>> kept.discard(3)
    >>> kept.first, kept.end, kept.rows.tolist()
    (3, 5, [3.0, 4.0])
    """

    def __init__(self, width: int, dtype: type) -> None:
        self._shape = (width,) if width else ()
        self._array: NDArray[Any] = np.zeros((2 * SLACK, *self._shape), dtype)
        self._offset = 0  # of absolute index 0 in the array; negative once rows were discarded
        self.first = 0
        self.end = 0

    @property
    def rows(self) -> NDArray[Any]:
        """The rows held, from absolute index `first` up to `end`; valid until the next `append`."""
        return self._array[self.first + self._offset : self.end + self._offset]

    def rows_with_slack(self) -> tuple[NDArray[Any], int]:
        """Return an array in which `SLACK` rows past `end` may be read, and the place of `first` in it."""
        return self._array, self.first + self._offset

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows behind the last one."""
        place = self.end + self._offset
        if place + len(rows) + SLACK > len(self._array):
            self._make_room(len(rows))
            place = self.end + self._offset
        self._array[place : place + len(rows)] = rows
        self.end += len(rows)

    def discard(self, before: int) -> None:
        """Forget the rows before an absolute index, as far as there are any."""
        self.first = min(max(self.first, before), self.end)

    def _make_room(self, more: int) -> None:
        """Move what is held to the front, of a larger array if it would fill more than half of this one."""
        held = self.rows
        needed = 2 * (len(held) + more + SLACK)
        target = self._array if needed <= len(self._array) else np.zeros((needed, *self._shape), held.dtype)
        target[: len(held)] = held.copy() if target is self._array else held
        self._array = target
        self._offset = -self.first
