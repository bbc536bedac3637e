"""Where a run may write: refused before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from audiogmm.errors import OutputError
from audiogmm.files import refuse_folder, refuse_overwrite


def keep_apart(output: Path, source: object) -> None:
    """Refuse an output that is the input, which even `--force` must not destroy.

    Raises
    ------
    OutputError
        If they are one file or folder.
    """
    named = isinstance(source, (str, os.PathLike)) and output.exists() and Path(source).exists()
    if named and output.samefile(source):  # type: ignore[arg-type]
        raise OutputError(f"{output} is the input", needed="another place", remedy="another name for -o")


def check_output(output: Path, force: bool, *sources: object) -> None:
    """Refuse, before the work, a file that must not or cannot be written.

    Raises
    ------
    OutputError
        If it is one of the sources, or a folder; if it exists and not `force`; if its folder cannot be
        written.
    """
    for source in sources:
        keep_apart(output, source)
    refuse_folder(output)
    refuse_overwrite(output, force)
