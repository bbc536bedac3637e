"""Both reducers keep one contract: order, bounds, errors, and the same bytes whatever does the work."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from distributed import Client, LocalCluster

from audiogmm import dask_reduce
from audiogmm.cli.main import main
from audiogmm.dask_reduce import DaskReducer, connected
from audiogmm.errors import AudioFileError, ChoiceError, MismatchError, OutputError, TrainingError
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.training import TrainingResult, train_mixture
from audiogmm.training.settings import Algorithm
from audiogmm.types import CovarianceType
from tests.training.shards import Recording, blobs, recordings

FORMS = get_args(CovarianceType)


@dataclass(frozen=True)
class Item:
    number: int

    @property
    def id(self) -> str:
        return f"item {self.number}"


def ten_times(item: Item) -> int:
    if item.number == 3:
        raise AudioFileError("item 3 is broken", needed="a whole one", remedy="another")
    return 10 * item.number


def disk_full(item: Item) -> int:
    raise OutputError("the disk is full")


def die(item: Item) -> int:
    import os

    os._exit(1)


@contextmanager
def cluster(n_workers: int, **options: object) -> Iterator[Client]:
    settings = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"} | options
    with LocalCluster(n_workers=n_workers, **settings) as made, Client(made, set_as_default=False) as client:
        yield client


@contextmanager
def reducer_of(kind: str) -> Iterator[Reducer]:
    """threads:N, workers:N (processes), dask:N (threads of this process)."""
    name, n = kind.split(":")
    if name == "dask":
        with cluster(int(n)) as client:
            yield DaskReducer(client)
    else:
        with LocalReducer(int(n)) if name == "threads" else LocalReducer(1, workers=int(n)) as reducer:
            yield reducer


EVERY = ["threads:1", "threads:3", "workers:2", "dask:2"]


@pytest.mark.parametrize("kind", EVERY)
def test_results_come_in_order_and_failures_are_set_aside(kind: str) -> None:
    heard, each = [], []
    with reducer_of(kind) as reducer:
        results = list(
            reducer.map(map(Item, range(6)), ten_times, lambda shard, error: heard.append((shard, error)))
        )
        total = reducer.reduce(map(Item, range(3)), ten_times, each=each.append)
        nothing = reducer.reduce([], ten_times)
        with pytest.raises(AudioFileError, match="item 3 is broken"):
            list(reducer.map(map(Item, range(6)), ten_times))
        with pytest.raises(OutputError, match="the disk is full"):
            list(reducer.map(map(Item, range(6)), disk_full, lambda *_: None))
    assert results == [0, 10, 20, 40, 50]
    assert (total, each, nothing) == (30, [0, 10, 20], None)
    [(name, error)] = heard
    assert name == "item 3"
    assert isinstance(error, AudioFileError)
    assert (error.what, error.needed, error.remedy) == ("item 3 is broken", "a whole one", "another")


FIRST_MAY_END = threading.Event()


def wait_for_leave(item: Item) -> int:
    if item.number == 0:
        assert FIRST_MAY_END.wait(10)
    return item.number


@pytest.mark.parametrize("kind", ["threads:2", "dask:2"])
def test_few_shards_are_in_flight(kind: str) -> None:
    """A slow first shard must not let the reducer read ahead without bound."""
    taken: list[int] = []
    FIRST_MAY_END.clear()

    def shards() -> Iterator[Item]:
        for number in range(100):
            taken.append(number)
            yield Item(number)

    with reducer_of(kind) as reducer:
        results = reducer.map(shards(), wait_for_leave)
        waiting = threading.Thread(target=lambda: next(results))
        waiting.start()
        deadline = time.monotonic() + 10
        while len(taken) < 4 and time.monotonic() < deadline:
            pass
        assert len(taken) == 4  # two threads, twice
        FIRST_MAY_END.set()
        waiting.join()
        assert list(results) == list(range(1, 100))


@pytest.mark.parametrize("kind", ["threads:3", "dask:2"])
def test_what_is_not_wanted_any_more_is_not_done(kind: str) -> None:
    with reducer_of(kind) as reducer:
        results = reducer.map(map(Item, range(10**9)), wait_for_leave)
        FIRST_MAY_END.set()
        assert next(results) == 0
        results.close()  # type: ignore[attr-defined]
        assert list(reducer.map([Item(1)], wait_for_leave)) == [1]


def test_a_worker_that_dies_is_an_error_that_says_so() -> None:
    with LocalReducer(1, workers=1) as reducer:
        with pytest.raises(TrainingError, match=r"a worker process died while item 0.*fewer workers"):
            list(reducer.map([Item(0)], die))
        assert list(reducer.map([Item(1)], ten_times)) == [10]  # and it can be used again


@pytest.mark.parametrize(("threads", "workers"), [(0, 0), (1, -1)])
def test_impossible_numbers_are_refused(threads: int, workers: int) -> None:
    with pytest.raises(ChoiceError, match=r"=(0|-1); needed: at least"):
        LocalReducer(threads, workers)


def bad_recording() -> Recording:
    return Recording("bad", blobs(300), fails_at=200)


def trained(reducer: Reducer, form: str, max_spool_bytes: int, algorithm: Algorithm = "em") -> TrainingResult:
    return train_mixture(
        [*recordings(blobs(60_000), 5000), bad_recording()],
        n_components=4,
        covariance_type=form,  # type: ignore[arg-type]
        algorithm=algorithm,
        passes=2,
        tol=0,
        reducer=reducer,
        max_spool_bytes=max_spool_bytes,
    )


def assert_same_bytes(results: list[TrainingResult]) -> None:
    first = results[0]
    assert [str(row.error) for row in first.set_aside] == ["bad.wav is truncated at row 200"]
    for result in results:
        assert result.mixture.fingerprint == first.mixture.fingerprint
        assert result.statistics == first.statistics
        assert result.history == first.history
        assert result.mean.tobytes() == first.mean.tobytes()
        assert result.spooled == first.spooled


@pytest.mark.parametrize("form", [*FORMS, "kmeans"])
@pytest.mark.parametrize("max_spool_bytes", [1 << 30, 0])
def test_the_same_bytes_for_any_number_of_threads_and_workers(form: str, max_spool_bytes: int) -> None:
    results = []
    for kind in ("threads:1", "threads:2", "threads:7", "dask:1", "dask:2", "dask:7"):
        with reducer_of(kind) as reducer:
            if form == "kmeans":
                results.append(trained(reducer, "spherical", max_spool_bytes, "kmeans"))
            else:
                results.append(trained(reducer, form, max_spool_bytes))
    assert results[0].spooled == (max_spool_bytes > 0)
    assert_same_bytes(results)


def test_the_same_bytes_in_worker_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine, and of Dask; and where no worker sees the temporary files of this one."""
    with LocalReducer(1, workers=2) as pool, cluster(2, processes=True) as client:
        dask = DaskReducer(client)
        for max_spool_bytes in (1 << 30, 0):
            reducers = (LocalReducer(1), pool, dask)
            results = [trained(reducer, "diag", max_spool_bytes) for reducer in reducers]
            assert_same_bytes(results)
        monkeypatch.setattr(DaskReducer, "reaches", lambda *_: False)
        assert_same_bytes([*results, trained(dask, "diag", 1 << 30)])
        assert client.submit(use_inside_a_worker, pure=False).result() == "workers=2 inside"
        with pytest.raises(TrainingError, match=r"the Dask cluster lost its work while item 0.*workers"):
            list(dask.map([Item(0)], die))


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "a.npy", blobs(2000))
    settings = {"n_components": 3, "passes": 3}
    here = train_to_file(str(tmp_path / "a.npy"), tmp_path / "here.agmm", None, **settings)
    with cluster(2) as client:
        address = client.scheduler.address
        there = train_to_file(
            str(tmp_path / "a.npy"), tmp_path / "there.agmm", None, dask=address, **settings
        )
    assert there.model.mixture.fingerprint == here.model.mixture.fingerprint
    both = [
        "train",
        str(tmp_path / "a.npy"),
        "-o",
        str(tmp_path / "x"),
        "--dask",
        "tcp://x",
        "--workers",
        "2",
    ]
    with pytest.raises(SystemExit, match="2"):
        main(both)
    assert "--dask tcp://x and --workers 2" in capsys.readouterr().err


