"""CSV and TSV: the columns are the keys of JSONL, an empty cell is a key left out."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.escapes import ESCAPED, guarded, restored, unguarded
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.record import KEYS, entry_of, record_of
from audiogmm.manifest.text import open_text
from audiogmm.words import amount

_PATHS = {"audio_filepath", "features_filepath"}
_ALIASES = ("path", "file_name", "filename", "file", "wav")
"""What others call the column of paths: Common Voice, Hugging Face; taken where none is ours."""

_NUMBERS = {"offset", "duration", "frame_rate", "channel", "sample_rate", "time"}
_TEXTS = {"audio_filepath", "features_filepath", "id", "speaker", "label"}


def delimiter_of(header: str) -> str | None:
    """Return the delimiter of a manifest by its header line; None if that names no path column of ours.

    Examples
    --------
    >>> delimiter_of("speaker;audio_filepath"), delimiter_of("audio_filepath"), delimiter_of("0.1,0.2")
    (';', ',', None)
    """
    for delimiter in ",\t;":
        if _PATHS & set(named_as_ours(next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter), []))):
            return delimiter
    return None


def named_as_ours(columns: list[str]) -> list[str]:
    """The names of columns, with `audio_filepath` for the first that others call so."""
    if _PATHS & set(columns):
        return columns
    alias = next((alias for alias in _ALIASES if alias in columns), None)
    return ["audio_filepath" if column == alias else column for column in columns]


def read(path: str) -> Iterator[ManifestLine]:
    """Read a CSV or TSV manifest row by row.

    A cell of a column that is not ours is kept as text, unless it is exactly how JSON writes a number, a
    truth value, a list or an object; so what another format held comes back as it was. See
    `ManifestFormat.read`; the number of a row is that of its first line.

    Raises
    ------
    ManifestError
        If the file cannot be read, or its header names no path column.
    """
    folder = ManifestFolder.of(path)
    with open_text(path) as file:
        header = file.readline()
        delimiter = delimiter_of(header)
        if delimiter is None:
            raise ManifestError(
                f"{path}:1 has the columns {header.strip()[:80]!r}",
                needed="a column audio_filepath or features_filepath",
                remedy="add the header line",
            )
        named = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter))
        columns = named_as_ours([unguarded(column) for column in named])
        doubled = sorted({column for column in columns if column and columns.count(column) > 1})
        if doubled:
            raise ManifestError(f"{path}:1 names the column {doubled[0]!r} twice", needed="each column once")
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        while True:
            number = rows.line_num + 2  # the header is line 1, and the row begins after the last
            try:
                cells = next(rows)  # a line that is too long ends it
            except StopIteration:
                return
            except csv.Error as error:
                yield number, ManifestError(f"{path}:{number} is not CSV: {error}", needed="quoted cells")
                continue
            if not cells:
                continue
            try:
                yield number, _entry(columns, cells, folder, f"{path}:{number}")
            except ManifestError as error:
                yield number, error


def write(entries: Iterable[Entry], file: Path, final: Path) -> int:
    """Write a CSV manifest (TSV if the final name ends so).

    The columns are known only after the last entry, so the rows wait in a temporary file. See
    `ManifestFormat.write`.
    """
    folder = ManifestFolder.of(final)
    found: dict[str, None] = {}
    count = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        for entry in entries:
            record = record_of(entry, folder)
            found.update(dict.fromkeys(record))
            waiting.write(json.dumps(record) + "\n")
            count += 1
        columns = [key for key in KEYS if key in found or key == "audio_filepath"]
        columns += [key for key in found if key not in columns]
        waiting.seek(0)
        with file.open("w", encoding="utf-8", errors=ESCAPED, newline="") as out:
            delimiter = "\t" if final.suffix == ".tsv" else ","
            plain = csv.writer(out, delimiter=delimiter, lineterminator="\n")
            quoted = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)

            def write_row(cells: list[str]) -> None:
                # the writer quotes a cell for a line feed, and not for a lone carriage return
                (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)

            write_row([guarded(column) for column in columns])
            for line in waiting:
                record = json.loads(line)
                write_row([guarded(_written(key, record.get(key))) for key in columns])
    return count


def _entry(columns: list[str], cells: list[str], folder: ManifestFolder, source: str) -> Entry:
    """Read one row."""
    if len(cells) != len(columns):
        raise ManifestError(
            f"{source}: {amount(len(cells), 'cell')} where the header names {len(columns)}",
            needed="a cell for each column",
            remedy="quote cells that hold the delimiter",
        )
    record = {
        column: _read_number(cell)
        if column in _NUMBERS and cell[0] != "["
        else restored(cell)
        if column in _TEXTS
        else _read_other(cell)
        for column, cell in zip(columns, map(unguarded, cells), strict=True)
        if cell and column
    }
    return entry_of(record, folder, source)


def _read_number(cell: str) -> float | int | str:
    """A number, or the text as it is, for `entry_of` to name."""
    try:
        return float(cell) if any(mark in cell for mark in ".eEnN") else int(cell)
    except ValueError:
        return cell


def _read_other(cell: str) -> Any:
    """What JSON would write as this cell, or the text as it is."""
    if cell[0] not in '{["-0123456789tfn':
        return cell
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    return value if json.dumps(value, ensure_ascii=False) == cell and value == value else cell


def _written(key: str, value: Any) -> str:
    """A cell from which `_read_other` gives the value back."""
    if value is None:
        return ""
    if isinstance(value, str):
        plain = key in _TEXTS or (value != "" and _read_other(value) == value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
