"""Rows of numbers in a temporary file, read back some at a time, so that memory holds none of them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import OutputError
from audiogmm.temporaries import temporary_prefix

BLOCK_ROWS = 128
"""Rows that are worked on at a time, at most."""


class RowSpool:
    """A temporary file of rows, which is gone when the spool is closed or its process has ended.

    Rows are read, not mapped: mapped pages count as memory of the process. Threads may share a spool.

    Examples
    --------
    >>> with RowSpool() as spool:
    ...     rows = spool.put(np.arange(8.0).reshape(4, 2))
    ...     rows.take(np.array([3, 0])).read()
    array([[6., 7.],
           [0., 1.]])
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._file: IO[bytes] | None = None
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def put(self, array: NDArray[Any]) -> Rows:
        """Append an array of shape (n, ...); its rows are flat from then on.

        Raises
        ------
        OutputError
            If the temporary folder does not take it.
        """
        table = np.ascontiguousarray(array).reshape(len(array), math.prod(array.shape[1:]))
        with self._lock:
            start = self._size
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(buffering=0, prefix=temporary_prefix())  # noqa: SIM115
                self._file.seek(start)
                window = table.reshape(-1).view(np.uint8).data
                while window:
                    window = window[self._file.write(window) :]
            except OSError as error:
                raise OutputError(
                    f"rows of numbers cannot be kept in {tempfile.gettempdir()}: {error.strerror}",
                    needed="room for temporary files",
                    remedy="free some space, or set TMPDIR to another disk",
                ) from error
            self._size += table.nbytes
        step = table.shape[1] * table.itemsize
        return Rows(self, start + step * np.arange(len(table)), table.shape[1], table.dtype)

    def read_into(self, array: NDArray[Any], offset: int) -> None:
        """Fill an array, C-contiguous, from this byte on."""
        window = array.reshape(-1).view(np.uint8).data
        with self._lock:
            assert self._file is not None, "inside the `with` block only"
            self._file.seek(offset)
            while window:
                n = self._file.readinto(window)  # type: ignore[attr-defined]  # of a raw file
                if not n:
                    raise OSError(f"{self._file.name} is shorter than what was written to it")
                window = window[n:]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a spool, in any order.

    Attributes
    ----------
    spool : RowSpool
    offsets : ndarray of shape (n,), int64
        The byte at which each begins.
    n_columns : int
    dtype : dtype
    """

    spool: RowSpool
    offsets: NDArray[np.int64]
    n_columns: int
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, which: NDArray[Any] | slice) -> Rows:
        """Return some of the rows, without reading them."""
        return Rows(self.spool, self.offsets[which], self.n_columns, self.dtype)

    def read(self, columns: slice = slice(None)) -> NDArray[Any]:
        """Return the rows, or some columns of them, shape (n, n_columns)."""
        first, last, _ = columns.indices(self.n_columns)
        found = np.empty((len(self), last - first), self.dtype)
        if found.size:
            starts = self.offsets + first * self.dtype.itemsize
            is_next = np.diff(starts) == found.strides[0]  # one read for rows that lie side by side
            runs = [0, *(np.flatnonzero(~is_next) + 1).tolist(), len(found)]
            for begin, end in pairwise(runs):
                self.spool.read_into(found[begin:end], int(starts[begin]))
        return found

    def blocks(self, most: int = BLOCK_ROWS) -> Iterator[tuple[slice, Rows]]:
        """Yield blocks of nearly the same number of rows, with their places."""
        n_blocks = -(-len(self) // most)
        edges = np.linspace(0, len(self), n_blocks + 1).round().astype(int).tolist()
        for begin, end in pairwise(edges):
            yield slice(begin, end), self.take(slice(begin, end))


def join_rows(parts: list[Rows]) -> Rows:
    """Return rows of one spool and one width, one after the other."""
    return Rows(
        parts[0].spool, np.concatenate([part.offsets for part in parts]), parts[0].n_columns, parts[0].dtype
    )
