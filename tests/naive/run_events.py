"""What a file of events says of its recordings, with all of it in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def rank(row: dict[str, Any]) -> tuple[Any, ...]:
    """By severity, where there is one; by the lowest score, else by the mean one; by name and time."""
    severity = row.get("severity")
    worst = row.get("peak") if row.get("peak") is not None else row.get("score")
    return (
        float("inf") if severity is None else -severity,
        float("inf") if worst is None else worst,
        row["id"],
        row["start"],
    )


def read(path: Path) -> list[dict[str, Any]]:
    """All rows, the most severe first."""
    return sorted((json.loads(line) for line in path.read_text().splitlines()), key=rank)


def recordings(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Each recording with its number of events, by its most severe event; `rows` are in order."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["id"]] = counts.get(row["id"], 0) + 1
    return list(counts.items())
