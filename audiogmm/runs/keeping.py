"""A run with several passes over recordings, which keeps what each found until its output is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.journal import Journal, keep_journal
from audiogmm.runs.kept_results import Kept, KeptReducer, Kinds
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.settings import RunSettings
from audiogmm.runs.unfinished import Unfinished, identity, unfinished


@dataclass(frozen=True)
class Keeping:
    """What a run over recordings goes on with.

    Attributes
    ----------
    reducer : LocalReducer
        Keeps what tasks find, and reads what an earlier run kept.
    force : bool
        Whether an output that is there is replaced.
    is_made : bool
        Whether the output is what an earlier run made, which replaced its own input: nothing is left to do.
    """

    reducer: LocalReducer
    force: bool
    is_made: bool = False


@contextmanager
def _added_to(output: Path) -> Iterator[Unfinished]:
    """Keep results beside a gallery, which has a lock of its own, until a run has ended."""
    run = Unfinished(output.with_name(output.name + ".checkpoint"), goes_on=True)
    yield run
    for file in run.kept:
        file.unlink(missing_ok=True)


@contextmanager
def keeping(
    output: Path,
    settings: RunSettings,
    key: str,
    kinds: Kinds,
    aside: Aside,
    progress: Progress | bool | None = None,
    *,
    is_gallery: bool = False,
    of: str = "",
) -> Iterator[Keeping]:
    """Keep an output to this run, what it finds of each recording, and the ledger of its inputs.

    Parameters
    ----------
    output : Path
        While it is not whole, results are in `<output>.checkpoint.kept`.
    settings : RunSettings
    key : str
        What results depend on besides the recordings.
    kinds : mapping
        See `KeptReducer`.
    aside : Aside
        What is set aside is noted, too.
    progress : Progress, optional
        Receives notes.
    is_gallery : bool
        The output is added to: every run goes on, and what another kept is dropped.
    of : str
        Fingerprint of the input that the output replaces, if it does.

    Raises
    ------
    OutputError
        If the output exists (and neither `force` nor an earlier run that had not ended), cannot be written,
        or another run writes it.
    KeyboardInterrupt
        After Ctrl-C, with what helps.
    """
    begun = unfinished([output], resume=settings.resume, force=settings.force, of=of)
    with _added_to(output) if is_gallery else begun as run:
        if run.goes_on and of != run.of and of:
            keep_journal(output)
            with LocalReducer(settings.threads, settings.workers) as reducer:
                yield Keeping(reducer, True, is_made=True)
            return
        journal = Journal(output, key=key, adds=is_gallery, is_locked=True)
        journal.attach(aside, progress_of(progress).say)
        if is_gallery:
            journal.again = "the same command"
        before = identity(output)
        kept = Kept(run.part("kept"), key, drops=is_gallery)
        try:
            with (
                journal,
                KeptReducer(settings.threads, settings.workers, kept, kinds, journal) as reducer,
            ):
                yield Keeping(reducer, settings.force or run.goes_on)
        finally:
            is_cut_off = of and identity(output) != before  # it is made, and its journal is to be kept
            if not is_gallery and not is_cut_off:  # in a gallery, what is done is not noted again
                journal.path.unlink(missing_ok=True)  # what it says is made again
