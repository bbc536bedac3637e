"""The lines of a list of segments, each with its number, and what is wrong with one that is none."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping

from audiogmm.errors import ManifestError
from audiogmm.manifest.segments.span import Span
from audiogmm.manifest.segments.span_format import SpanLine
from audiogmm.manifest.text import open_text


def lines_of(path: str, parse: Callable[[str], Span | None], needed: str) -> Iterator[SpanLine]:
    """Yield the segment of each line, if it has one.

    Parameters
    ----------
    path : str
        The file.
    parse : callable
        The segment of a line, None to pass over it; raises ValueError if it is no segment.
    needed : str
        What a line is to be, for messages.
    """
    with open_text(path) as text:
        for number, line in enumerate(text, 1):
            line = line.rstrip("\r\n")
            if not line.strip():
                continue
            try:
                span = parse(line)
            except (ValueError, IndexError) as error:
                yield number, _bad(path, number, line, needed, error)
                continue
            if span is not None:
                yield number, span


def rows_of(
    path: str, parse: Callable[[Mapping[str, str]], Span | None], columns: tuple[str, ...]
) -> Iterator[SpanLine]:
    """Yield the segment of each row of a table, given its cells by the header's names in lower case.

    Raises
    ------
    ManifestError
        If the header lacks one of `columns`.
    """
    needed = f"a header with the columns {', '.join(columns)}"
    with open_text(path) as text:
        header = text.readline().rstrip("\r\n")
        delimiter = max("\t,;", key=header.count)
        names = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
        if not set(columns) <= set(names):
            raise ManifestError(f"{path}:1 is {header[:80]!r}", needed=needed)
        rows = csv.reader(text, delimiter=delimiter)
        for cells in rows:
            number = rows.line_num + 1
            if not any(cells):
                continue
            try:
                span = parse(dict(zip(names, cells, strict=False)))
            except (ValueError, KeyError) as error:
                yield number, _bad(path, number, delimiter.join(cells), needed, error)
                continue
            if span is not None:
                yield number, span


def _bad(path: str, number: int, line: str, needed: str, error: Exception) -> ManifestError:
    return ManifestError(f"{path}:{number} is {line.strip()[:80]!r}: {error}", needed=needed)
