"""Sums over many shards, by threads or worker processes, with the same bytes whatever their number."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing import current_process, get_all_start_methods, get_context
from pathlib import Path
from typing import Protocol, Self, TypeVar

from audiogmm.blocks import Identifiable
from audiogmm.errors import AudioGMMError, ChoiceError, OutputError, TrainingError
from audiogmm.processes import begin_worker, refuse_unguarded
from audiogmm.telemetry.meter import count_done, counting
from audiogmm.threads import resolve_threads

OnError = Callable[[str, AudioGMMError], None]
"""Called with the id of a shard and the error for which it was set aside."""


class Addable(Protocol):
    """Values that can be summed."""

    def __add__(self, other: Self, /) -> Self: ...


S = TypeVar("S", bound=Addable)
T = TypeVar("T")
I = TypeVar("I", bound=Identifiable)  # noqa: E741


class Reducer(Protocol):
    """Maps a function over shards and sums what it gives. The result depends on the shards' order alone."""

    def reaches(self, folder: Path) -> bool:
        """Say whether the workers read and write the files of this folder."""
        ...

    def map(
        self, shards: Iterable[I], function: Callable[[I], T], on_error: OnError | None = None
    ) -> Iterator[T]:
        """Yield what `function` returns for each shard, in their order."""
        ...

    def reduce(
        self,
        shards: Iterable[I],
        statistic: Callable[[I], S],
        on_error: OnError | None = None,
        each: Callable[[S], None] | None = None,
    ) -> S | None:
        """Return the sum over all shards, None without any; call `each` with every term, in order."""
        ...


class LocalReducer:
    """A reducer on one machine: threads of this process, or worker processes with one thread each.

    Shards are taken lazily, at most `2 * max(threads, workers)` are in flight at a time, and results are
    used in the order of the shards, whichever is ready first. So memory is bounded, and the result has the
    same bytes for any number of threads and workers.

    Inside a `with` block the worker processes are kept from one call to the next, and end with the block;
    without it each call starts its own.

    Parameters
    ----------
    threads : int or None
        Threads; None for every core that this process may use.
    workers : int
        Processes that decode and extract; 0 for the threads of this one. Functions and shards must then
        be picklable. `map` and `reduce` use them; `threaded` never does.

    Raises
    ------
    ChoiceError
        If `threads` is below 1 or `workers` below 0.

    Examples
    --------
    >>> class Number(int):
    ...     id = "number"
    >>> reducer = LocalReducer(threads=2)
    >>> reducer.reduce([Number(1), Number(2), Number(3)], lambda number: number * 10)
    60
    """

    def __init__(self, threads: int | None = None, workers: int = 0) -> None:
        self.threads = resolve_threads(threads)
        if workers < 0:
            raise ChoiceError(f"workers={workers}", needed="at least 0", remedy="0 to use threads alone")
        self.workers = workers
        self._processes: ProcessPoolExecutor | None = None
        self._users = 0

    def __enter__(self) -> Self:
        self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            self._close()

    def _close(self) -> None:
        """End the worker processes, if there are any; the next call starts new ones."""
        processes, self._processes = self._processes, None
        if processes is not None:
            processes.shutdown(wait=True, cancel_futures=True)

    @property
    def threaded(self) -> LocalReducer:
        """The same threads without worker processes: for work without decoding."""
        return LocalReducer(self.threads) if self.workers else self

    def map(
        self, shards: Iterable[I], function: Callable[[I], T], on_error: OnError | None = None
    ) -> Iterator[T]:
        """Apply `function` to every shard.

        Parameters
        ----------
        shards : iterable of Shard, or of what else has an `id`
            Taken one by one as there is room.
        function : callable
            Shard to result; picklable if there are workers.
        on_error : callable or None
            Called with the id of each shard for which `function` raised an error of `audiogmm.errors`, and
            with the error; the shard is left out. None: the first such error is raised.

        Yields
        ------
        object
            What `function` returned, in the order of the shards.

        Raises
        ------
        AudioGMMError
            The first shard's that failed, when `on_error` is None.
        OutputError
            The first one: what cannot be written for one shard cannot be written for the next.
        TrainingError
            If a worker process died.
        """
        with self, closing(self._outcomes(shards, function)) as outcomes:
            yield from settled(outcomes, on_error, BrokenProcessPool, self._died)

    def reduce(
        self,
        shards: Iterable[I],
        statistic: Callable[[I], S],
        on_error: OnError | None = None,
        each: Callable[[S], None] | None = None,
    ) -> S | None:
        """Sum `statistic` over the shards, in their order.

        Parameters
        ----------
        shards, on_error
            As for `map`.
        statistic : callable
            Shard to a value that can be added.
        each : callable or None
            Called with every term, in order, as it is added.

        Returns
        -------
        object or None
            The sum; None when there was no shard, or all were set aside.
        """
        return summed(self.map(shards, statistic, on_error), each)

    def reaches(self, folder: Path) -> bool:
        """Return True: threads and processes of this machine see the files of this process."""
        return True

    def _died(self, shard_id: str) -> TrainingError:
        """Return the error after a worker process has died, with which all the others end."""
        self._close()
        return TrainingError(
            f"a worker process died while {shard_id} was being read",
            needed=f"{self.workers} processes that run to their end",
            remedy="fewer workers if memory ran out, workers=0 to see the cause, or, in a script, the call "
            "below if __name__ == '__main__':",
        )

    def _outcomes(
        self, shards: Iterable[I], function: Callable[[I], T]
    ) -> Generator[tuple[I, Callable[[], T]], None, None]:
        """Yield shards in order, each with a call that waits for its result."""
        if not self.workers and self.threads == 1:
            for shard in shards:
                yield shard, lambda shard=shard: function(shard)  # type: ignore[misc]
            return
        executor = self._executor()
        in_flight: deque[tuple[I, Callable[[], T]]] = deque()
        try:
            for shard in shards:
                with _interrupts_blocked():  # in what submit starts
                    in_flight.append((shard, _submit(executor, function, shard)))
                if len(in_flight) == 2 * (self.workers or self.threads):
                    yield in_flight.popleft()
            while in_flight:
                yield in_flight.popleft()
        finally:
            if isinstance(executor, ThreadPoolExecutor):
                executor.shutdown(wait=True, cancel_futures=True)
            elif in_flight:  # ended early: no more results are needed
                self._close()

    def _executor(self) -> Executor:
        if not self.workers:
            return ThreadPoolExecutor(self.threads, thread_name_prefix="audiogmm")
        if self._processes is None:
            if current_process().daemon:
                raise ChoiceError(
                    f"workers={self.workers} inside {current_process().name}, which may have no children",
                    needed="workers=0 there: this process is a worker itself",
                    remedy="threads, or in Dask: distributed.worker.daemon: False",
                )
            refuse_unguarded(self.workers)
            method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
            self._processes = ProcessPoolExecutor(
                self.workers, mp_context=get_context(method), initializer=begin_worker
            )
        return self._processes


