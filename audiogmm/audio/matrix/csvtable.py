"""Tables of numbers in CSV."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.notices import warn_user
from audiogmm.audio.decoders.source import open_source
from audiogmm.errors import FeatureError
from audiogmm.manifest.cells import delimiter_of_numbers, is_header, is_number, split_cells


class CsvReader:
    """Rows of a table in text, UTF-8: commas, semicolons, tabs or blanks, as in the first line.

    The first line is a header if not one of its cells is a number. Blank lines, and comments of
    `numpy.savetxt` at the beginning, are skipped. A first column without a name beside named
    ones is an index, and is left out with a warning.

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
        while head[1].startswith("#") and (following := next(lines, None)) is not None:
            if not following[1].startswith("#"):  # the last of several comments names the columns
                lines = itertools.chain([following], lines)
                break
            head = following
        delimiter = delimiter_of_numbers(head[1].lstrip("# "))
        cells = split_cells(head[1], delimiter)
        if is_header(cells):
            self.columns = tuple(cell.strip() for cell in cells)
            if head[1].startswith("#") and (first_row := next(lines, None)) is not None:
                lines = itertools.chain([first_row], lines)
                delimiter = delimiter_of_numbers(first_row[1])
                cells = split_cells(first_row[1], delimiter)
                if len(cells) != len(self.columns):  # a comment, which names no columns
                    self.columns = ()
        else:
            lines = itertools.chain([head], lines)
        index = self._take_index()
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
            rows = rows[:, 1:] if index else rows
            finite = np.isfinite(rows)
            if not finite.all():
                row, column = np.argwhere(~finite)[0]
                raise self._bad_cell(batch[row][0], int(column), str(rows[row, column]))
            yield rows

    def _take_index(self) -> bool:
        """Leave out a first column without a name, as pandas writes; says whether there is one."""
        if len(self.columns) < 2 or self.columns[0] or not all(self.columns[1:]):
            return False
        self.columns = self.columns[1:]
        warn_user(
            f"{self._path}: the first column has no name, so it is taken for an index and left out; to keep "
            "it, give it a name"
        )
        return True

    def _error_in(
        self, batch: list[tuple[int, str]], delimiter: str | None, width: int, error: ValueError | None
    ) -> FeatureError:
        """Find the first bad cell or line, by reading them once more, slowly."""
        for number, line in batch:
            cells = split_cells(line, delimiter)
            if len(cells) != width:
                return FeatureError(
                    f"{self._path}, line {number}: {len(cells)} cells, and {width} in the first line",
                    needed="as many cells in every line",
                )
            for column, cell in enumerate(cells):
                if not is_number(cell):
                    return self._bad_cell(number, column, repr(cell))
        return FeatureError(f"{self._path}, lines {batch[0][0]} to {batch[-1][0]}: {error}", needed="numbers")

    def _bad_cell(self, number: int, column: int, value: str) -> FeatureError:
        label = f"column {self.columns[column]!r}" if self.columns else f"column {column + 1}"
        return FeatureError(
            f"{self._path}, line {number}, {label}: {value}",
            needed="a finite number in every cell",
            remedy="fill it, or leave the line or the column out",
        )
