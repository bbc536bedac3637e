"""The ledger of inputs of a run with passes over all of them, written at its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audiogmm.errors import AudioGMMError
from audiogmm.manifest import Entry
from audiogmm.manifest.entry import STANDARD_INPUT
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import read_entries
from audiogmm.runs.journal import SHOWN, Journal
from audiogmm.runs.recording_identity import content_of_shard, signature_of_shard
from audiogmm.words import amount


@dataclass(frozen=True)
class _Listed:
    entry: Entry

    @property
    def id(self) -> str:
        return self.entry.id


def note_inputs(
    output: Path,
    source: object,
    aside: Aside,
    say: Callable[[str], None],
    *,
    since: float,
    adds: bool = False,
) -> None:
    """Write the ledger of inputs beside an output that is whole, from the list and what was set aside of it.

    Standard input has no ledger, and neither has a source in memory (`Source` of Python that is no path).

    Parameters
    ----------
    output : Path
        The caller keeps it to this run.
    source : Source
        What was read.
    aside : Aside
        What was set aside.
    say : callable
        Is told of files that changed while they were read.
    since : float
        When the run began, seconds since 1970: a file that changed later has no content hash.
    adds : bool
        The output was added to: see `Journal`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if not isinstance(source, (str, os.PathLike)) or os.fspath(source) == STANDARD_INPUT:
        return
    bad, n_changed = {row.id for row in aside.rows}, 0
    journal = Journal(output, key="inputs", adds=adds, is_locked=True)
    with journal.attach(aside, say, source=os.fspath(source)):
        try:
            entries = iter(read_entries(source, Aside(quiet=True)))
        except AudioGMMError as error:
            say(f"the ledger of inputs is not whole: {error.what}")
            return
        for entry in entries:
            if entry.id in bad:
                continue
            shard, content = _Listed(entry), ""
            if _changed(entry.path, since):
                if (n_changed := n_changed + 1) <= SHOWN:
                    say(f"{entry.path} changed while it was read")
            else:
                content = content_of_shard(shard)
            row = {"id": entry.id} | ({} if entry.duration is None else {"seconds": entry.duration})
            journal.write(row, content, signature_of_shard(shard))
    if n_changed > SHOWN:
        say(f"{amount(n_changed - SHOWN, 'other file', 'other files')} changed, too")


def _changed(path: str, since: float) -> bool:
    try:
        return os.stat(path).st_mtime > since  # noqa: PTH116 - once a recording
    except (OSError, ValueError):  # inside an archive, at a URL, or gone
        return False
