"""What recipes share: they call the commands as a user would."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from audiogmm.cli.main import main
from audiogmm.manifest import Entry, write_manifest

SOME_SET_ASIDE = 3


class Commands:
    """Calls the commands, and prints each; goes on where some inputs were set aside.

    Parameters
    ----------
    out : Path
        Takes all that is made.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.status = 0
        out.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: object) -> None:
        """Call one command; a status but 0 and 3 ends the recipe."""
        words = [str(argument) for argument in arguments]
        print("$ audiogmm", *words, flush=True)
        try:
            main(words)
        except SystemExit as ended:
            if ended.code not in (0, SOME_SET_ASIDE):
                raise
            self.status = max(self.status, int(ended.code))


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Write a manifest over an earlier one."""
    write_manifest(entries, path, force=True)