def settled(
    outcomes: Iterable[tuple[I, Callable[[], T]]],
    on_error: OnError | None,
    died: type[Exception] | tuple[type[Exception], ...],
    explain: Callable[[str], TrainingError],
) -> Iterator[T]:
    """Yield the results, in order, of the shards that could be used.

    Parameters
    ----------
    outcomes : iterable of (Shard, callable)
        A shard, and a call that waits for its result.
    on_error : callable or None
        As for `LocalReducer.map`.
    died : type, or tuple of types
        Raised where the worker of a shard has died, which is not a fault of the recording.
    explain : callable
        Makes the error to be raised then, from the id of the shard.
    """
    for shard, outcome in outcomes:
        try:
            result = outcome()
        except OutputError:  # a full disk is not a fault of the recording
            raise
        except AudioGMMError as error:
            if on_error is None:
                raise
            on_error(shard.id, error)
            continue
        except died as error:
            raise explain(shard.id) from error
        yield result


def summed(terms: Iterable[S], each: Callable[[S], None] | None = None) -> S | None:
    """Sum from the left, None of nothing; `each` is called with every term."""
    total: S | None = None
    for term in terms:
        total = term if total is None else total + term
        if each is not None:
            each(term)
    return total


def _submit(executor: Executor, function: Callable[[I], T], shard: I) -> Callable[[], T]:
    """Start a call; return one that waits for its result, and counts here what a worker process counted."""
    if isinstance(executor, ThreadPoolExecutor):
        return executor.submit(function, shard).result
    future = executor.submit(counting, function, shard)

    def result() -> T:
        found, counted = future.result()
        count_done(**counted)
        return found

    return result


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C; processes started meanwhile never get it, since their parent handles it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
