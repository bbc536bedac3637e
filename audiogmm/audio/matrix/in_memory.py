"""Tables in memory: matrices, and data frames of pandas, polars and Arrow."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.matrix.columns import Column, Kind
from audiogmm.errors import FeatureError
from audiogmm.manifest.dataframe import DataFrame
from audiogmm.manifest.in_memory import MemoryEntry


class MemoryReader:
    """Rows of the table of a `MemoryEntry`, of which only the block at hand is copied.

    Raises
    ------
    FeatureError
        If a column's cells are not numbers, or not lists of one length.
    """

    def __init__(self, entry: MemoryEntry) -> None:
        self._name = entry.path
        is_matrix = isinstance(entry.data, np.ndarray) and entry.data.dtype.names is None
        self._matrix: NDArray[Any] | None = entry.data if is_matrix else None
        self._frame = None if is_matrix else DataFrame(entry.data)

    def header(self) -> list[Column]:
        """Return the columns; those of a matrix have no names."""
        if self._frame is None:
            assert self._matrix is not None
            return [Column("")] * self._matrix.shape[1]
        return [self._column(name, place) for place, name in enumerate(self._frame.names)]

    def rows(self, first: int, block: int, places: tuple[int, ...] | None = None) -> Iterator[NDArray[Any]]:
        """Yield blocks of at most `block` rows, from row `first` on, of the columns at `places`."""
        if self._frame is None:
            assert self._matrix is not None
            for start in range(first, len(self._matrix), block):
                window = self._matrix[start : start + block]
                yield window if places is None else window[:, places]
            return
        wanted = range(len(self._frame.names)) if places is None else places
        for start in range(first, len(self._frame), block):
            stop = min(start + block, len(self._frame))
            cells = [self._numbers(place, start, stop) for place in wanted]
            yield cells[0] if cells[0].ndim == 2 and len(cells) == 1 else np.column_stack(cells)

    def texts(self, place: int, first: int, block: int) -> Iterator[NDArray[Any]]:
        """Yield the cells of a column, at most `block` at once, from row `first` on."""
        frame = self._frame
        for start in range(first, len(frame or ()), block):
            assert frame is not None
            yield frame.column(place, start, min(start + block, len(frame)))

    def _column(self, name: str, place: int) -> Column:
        assert self._frame is not None
        cells = self._frame.column(place, 0, 100)
        example = next((cell for cell in cells if cell is not None), None)
        kind = _kind(cells, example)
        holds = f"{str(example)!r} in its first rows" if isinstance(example, str) else str(cells.dtype)
        return Column(name, kind, holds)

    def _numbers(self, place: int, start: int, stop: int) -> NDArray[Any]:
        assert self._frame is not None
        cells = self._frame.column(place, start, stop)
        if cells.dtype != object:
            return cells
        try:
            if _kind(cells, next((cell for cell in cells if cell is not None), None)) == "lists":
                return np.stack([np.asarray(cell, dtype=np.float64) for cell in cells])
            return np.array([np.nan if _is_missing(cell) else float(cell) for cell in cells])
        except (TypeError, ValueError) as error:
            raise FeatureError(
                f"{self._name}: column {self._frame.names[place]!r}, rows {start} up to {stop} (counted from "
                f"0): {error}",
                needed="numbers, or lists of numbers of one length",
                remedy=f"exclude=[{self._frame.names[place]!r}] leaves the column out",
            ) from error


def _kind(cells: NDArray[Any], example: object) -> Kind:
    if cells.ndim == 2 or isinstance(example, list | np.ndarray):
        return "lists"
    if cells.dtype.kind in "Mm" or isinstance(example, datetime.date | datetime.time | datetime.timedelta):
        return "time"
    if cells.dtype.kind in "fiub" or (cells.dtype == object and (example is None or _is_number(example))):
        return "number"
    return "text"


def _is_number(cell: object) -> bool:
    return isinstance(cell, numbers.Real) or hasattr(cell, "as_tuple") or _is_missing(cell)  # a Decimal


def _is_missing(cell: object) -> bool:
    return cell is None or str(cell) == "<NA>"
