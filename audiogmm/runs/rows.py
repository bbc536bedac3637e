"""Rows of results, written as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from audiogmm.escapes import ESCAPED
from audiogmm.files import replacing
from audiogmm.manifest.entry import is_safe_id
from audiogmm.types import Json


def write_rows(rows: Iterable[Json], path: Path, *, force: bool = False) -> int:
    """Write one JSON object a line, and the whole file or none of it.

    Returns
    -------
    int
        How many rows there were.

    Raises
    ------
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    n = 0
    with (
        replacing(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", errors=ESCAPED) as file,
    ):
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            n += 1
    return n


def read_ids(path: Path) -> set[str]:
    """Return the ids of the rows that `write_rows` wrote; none where there is no such file.

    Whoever wrote the file: a row that is none, or whose id could not be one of a manifest (it would name a
    file in another folder), is passed over.
    """
    ids = set()
    if path.is_file():
        with path.open("rb") as file:
            for line in file:
                try:
                    id = json.loads(line)["id"]
                    if isinstance(id, str) and is_safe_id(id):
                        ids.add(id)
                except (ValueError, TypeError, KeyError, RecursionError):
                    continue
    return ids
