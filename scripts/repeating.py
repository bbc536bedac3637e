"""What two runs of the same command have in common, for checks that compare them."""

from __future__ import annotations

from pathlib import Path

FORMAT = b'"audiogmm run 3"'


def is_run_manifest(path: Path) -> bool:
    """Return whether a file is a run manifest, which says how a run was called, and when."""
    return path.name.endswith(".run.json") and FORMAT in path.read_bytes()
