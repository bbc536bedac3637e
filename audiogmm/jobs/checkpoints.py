"""The checkpoints that a training leaves beside its output until the model is saved."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path


def checkpoints(path: Path) -> Iterator[Path]:
    """The checkpoints of a training, one for each of its parts."""
    return path.parent.glob(f"{glob.escape(path.name)}.*")


def drop(path: Path) -> None:
    """Remove the checkpoints of a training."""
    for file in checkpoints(path):
        file.unlink(missing_ok=True)
