"""One run over recordings: what all verbs share from opening the inputs to closing the workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from audiogmm.blocks import Shard
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.inputs import Extent, Inputs, open_inputs
from audiogmm.runs.journal import Journal
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.settings import RunSettings, StreamOptions
from audiogmm.runs.sources import Source
from audiogmm.runs.streams import PooledShards
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model

T = TypeVar("T")


class Batch:
    """One run over recordings; inside its `with` block the worker processes are kept.

    Parameters
    ----------
    output : Path or None
        What the run writes, beside which the recordings that are set aside are listed. None for a run in
        memory: its first bad recording raises.
    settings : RunSettings
        Threads, processes, and how strict the run is.
    progress : Progress, optional
        Receives the stages of the run and its notes, see `progress_of`.
    aside : Aside, optional
        Takes the recordings that cannot be used, in place of that list.
    reducer : LocalReducer, optional
        In place of one with the threads and processes of the settings.

    Attributes
    ----------
    progress
        The one above.
    reducer : LocalReducer
        The threads and processes.

    Examples
    --------
    >>> from audiogmm.manifest import Entry
    >>> with Batch(None, RunSettings(threads=1)) as batch:
    ...     inputs = Inputs([Entry("a.wav", id="a", duration=9.0)], None, batch.aside, batch.progress.say)
    ...     for id in batch.map("counting", inputs, lambda recording: recording.id):
    ...         batch.advance(9.0)
    ...         print(id)
    a
    """

    def __init__(
        self,
        output: Path | None,
        settings: RunSettings,
        progress: Progress | bool | None = None,
        *,
        aside: Aside | None = None,
        reducer: LocalReducer | None = None,
    ) -> None:
        self.progress = progress_of(progress)
        self._output = output
        self._aside = aside
        self.reducer = reducer or LocalReducer(settings.threads, settings.workers)
        self._settings = settings
        self._extent = Extent(0, "")
        self._source: str | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.callback(self.progress.end)
        if self._aside is None:
            self._aside = self._open.enter_context(set_aside_by(self._output, self._settings.strict))
        self._open.enter_context(self.reducer)
        return self

    @property
    def aside(self) -> Aside:
        """What takes the recordings that cannot be used."""
        assert self._aside is not None, "inside the `with` block only"
        return self._aside

    def __exit__(self, *failure: Any) -> None:
        self._open.__exit__(*failure)

    def open(self, model: Model, source: Source, *, again: bool = False) -> Inputs:
        """Open what a model is applied to, through its own front end.

        Parameters
        ----------
        model : Model
        source : Source
        again : bool
            The recordings are read more than once. (With worker processes they are taken to be.)

        Raises
        ------
        MismatchError
            If a frame cache has no frames of the model's front end.
        """
        if isinstance(source, str | os.PathLike):
            self._source = os.fspath(source)
        return open_inputs(
            source,
            model=model,
            aside=self.aside,
            say=self.progress.say,
            upsample=self._settings.upsample,
            again=again or self._settings.workers > 0,
            choice=self._settings.choice,
            streams=self._settings.streams if isinstance(self._settings, StreamOptions) else None,
        )

    def map(
        self,
        what: str,
        inputs: Inputs,
        task: Callable[[Any], T],
        journal: Journal | None = None,
        *,
        shards: Iterable[Shard] | None = None,
        is_made: Callable[[Json], bool] = lambda _: True,
    ) -> Iterator[T]:
        """Apply a task to every recording, in their order, as one stage of progress.

        Recordings that cannot be used are set aside. With a journal, those that an earlier run finished are
        left out, and what the task returns (a row with an `id`) is noted in it.

        Parameters
        ----------
        what : str
            Name of the stage.
        inputs : Inputs
            The recordings.
        task : callable
            Runs in a thread, or in a worker process.
        journal : Journal, optional
            Kept open until the end of the run, so that its rows can be read.
        shards : iterable of Shard, optional
            What the task is given, in place of the recordings as they are.
        is_made : callable
            Whether what the earlier run wrote of the recording with this row is still there.

        Yields
        ------
        object
            What the task returns of a recording; the caller then calls `advance`.
        """
        self._extent = inputs.extent()
        self.progress.begin(what, self._extent.total, self._extent.unit)
        waiting = inputs if shards is None else shards
        in_threads = isinstance(shards, PooledShards) and self.reducer.workers and inputs.has_times
        reducer = self.reducer.threaded if in_threads else self.reducer  # a stream sets its pieces aside here
        if journal is None:
            yield from reducer.map(waiting, task, inputs.refuse)
        else:
            journal.attach(self.aside, self.progress.say, self._extent.recordings, self._source)
            journal = self._open.enter_context(journal)
            yield from journal.map(reducer, waiting, task, inputs.refuse, is_made=is_made)
        self.progress.end()

    def advance(self, seconds: float, note: str = "") -> None:
        """Move the progress of `map` on by one recording of this length."""
        self.progress.advance(self._extent.part(seconds), note)