def use_inside_a_worker() -> str:
    """What a task of the user's own may do: threads, and no processes."""
    result = train_mixture(recordings(blobs(9000), 3000), n_components=2, passes=1, reducer=LocalReducer(3))
    assert np.isfinite(result.mixture.means).all()
    with pytest.raises(ChoiceError, match=r"workers=2 inside .*workers=0 there") as caught:
        list(LocalReducer(1, workers=2).map([Item(1)], ten_times))
    return str(caught.value)[:16]


def test_a_folder_that_workers_do_not_see(tmp_path: Path) -> None:
    with cluster(1) as client:
        reducer = DaskReducer(client)
        assert reducer.reaches(tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_a_recording_that_goes_before_its_frames_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalReducer, "reaches", lambda *_: False)
    heard: list[str] = []
    fragile = Fragile("fragile", blobs(4000))
    result = train_mixture(
        [*recordings(blobs(8000, seed=1), 4000), fragile],
        n_components=2,
        passes=1,
        reducer=LocalReducer(1),
        on_error=lambda shard, error: heard.append(f"{shard}: {error}"),
    )
    assert heard == ["fragile: fragile went away"]
    assert result.n_frames == 8000
    with pytest.raises(TrainingError, match=r"do not share this machine's temporary folder.*second time"):
        train_mixture(iter([fragile]), n_components=2)


