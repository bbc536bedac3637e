"""Rows of results, written as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from audiogmm.escapes import ESCAPED
from audiogmm.files import replacing
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
    """The ids of the rows that `write_rows` wrote; none where there is no such file."""
    if not path.exists():
        return set()
    with path.open(encoding="utf-8") as file:
        return {json.loads(line)["id"] for line in file}
