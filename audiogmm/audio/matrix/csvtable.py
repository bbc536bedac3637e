"""Tables of numbers in CSV."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import open_source
from audiogmm.errors import FeatureError


class CsvReader:
    """Rows of a CSV file, UTF-8; comma, semicolon or tab, whichever the first line has.

    The first line is a header if not one of its cells is a number. Blank lines are skipped.

    Raises
    ------
    FeatureError
        With the line and the column of a cell that is not a number, or the line that has another number of
        cells.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.columns: tuple[str, ...] = ()

    def rows(self, first: int, block: int) -> Iterator[NDArray[Any]]:
        """Yield blocks of at most `block` lines, float64, from row `first` on."""
        raw = open_source(self._path, FeatureError)
        with io.TextIOWrapper(io.BufferedReader(raw), "utf-8-sig", newline="") as text:  # type: ignore[type-var]
            try:
                yield from self._parse(text, first, block)
            except UnicodeDecodeError as error:
                raise FeatureError(f"{self._path} is not text: {error}", needed="CSV in UTF-8") from error

    def _parse(self, text: io.TextIOWrapper, first: int, block: int) -> Iterator[NDArray[Any]]:
        lines: Iterator[tuple[int, str]] = (
            (number, line) for number, line in enumerate(text, 1) if line.strip()
        )
        head = next(lines, None)
        if head is None:
            return
        delimiter = max(",;\t", key=head[1].count)
        cells = next(csv.reader([head[1]], delimiter=delimiter))
        if not any(_is_number(cell) for cell in cells):
            self.columns = tuple(cell.strip() for cell in cells)
        else:
            lines = itertools.chain([head], lines)
        lines = itertools.islice(lines, first, None)
        while batch := list(itertools.islice(lines, block)):
            try:
                rows = np.loadtxt(
                    [line for _, line in batch], delimiter=delimiter, comments=None, quotechar='"', ndmin=2
                )
            except ValueError as error:
                raise self._error_in(batch, delimiter, len(cells), error) from error
            if rows.shape[1] != len(cells):
                raise self._error_in(batch, delimiter, len(cells), None)
            finite = np.isfinite(rows)
            if not finite.all():
                row, column = np.argwhere(~finite)[0]
                raise self._bad_cell(batch[row][0], int(column), str(rows[row, column]))
            yield rows

    def _error_in(
        self, batch: list[tuple[int, str]], delimiter: str, width: int, error: ValueError | None
    ) -> FeatureError:
        """Find the first bad cell or line, by reading them once more, slowly."""
        for number, line in batch:
            cells = next(csv.reader([line], delimiter=delimiter))
            if len(cells) != width:
                return FeatureError(
                    f"{self._path}, line {number}: {len(cells)} cells, and {width} in the first line",
                    needed="as many cells in every line",
                )
            for column, cell in enumerate(cells):
                if not _is_number(cell):
                    return self._bad_cell(number, column, repr(cell))
        return FeatureError(f"{self._path}, lines {batch[0][0]} to {batch[-1][0]}: {error}", needed="numbers")

    def _bad_cell(self, number: int, column: int, value: str) -> FeatureError:
        label = f"column {self.columns[column]!r}" if self.columns else f"column {column + 1}"
        return FeatureError(
            f"{self._path}, line {number}, {label}: {value}",
            needed="a finite number in every cell",
            remedy="fill it, or leave the line or the column out",
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
