"""JSONL: one object a line, the format of audiogmm itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.escapes import ESCAPED
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.record import entry_of, record_of
from audiogmm.manifest.text import open_bytes

ManifestLine = tuple[int, Entry | ManifestError]
"""A line number, and what the line holds, or what is wrong with it."""


def objects(path: str) -> Iterator[tuple[int, Mapping[str, Any] | ManifestError]]:
    """Yield the object on each line that is not blank, with its line number, or what is wrong with it.

    Raises
    ------
    ManifestError
        If the file cannot be read at all.
    """
    from pydantic_core import from_json  # four times as fast as the standard library's

    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                record = from_json(line, allow_inf_nan=False)
            except ValueError:
                if line.isspace():
                    continue
                record = _second_look(line, f"{path}:{number}")
            if type(record) is dict or isinstance(record, ManifestError):
                yield number, record
            else:
                yield number, _not_an_object(record, line, f"{path}:{number}")


def read(path: str) -> Iterator[ManifestLine]:
    """Read a JSONL manifest line by line; blank lines are skipped. See `ManifestFormat.read`."""
    folder = ManifestFolder.of(path)
    for number, record in objects(path):
        if isinstance(record, ManifestError):
            yield number, record
            continue
        try:
            yield number, entry_of(record, folder, f"{path}:{number}")
        except ManifestError as error:
            yield number, error


def write(entries: Iterable[Entry], file: Path, final: Path) -> int:
    """Write a JSONL manifest. See `ManifestFormat.write`."""
    folder = ManifestFolder.of(final)
    return write_objects((record_of(entry, folder) for entry in entries), file, final)


def write_objects(records: Iterable[Mapping[str, Any]], file: Path, final: Path) -> int:
    """Write one object a line, compressed if the final name ends in ``.gz``; returns how many."""
    count = 0
    with line_writer(file, packed=final.suffix == ".gz") as write_line:
        for count, record in enumerate(records, 1):  # noqa: B007
            write_line(record)
    return count


@contextmanager
def line_writer(file: Path, *, packed: bool) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open a file and give a function that writes an object on a line of its own."""
    import gzip

    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    # without a name and a time in the header, the same entries make the same bytes
    with ExitStack() as stack:
        out: Any = stack.enter_context(file.open("wb"))
        if packed:
            out = stack.enter_context(gzip.GzipFile("", "wb", fileobj=out, mtime=0))

        def write_line(record: Mapping[str, Any]) -> None:
            out.write(encode(record).encode(errors=ESCAPED) + b"\n")

        yield write_line


def _second_look(line: bytes, source: str) -> Mapping[str, Any] | ManifestError:
    """Read what the quick decoder refused (it takes no lone surrogates), or say what is wrong with it."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number in JSON")

    try:
        record = json.loads(line.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return ManifestError(
            f"{source} is not JSON: {reason}{column}: {_shown(line)}",
            needed="one object a line",
            remedy='{"audio_filepath": "a.wav"}',
        )
    return record if isinstance(record, dict) else _not_an_object(record, line, source)


def _not_an_object(record: object, line: bytes, source: str) -> ManifestError:
    array = isinstance(record, list)
    return ManifestError(
        f"{source} is {'an array' if array else 'not an object'}: {_shown(line)}",
        needed="one object a line",
        remedy="jq -c '.[]' turns an array into lines" if array else '{"audio_filepath": "a.wav"}',
    )


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return text if len(text) <= 60 else f"{text[:57]}..."
