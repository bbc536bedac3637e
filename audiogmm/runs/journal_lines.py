"""The lines of a journal, and of the ledger of inputs that it becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.checksum import KEY as CHECKSUM
from audiogmm.checksum import is_intact, sealed
from audiogmm.documents import parse_document
from audiogmm.escapes import ESCAPED
from audiogmm.types import Json

JOURNAL, LEDGER = ".journal", ".inputs.jsonl"
"""The ends of its file's name: while the run goes on, and when it has ended."""


@dataclass(frozen=True, slots=True)
class Finished:
    """An input that an earlier run finished: where its row begins, and what its file was then."""

    at: int
    signature: str
    content: str


def ledger_path(output: Path) -> Path:
    """Return where the ledger of inputs of the run that wrote `output` is.

    Examples
    --------
    >>> ledger_path(Path("models/ubm.agmm")).name, ledger_path(Path("scores")).name
    ('ubm.agmm.inputs.jsonl', 'scores.inputs.jsonl')
    """
    return output.with_name(output.name + LEDGER)


def line_of(row: Json) -> bytes:
    return json.dumps(sealed(row), ensure_ascii=False).encode(errors=ESCAPED) + b"\n"


def key_of(path: Path) -> str | None:
    """Return the key in the first line of a journal or ledger; None where there is none."""
    try:
        with path.open("rb") as file:
            key = parse_document(file.readline()).get("key")
    except (OSError, ValueError, RecursionError):
        return None
    return key if isinstance(key, str) else None


def whole_lines(path: Path, key: str) -> Iterator[tuple[int, int, Json]]:
    """Yield where each line begins and ends, and its row, up to the first one that is torn, or none of ours.

    Of a journal with another key, none.
    """
    begin, has_checksums = 0, False
    with path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                row = parse_document(line)
            except (ValueError, RecursionError):
                return  # what comes behind a line that is none of ours is done again
            has_checksums = has_checksums or CHECKSUM in row  # a journal of an older version has none
            is_torn = not line.endswith(b"\n")  # the next row would be written behind it
            if is_torn or (has_checksums and not is_intact(row)) or (number == 0 and row.get("key") != key):
                return
            yield begin, begin + len(line), row
            begin += len(line)


def find_damage(path: Path) -> int | None:
    """Return the number of the first line of a journal that does not have its checksum; None if all have."""
    has_checksums = False
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                has_checksums = has_checksums or CHECKSUM in row
                if has_checksums and not is_intact(row):
                    return number
            except (ValueError, TypeError, AttributeError, RecursionError):
                return number
    return None
