"""What a call of the command line gives, and what it writes."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 16000


@dataclass(frozen=True)
class Ran:
    """What a call of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """Standard output, which must be one JSON object and nothing else."""
        content = json.loads(self.out)
        assert isinstance(content, dict)
        return content


def records(text: str) -> list[dict[str, object]]:
    """The lines of a log as JSON, each with what all have."""
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        assert {"time", "level", "run", "command", "message"} <= set(row), row
        row.setdefault("event", None)
    return rows


Audiogmm = Callable[..., Ran]


def hear_ctrl_c() -> None:
    """For a process that is to be interrupted: tests that run in the background are deaf to it, and so it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def arrays(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a file, which is closed again."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)
