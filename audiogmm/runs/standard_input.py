"""A wav on standard input, for runs that read it more than once."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from tempfile import NamedTemporaryFile, gettempdir
from typing import TYPE_CHECKING, Any

from audiogmm.errors import OutputError

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

STANDARD_INPUT = "-"
"""In place of a manifest: a wav on standard input."""


@dataclass
class StandardInputCopy:
    """Standard input in a temporary file, and the entry of it; the file goes with this object."""

    file: Any
    entries: list[Entry]


def copy_standard_input() -> StandardInputCopy:
    """Copy standard input to a temporary file, which is removed with the object returned.

    Raises
    ------
    OutputError
        If the temporary folder does not take it.
    """
    from audiogmm.manifest import Entry

    try:
        file = NamedTemporaryFile(prefix="audiogmm-", suffix=".wav")  # noqa: SIM115 - lives as long as the copy
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
    except OSError as error:
        raise OutputError(
            f"standard input cannot be kept in {gettempdir()}: {error.strerror}",
            needed="room for the recording, which is read more than once",
            remedy="free some space, set TMPDIR to another disk, or save the recording to a file",
        ) from error
    return StandardInputCopy(file, [Entry(audio_filepath=file.name, id="stdin", source=STANDARD_INPUT)])
