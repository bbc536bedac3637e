"""Feature matrices in place of audio, read in blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.notices import Warn, warn_user
from audiogmm.audio.decoders.source import open_source
from audiogmm.audio.matrix.columns import ALL, Column, ColumnChoice, has_names
from audiogmm.audio.matrix.in_memory import MemoryReader
from audiogmm.errors import ChoiceError, FeatureError
from audiogmm.manifest.entry import Entry, display_name, safe_id
from audiogmm.manifest.in_memory import MemoryEntry
from audiogmm.reading import reading
from audiogmm.types import Frames, Seconds


@runtime_checkable
class TextReader(Protocol):
    """Reader of the cells of a table, whatever they hold."""

    def texts(self, place: int, first: int, block: int) -> Iterator[Iterable[object]]:
        """Yield the cells of a column, at most `block` at once, from row `first` on."""
        ...


class MatrixReader(Protocol):
    """Reader of the numeric rows of one table."""

    def header(self) -> Sequence[Column]:
        """Return all columns; without names of their own, and not always, where the table names none."""
        ...

    def rows(self, first: int, block: int, places: tuple[int, ...] | None = None) -> Iterator[NDArray[Any]]:
        """Yield arrays of shape (1 to `block`, n_columns), any real dtype, from row `first` on.

        `places` are those of the columns that are wanted, in that order; None: all.
        """
        ...


def read_matrix_blocks(
    entry: Entry, block: int = 8192, choice: ColumnChoice = ALL, warn: Warn = warn_user
) -> Iterator[Frames]:
    """Read the rows of a feature matrix, some at a time, so that memory does not grow with the file.

    .npy (any real dtype, either order), CSV (comma, semicolon or tab; a header is a first line without a
    number), Parquet (numeric columns, or one column of lists), Kaldi ark (one matrix, or vectors, which are
    the rows of one; ``file.ark:OFFSET`` as in an scp file). Parquet, and the text and compressed arks of
    Kaldi, need the extra `interop`.

    Parameters
    ----------
    entry : Entry
        With `features_filepath`. Its `offset` and `duration` cut rows: in seconds if it has a
        `frame_rate`, else in rows.
    block : int
        Rows to read at once.
    choice : ColumnChoice
        The columns that are read; by default all but an index and times. Of a Parquet file no others are
        touched.
    warn : callable
        Takes a note, where columns are left out unasked.

    Yields
    ------
    ndarray of shape (1 to `block`, n_features), float32, C-contiguous

    Raises
    ------
    FeatureError
        If the file is missing, truncated, not a matrix of numbers, holds NaN or infinity (row and column are
        named), lacks a column, or ends before the piece does; if an ark holds several matrices (see
        `expand_archive`); if the extra is missing.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.npy"
    >>> np.save(path, np.arange(10.0).reshape(5, 2))
    >>> entry = Entry(None, features_filepath=str(path), id="a", offset=1.0, duration=3.0)
    >>> [rows.tolist() for rows in read_matrix_blocks(entry, block=2)]
    [[[2.0, 3.0], [4.0, 5.0]], [[6.0, 7.0]]]
    """
    if block < 1:
        raise ChoiceError(f"blocks of {block} rows", needed="at least 1")
    with reading(display_name(entry.path), FeatureError):
        yield from _blocks(entry, block, choice, warn)


def _blocks(entry: Entry, block: int, choice: ColumnChoice, warn: Warn) -> Iterator[Frames]:
    path = entry.path
    first, wanted = _cut(entry)
    reader = _open(entry)
    table = reader.header()
    places, note = _find(reader, path, table, choice)
    if note:
        warn(note)
    names = [table[place].name for place in places] if places and has_names(table) else ()
    got, width = 0, 0
    for raw in reader.rows(first, block, places):
        rows = _as_frames(raw, path, first + got, names)
        if width and rows.shape[1] != width:
            raise FeatureError(
                f"{path}: row {first + got} (counted from 0) has {rows.shape[1]} columns, "
                f"and row {first} has {width}",
                needed="rows of one length",
            )
        width = rows.shape[1]
        rows = rows if wanted is None else rows[: wanted - got]
        got += len(rows)
        yield rows
        if got == wanted:
            return
    if first == 0 and wanted is None and got == 0:
        raise FeatureError(f"{path} has no rows", needed="at least one", remedy="take it out of the manifest")
    if wanted is not None or got == 0:
        asked = f"from row {first} on" if wanted is None else f"rows {first} up to {first + wanted}"
        raise FeatureError(
            f"{path} has {got} rows of those that its entry asks for: {asked}",
            needed="offset and duration inside the matrix",
            remedy="correct the entry, or take it out of the manifest",
        )


def read_names(entry: Entry, choice: ColumnChoice = ALL) -> tuple[tuple[str, ...], str]:
    """Return the names of the columns that a choice takes of a table, if it has any, and a note on others.

    Raises
    ------
    FeatureError
        As `read_matrix_blocks`.
    """
    with reading(display_name(entry.path), FeatureError):
        reader = _open(entry)
        table = reader.header()
        places, note = _find(reader, entry.path, table, choice)
        if places and has_names(table):
            return tuple(table[place].name for place in places), note
        return tuple(map(str, places)) if places and choice else (), note


def read_cells(entry: Entry, column: str, block: int = 8192) -> Iterator[str]:
    """Yield the cells of one column as texts, for the rows that an entry names: what names the rows.

    Raises
    ------
    FeatureError
        If there is no such column, or the table has no cells of text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("id,rpm\\np-1,900\\np-2,910\\n")
    >>> list(read_cells(Entry(None, str(path), offset=1.0), "id"))
    ['p-2']
    """
    reader = _open(entry)
    table = reader.header()
    (place,), _ = ColumnChoice((column,)).find(
        entry.path, [dataclasses.replace(one, kind="number") for one in table]
    )
    if not isinstance(reader, TextReader):
        raise FeatureError(f"{entry.path} has no names of rows", needed="CSV, Parquet or a data frame")
    first, wanted = _cut(entry)
    cells = chain.from_iterable(reader.texts(place, first, block))
    yield from map(str, islice(cells, wanted))


def _find(
    reader: MatrixReader, path: str, table: Sequence[Column], choice: ColumnChoice
) -> tuple[tuple[int, ...] | None, str]:
    """The places of the columns that are wanted, None for all of a table without names; and a note."""
    if not choice and not has_names(table):
        return None, ""
    if not table:
        row = next(reader.rows(0, 1), None)
        table = [Column("")] * (0 if row is None or row.ndim < 2 else row.shape[1])
    return choice.find(path, table) if table else (None, "")


def expand_archive(entry: Entry) -> Iterator[Entry]:
    """Yield an entry for each matrix of a Kaldi archive that holds several; any other entry as it is.

    Yields
    ------
    Entry
        For an archive, `features_filepath` is ``file.ark:OFFSET``, the id is the entry's and the key, and
        `extra` has the key as ``utterance``.

    Raises
    ------
    FeatureError
        If the archive is damaged.
    """
    if entry.features_filepath is None or isinstance(entry, MemoryEntry):
        yield entry
        return
    with reading(display_name(entry.path), FeatureError):
        yield from _expanded(entry, entry.features_filepath)


def _expanded(entry: Entry, archive: str) -> Iterator[Entry]:
    if format_of(archive) != "ark":
        yield entry
        return
    from audiogmm.audio.matrix.ark import read_members, split_offset

    path, offset = split_offset(archive)
    if offset is not None:
        yield entry
        return
    found = read_members(path)
    head = list(islice(found, 2))
    if len(head) < 2 or all(member.is_vector for member in head):
        yield entry
        return
    for member in read_members(path):
        yield dataclasses.replace(
            entry,
            features_filepath=f"{path}:{member.offset}",
            id=safe_id(f"{entry.id}-{member.key}"),
            extra={**entry.extra, "utterance": member.key},
        )


def format_of(path: str) -> str:
    """Find the format of a matrix by its name, or else its first bytes: "npy", "csv", "parquet" or "ark".

    Examples
    --------
    >>> format_of("a.npy"), format_of("b.ark:1234"), format_of("c.tsv")
    ('npy', 'ark', 'csv')
    """
    if path.endswith("]"):
        path = path.rpartition("[")[0]
    name, _, offset = path.rpartition(":")
    suffix = PurePosixPath(name if name and offset.isdigit() else path).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    stream = open_source(path, FeatureError)
    try:
        head = stream.read(512)
    finally:
        stream.close()
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PAR1"):
        return "parquet"
    return "ark" if b" \0B" in head else "csv"


_SUFFIXES = {
    ".npy": "npy",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ark": "ark",
}


_READERS = {
    "npy": ("npy", "NpyReader"),
    "csv": ("csvtable", "CsvReader"),
    "parquet": ("parquet", "ParquetReader"),
    "ark": ("ark", "ArkReader"),
}
"""For each format its module in this room, imported when it is needed, and the reader in it."""


def _open(entry: Entry) -> MatrixReader:
    if isinstance(entry, MemoryEntry):
        return MemoryReader(entry)
    module, name = _READERS[format_of(entry.path)]
    reader: MatrixReader = getattr(import_module(f"audiogmm.audio.matrix.{module}"), name)(entry.path)
    return reader


_MOST = 1e12
"""No matrix has more rows: what an entry asks for beyond is cut to it."""


def _cut(entry: Entry) -> tuple[int, int | None]:
    """First row and number of rows."""
    rate: Seconds = entry.frame_rate or 1.0
    first = round(min(entry.offset, _MOST) * rate)
    wanted = None if entry.duration is None else round(min(entry.duration, _MOST) * rate)
    if wanted == 0:
        raise FeatureError(
            f"{entry.path}: a piece of {entry.duration} is less than one row", needed="a longer duration"
        )
    return first, wanted


def _as_frames(rows: NDArray[Any], path: str, start: int, columns: Sequence[str]) -> Frames:
    """float32, C-contiguous and finite, or an error that names the cell."""
    if rows.ndim != 2 or rows.shape[1] == 0 or rows.dtype.kind not in "fiub":
        raise FeatureError(
            f"{path} holds {rows.dtype} of shape (n{''.join(f', {size}' for size in rows.shape[1:])})",
            needed="real numbers of shape (n_rows, n_columns)",
            remedy="reshape(-1, 1) makes rows of one number each"
            if rows.ndim == 1
            else "numpy.save of a float32 matrix",
        )
    with np.errstate(over="ignore"):
        frames = np.ascontiguousarray(rows, np.float32)
    finite = np.isfinite(frames)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        is_named = len(columns) == rows.shape[1]
        label = f"column {columns[column]!r}" if is_named else f"column {column} (counted from 0)"
        raise FeatureError(
            f"{path}: row {start + row} (counted from 0), {label} is {rows[row, column]}",
            needed="finite numbers that float32 can hold",
            remedy="fill the cell, or leave its row out",
        )
    return frames
