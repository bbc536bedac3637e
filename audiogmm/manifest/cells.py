"""Tables of numbers in text: where the cells of a line end, and whether a line is a header."""

from __future__ import annotations

import csv


def delimiter_of_numbers(line: str) -> str | None:
    """Return what separates the cells of a line: a comma, a semicolon, a tab, or None for blanks.

    Both who recognizes a table and who reads it ask here, so that they agree.

    Examples
    --------
    >>> delimiter_of_numbers("1;2"), delimiter_of_numbers("1e-3  -2.5"), delimiter_of_numbers("7")
    (';', None, ',')
    """
    found = max(",;\t", key=line.count)
    if found in line:
        return found
    return None if len(line.split()) > 1 else ","


def split_cells(line: str, delimiter: str | None) -> list[str]:
    """Return the cells of a line, unquoted; a header of `numpy.savetxt` begins with ``#``.

    Examples
    --------
    >>> split_cells("# a b", None), split_cells('"x",1', ",")
    (['a', 'b'], ['x', '1'])
    """
    line = line.strip("\r\n").removeprefix("#") if line.startswith("#") else line.strip("\r\n")
    return line.split() if delimiter is None else next(csv.reader([line], delimiter=delimiter), [])


def is_header(cells: list[str]) -> bool:
    """Return whether not one of the cells is a number.

    Examples
    --------
    >>> is_header(["a", "b"]), is_header(["1", "b"])
    (True, False)
    """
    return not any(is_number(cell) for cell in cells)


def is_number(cell: str) -> bool:
    """Return whether a cell is a number as Python and NumPy both read it.

    Examples
    --------
    >>> is_number("-1.5e3"), is_number("1_000"), is_number("x")
    (True, False, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
