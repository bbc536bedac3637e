"""JSONL: one object a line. The format of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import Folder
from audiogmm.manifest.record import entry_of, record_of
from audiogmm.manifest.text import open_bytes

Item = tuple[int, Entry | ManifestError]
"""A line number, and what the line holds, or what is wrong with it."""


def objects(path: str) -> Iterator[tuple[int, Mapping[str, Any] | ManifestError]]:
    """Give the object on each line that is not blank, with its line number, or what is wrong with it.

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


def read(path: str) -> Iterator[Item]:
    """Read a JSONL manifest line by line.

    Parameters
    ----------
    path : str
        A file, perhaps ``.gz``, or a URL.

    Yields
    ------
    tuple of (int, Entry or ManifestError)
        For every line that is not blank its number, and its entry or what is wrong with it.
    """
    folder = Folder.of(path)
    for number, record in objects(path):
        if isinstance(record, ManifestError):
            yield number, record
            continue
        try:
            yield number, entry_of(record, folder, f"{path}:{number}")
        except ManifestError as error:
            yield number, error


def write(entries: Iterable[Entry], file: Path, final: Path) -> int:
    """Write a JSONL manifest.

    Parameters
    ----------
    entries : iterable of Entry
        What to write.
    file : Path
        Where to write.
    final : Path
        Where the file is to lie in the end: paths are written relative to its folder.

    Returns
    -------
    int
        How many entries were written.
    """
    folder = Folder.of(final)
    return write_objects((record_of(entry, folder) for entry in entries), file, final)


def write_objects(records: Iterable[Mapping[str, Any]], file: Path, final: Path) -> int:
    """Write one object a line, compressed if the final name ends in ``.gz``."""
    import gzip

    count = 0
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    with gzip.open(file, "wb") if final.suffix == ".gz" else file.open("wb") as out:
        for record in records:
            # surrogates stand for the bytes of a file name that is not UTF-8: JSON can escape them
            try:
                line = encode(record).encode()
            except UnicodeEncodeError:
                line = json.dumps(record).encode()
            out.write(line + b"\n")
            count += 1
    return count


def _second_look(line: bytes, source: str) -> Mapping[str, Any] | ManifestError:
    """Read what the quick decoder refused (it takes no lone surrogates), or say what is wrong with it."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number of JSON")

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
