"""A wav on standard input, for jobs that read more than once."""

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
class Kept:
    """Standard input in a temporary file, since it has to be read more than once."""

    file: Any
    entries: list[Entry]


def keep_standard_input() -> Kept:
    """Copy standard input to a temporary file that goes when nobody holds it any more.

    Raises
    ------
    OutputError
        If the temporary folder does not take it.
    """
    from audiogmm.manifest import Entry

    try:
        file = NamedTemporaryFile(prefix="audiogmm-", suffix=".wav")  # noqa: SIM115 - lives as long as Kept
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
    except OSError as error:
        raise OutputError(
            f"standard input cannot be kept in {gettempdir()}: {error.strerror}",
            needed="room for the recording, which is read more than once",
            remedy="free some space, set TMPDIR to another disk, or save the recording to a file",
        ) from error
    return Kept(file, [Entry(audio_filepath=file.name, id="stdin", source=STANDARD_INPUT)])
