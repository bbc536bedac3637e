"""Tables of numbers in CSV."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import open_source
from audiogmm.audio.matrix.columns import Column, Kind, is_date
from audiogmm.errors import FeatureError
from audiogmm.manifest.cells import delimiter_of_numbers, is_header, is_number, split_cells

Line: TypeAlias = tuple[int, str]
"""A line with its number, counted from 1."""


class CsvReader:
    """Rows of a table in text, UTF-8: commas, semicolons, tabs or blanks, as in the first line.

    The first line is a header if not one of its cells is a number. Blank lines, and comments of
    `numpy.savetxt` at the beginning, are skipped.

    Raises
    ------
    FeatureError
        With the line and the column of a cell that is not a number, or the line that has another number of
        cells.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._names: tuple[str, ...] = ()

    def header(self) -> list[Column]:
        """Return the columns as the header names them; what they hold is seen in the first row."""
        with self._opened() as text:
            lines, _, width = self._begin(text)
            number, row = next(lines, (0, ""))
        cells = split_cells(row, self._delimiter) if row else []
        cells += [""] * (width - len(cells))  # the wrong length is an error of the row
        return [
            Column(name, _kind(cell), f"{cell!r} in line {number}")
            for name, cell in zip(self._names or [""] * width, cells, strict=False)
        ]

    def rows(self, first: int, block: int, places: tuple[int, ...] | None = None) -> Iterator[NDArray[Any]]:
        """Yield blocks of at most `block` lines, float64, from row `first` on, of the columns at `places`."""
        with self._opened() as text:
            lines, delimiter, width = self._begin(text)
            wanted = range(width) if places is None else places
            for _ in itertools.islice(lines, first):
                pass
            while batch := list(itertools.islice(lines, block)):
                yield self._parse(batch, delimiter, width, wanted)

    def texts(self, place: int, first: int, block: int) -> Iterator[list[str]]:
        """Yield the cells of a column, at most `block` at once, from row `first` on."""
        with self._opened() as text:
            lines, delimiter, width = self._begin(text)
            lines = itertools.islice(lines, first, None)
            while batch := list(itertools.islice(lines, block)):
                rows = [split_cells(line, delimiter) for _, line in batch]
                yield [row[place] if len(row) == width else "" for row in rows]

    @contextmanager
    def _opened(self) -> Iterator[io.TextIOWrapper]:
        raw = open_source(self._path, FeatureError)
        with io.TextIOWrapper(io.BufferedReader(raw), "utf-8-sig", newline="") as text:  # type: ignore[type-var]
            try:
                yield text
            except UnicodeDecodeError as error:
                raise FeatureError(f"{self._path} is not text: {error}", needed="CSV in UTF-8") from error

    def _begin(self, text: io.TextIOWrapper) -> tuple[Iterator[Line], str | None, int]:
        """Read the header; return the numbered lines below it, how cells end, how many there are."""
        lines: Iterator[Line] = ((number, line) for number, line in enumerate(text, 1) if line.strip())
        head = next(lines, None)
        if head is None:
            return lines, None, 0
        while head[1].startswith("#") and (following := next(lines, None)) is not None:
            if not following[1].startswith("#"):  # the last of several comments names the columns
                lines = itertools.chain([following], lines)
                break
            head = following
        self._delimiter = delimiter_of_numbers(head[1].lstrip("# "))
        cells = split_cells(head[1], self._delimiter)
        if is_header(cells):
            self._names = tuple(cell.strip() for cell in cells)
            if head[1].startswith("#") and (first_row := next(lines, None)) is not None:
                lines = itertools.chain([first_row], lines)
                self._delimiter = delimiter_of_numbers(first_row[1])
                cells = split_cells(first_row[1], self._delimiter)
                if len(cells) != len(self._names):  # a comment, which names no columns
                    self._names = ()
        else:
            lines = itertools.chain([head], lines)
        return lines, self._delimiter, len(cells)

    def _parse(
        self, batch: list[Line], delimiter: str | None, width: int, wanted: Sequence[int]
    ) -> NDArray[Any]:
        is_whole = len(wanted) == width and list(wanted) == list(range(width))
        if not is_whole and any(_count(line, delimiter) != width for _, line in batch):
            raise self._error_in(batch, delimiter, width, wanted, None)
        try:
            rows = np.loadtxt(
                [line for _, line in batch],
                delimiter=delimiter,
                comments=None,
                quotechar='"',
                ndmin=2,
                usecols=None if is_whole else wanted,
            )
        except ValueError as error:
            raise self._error_in(batch, delimiter, width, wanted, error) from error
        if rows.shape[1] != len(wanted):
            raise self._error_in(batch, delimiter, width, wanted, None)
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise self._bad_cell(batch[row][0], wanted[int(column)], str(rows[row, column]))
        return rows

    def _error_in(
        self,
        batch: list[Line],
        delimiter: str | None,
        width: int,
        wanted: Sequence[int],
        error: ValueError | None,
    ) -> FeatureError:
        """Find the first bad cell or line, by reading them once more, slowly."""
        for number, line in batch:
            cells = split_cells(line, delimiter)
            if len(cells) != width:
                return FeatureError(
                    f"{self._path}, line {number}: {len(cells)} cells, and {width} in the first line",
                    needed="as many cells in every line",
                )
            for column in wanted:
                if not is_number(cells[column]):
                    return self._bad_cell(number, column, repr(cells[column]))
        return FeatureError(f"{self._path}, lines {batch[0][0]} to {batch[-1][0]}: {error}", needed="numbers")

    def _bad_cell(self, number: int, column: int, value: str) -> FeatureError:
        label = f"column {self._names[column]!r}" if self._names else f"column {column + 1}"
        name = repr(self._names[column]) if self._names else f"{column} (columns without names count from 0)"
        return FeatureError(
            f"{self._path}, line {number}, {label}: {value}",
            needed="a finite number in every cell",
            remedy=f"fill the cell, leave the line out, or leave the column out: --exclude {name}",
        )


def _kind(cell: str) -> Kind:
    if not cell.strip() or is_number(cell):
        return "number"
    return "time" if is_date(cell) else "text"


def _count(line: str, delimiter: str | None) -> int:
    """How many cells a line has."""
    if delimiter is None or '"' in line:
        return len(split_cells(line, delimiter))
    return line.count(delimiter) + 1