class Fragile(Recording):
    """Can be read once."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        if self.reads:
            raise AudioFileError("fragile went away")
        yield from super().__iter__()


def test_clusters_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_reduce, "PATIENCE", 0.3)
    with (
        pytest.raises(ChoiceError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1.*dask worker"),
        connected("tcp://127.0.0.1:1"),
    ):
        pass
    with cluster(1) as client:
        monkeypatch.setattr(dask_reduce, "__version__", "9.9")
        monkeypatch.setattr(dask_reduce, "_version", _other_version)
        with pytest.raises(MismatchError, match=r"answers '0\.0\.1'.*pip install audiogmm==9\.9"):
            DaskReducer(client)
    with cluster(0) as empty:
        address = empty.scheduler.address
        with pytest.raises(ChoiceError, match=f"{address} has no worker.*dask worker"), connected(address):
            pass


def _other_version() -> str:
    return "0.0.1"


def test_without_dask_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with (
        pytest.raises(ChoiceError, match=r"dask is not installed.*pip install 'audiogmm\[dask\]'"),
        connected("tcp://x:1"),
    ):
        pass


FORKED = """
import multiprocessing, sys
import numpy as np
from audiogmm.reduce import LocalReducer
from audiogmm.training import train_mixture
from audiogmm.training.frames.source import ArraySlice
frames = np.random.default_rng(0).normal(size=(30000, 3)).astype(np.float32)
shards = [ArraySlice(str(i), frames[i : i + 5000]) for i in range(0, 30000, 5000)]
def train():
    return train_mixture(shards, n_components=2, passes=1, reducer=LocalReducer(3)).mixture.fingerprint
before = train()
context = multiprocessing.get_context("fork")
receive, send = context.Pipe(False)
child = context.Process(target=lambda: send.send(train()))
child.start()
sys.exit(0 if receive.poll(60) and receive.recv() == before else 1)
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_forked_child_trains_after_its_parent_used_threads() -> None:
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=90, check=False).returncode == 0
