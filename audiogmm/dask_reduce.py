"""Sums over many shards on a Dask cluster, with the same bytes as on one machine."""

from __future__ import annotations

import os
import re
import secrets
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from audiogmm.blocks import Identifiable
from audiogmm.errors import ChoiceError, MismatchError, TrainingError
from audiogmm.reduce import Addable, OnError, settled, summed
from audiogmm.version import __version__

if TYPE_CHECKING:
    from distributed import Client

S = TypeVar("S", bound=Addable)
T = TypeVar("T")
I = TypeVar("I", bound=Identifiable)  # noqa: E741

PATIENCE = 10.0
"""Seconds to wait for a scheduler to answer."""


class DaskReducer:
    """A reducer on a Dask cluster: every shard is a task, and its result is sent back.

    Shards are taken lazily, at most two for each of the workers' threads are in flight, and results are used
    in the shards' order. So memory is bounded, and the result has the same bytes as `LocalReducer`'s, for any
    number of workers. A task uses one thread. A task whose worker is lost is done by another one.

    Where the workers see this machine's temporary folder (set TMPDIR to a shared one), the frames of the
    first pass are kept there. Otherwise recordings are read again in every pass (a frame cache on a shared
    file system makes that cheap), and no frames are sent but the sample from which training starts. That sums
    in other groups: the bytes are then those of a `LocalReducer` with `max_spool_bytes=0`.

    Parameters
    ----------
    client : distributed.Client
        Connected, and not asynchronous. It stays open.

    Raises
    ------
    ChoiceError
        If it is asynchronous.
    MismatchError
        If a worker has another version of this package, or none.

    Examples
    --------
    >>> from distributed import Client
    >>> class Number(int):
    ...     id = "number"
    >>> with Client(processes=False, n_workers=2, dashboard_address=":0") as client:
    ...     DaskReducer(client).reduce([Number(1), Number(2), Number(3)], lambda number: number * 10)
    60
    """

    def __init__(self, client: Client) -> None:
        if client.asynchronous:
            raise ChoiceError("an asynchronous Client", needed="one that waits", remedy="Client(address)")
        self._client: Any = client  # Dask is typed in part
        for worker, version in client.run(_version, on_error="return").items():
            if version != __version__:
                raise MismatchError(
                    f"the Dask worker {worker} answers {version!r} when asked for its audiogmm",
                    needed=f"audiogmm {__version__}, as here, on every worker",
                    remedy=f"pip install audiogmm=={__version__} there",
                )

    def reaches(self, folder: Path) -> bool:
        """Say whether all workers see the files of this folder, and may write there."""
        probe = folder / f"probe-{secrets.token_hex(8)}"
        probe.touch()
        try:
            answers = self._client.run(_can_write_beside, str(probe))
        finally:
            probe.unlink()
        return bool(answers) and all(answers.values())

    def map(
        self, shards: Iterable[I], function: Callable[[I], T], on_error: OnError | None = None
    ) -> Iterator[T]:
        """Apply `function` to every shard, in order; as `LocalReducer.map`, but all must be picklable.

        Raises
        ------
        AudioGMMError
            The first shard's that failed, when `on_error` is None.
        OutputError
            The first one.
        TrainingError
            If the scheduler is gone, or a shard's workers died one after the other.
        """
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        with closing(self._outcomes(shards, function)) as outcomes:
            gone = (CancelledError, KilledWorker, CommClosedError)
            yield from settled(outcomes, on_error, gone, self._died)

    def reduce(
        self,
        shards: Iterable[I],
        statistic: Callable[[I], S],
        on_error: OnError | None = None,
        each: Callable[[S], None] | None = None,
    ) -> S | None:
        """Sum `statistic` over the shards, in their order; as `LocalReducer.reduce`."""
        return summed(self.map(shards, statistic, on_error), each)

    def _outcomes(
        self, shards: Iterable[I], function: Callable[[I], T]
    ) -> Generator[tuple[I, Callable[[], T]], None, None]:
        """Shards in order, each with a call that waits for its result."""
        room = 2 * max(1, sum(self._client.nthreads().values()))
        shared = self._client.scatter(_Callable(function), broadcast=True, hash=False)
        in_flight: deque[tuple[I, Any]] = deque()
        try:
            for shard in shards:
                in_flight.append((shard, self._client.submit(_call, shared, shard, pure=False)))
                if len(in_flight) == room:
                    yield _oldest(in_flight)
            while in_flight:
                yield _oldest(in_flight)
        finally:
            self._client.cancel([future for _, future in in_flight])

    def _died(self, shard_id: str) -> TrainingError:
        return TrainingError(
            f"the Dask cluster lost its work while {shard_id} was being read ({self._client.status})",
            needed="a scheduler, and workers that run to their end",
            remedy="the workers' logs; more memory for each (dask worker --memory-limit), or no cluster",
        )


@contextmanager
def connected(address: str) -> Iterator[DaskReducer]:
    """Connect to the cluster whose scheduler is at an address, such as ``tcp://host:8786``.

    Raises
    ------
    ChoiceError
        If dask is not installed, no scheduler answers there, or it has no worker.
    MismatchError
        If a worker has another version of this package, or none.
    """
    distributed = _distributed()
    if not address.startswith("inproc://") and re.fullmatch(r"(\w+://)?[^/\s]+:\d{1,5}/?", address) is None:
        raise ChoiceError(
            f"the Dask address {address!r}",
            needed="a host and a port, as in tcp://host:8786",
            remedy="the address that dask scheduler prints when it starts",
        )
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ChoiceError(
            f"no Dask scheduler answers at {address}: {error}",
            needed="the address of one that runs, such as tcp://host:8786",
            remedy="dask scheduler, and dask worker ADDRESS on each machine",
        ) from error
    with client:
        if not client.nthreads():
            raise ChoiceError(
                f"the Dask scheduler at {address} has no worker",
                needed="at least one",
                remedy=f"dask worker {address}",
            )
        yield DaskReducer(client)


def _distributed() -> ModuleType:
    try:
        import distributed
    except ImportError as error:
        raise ChoiceError(
            "dask is not installed",
            needed="dask and distributed, to use a cluster",
            remedy="pip install 'audiogmm[dask]'",
        ) from error
    module: ModuleType = distributed
    return module


class _Callable:
    """A function as a value: Dask would take a bare one for a task."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function


def _call(shared: _Callable, shard: Any) -> Any:
    return shared.function(shard)


def _version() -> str:
    """The worker's; where the package is not installed, this cannot be unpickled."""
    return __version__


def _can_write_beside(probe: str) -> bool:
    return os.path.exists(probe) and os.access(os.path.dirname(probe), os.R_OK | os.W_OK | os.X_OK)  # noqa: PTH110, PTH120


def _oldest(in_flight: deque[tuple[I, Any]]) -> tuple[I, Callable[[], Any]]:
    shard, future = in_flight.popleft()

    def outcome() -> Any:
        try:
            return future.result()
        finally:
            future.release()

    return shard, outcome
