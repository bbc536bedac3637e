"""The local reducer: order, bounds, errors, and the same bytes for any number of threads and workers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
from training_shards import Recording, blobs, recordings

from audiogmm.errors import AudioFileError, ChoiceError, TrainingError
from audiogmm.training import LocalReducer, train_mixture


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


def die(item: Item) -> int:
    import os

    os._exit(1)


@pytest.mark.parametrize(("threads", "workers"), [(1, 0), (3, 0), (1, 2)])
def test_results_come_in_order_and_failures_are_set_aside(threads: int, workers: int) -> None:
    heard = []
    with LocalReducer(threads, workers) as reducer:
        results = list(
            reducer.map(map(Item, range(6)), ten_times, lambda shard, error: heard.append((shard, error)))
        )
        total = reducer.reduce(map(Item, range(3)), ten_times)
    assert results == [0, 10, 20, 40, 50]
    assert total == 30
    [(name, error)] = heard
    assert name == "item 3"
    assert isinstance(error, AudioFileError)
    assert (error.what, error.needed, error.remedy) == ("item 3 is broken", "a whole one", "another")


@pytest.mark.parametrize("threads", [1, 3])
def test_without_a_listener_the_first_failure_is_raised(threads: int) -> None:
    with pytest.raises(AudioFileError, match="item 3 is broken"):
        list(LocalReducer(threads).map(map(Item, range(6)), ten_times))


def test_no_shard_sums_to_none() -> None:
    assert LocalReducer(2).reduce([], ten_times) is None


def test_few_shards_are_in_flight() -> None:
    """A slow first shard must not let the reducer read ahead without bound."""
    taken, first_may_end = [], threading.Event()

    def shards():
        for number in range(100):
            taken.append(number)
            yield Item(number)

    def function(item: Item) -> int:
        if item.number == 0:
            assert first_may_end.wait(10)
        return item.number

    results = LocalReducer(2).map(shards(), function)
    waiting = threading.Thread(target=lambda: next(results))
    waiting.start()
    deadline = time.monotonic() + 10
    while len(taken) < 4 and time.monotonic() < deadline:
        pass
    assert len(taken) == 4  # two threads, twice
    first_may_end.set()
    waiting.join()
    assert list(results) == list(range(1, 100))


def test_a_worker_that_dies_is_an_error_that_says_so() -> None:
    with LocalReducer(1, workers=1) as reducer:
        with pytest.raises(TrainingError, match=r"a worker process died while item 0.*fewer workers"):
            list(reducer.map([Item(0)], die))
        assert list(reducer.map([Item(1)], ten_times)) == [10]  # and it can be used again


@pytest.mark.parametrize(("threads", "workers"), [(0, 0), (1, -1)])
def test_impossible_numbers_are_refused(threads: int, workers: int) -> None:
    with pytest.raises(ChoiceError, match=r"=(0|-1); needed: at least"):
        LocalReducer(threads, workers)


@pytest.mark.parametrize("algorithm", ["em", "kmeans"])
@pytest.mark.parametrize("max_spool_bytes", [1 << 30, 0])
def test_the_same_bytes_for_any_number_of_threads(algorithm: str, max_spool_bytes: int) -> None:
    shards = [*recordings(blobs(60_000), 5000), Recording("bad", blobs(300), fails_at=200)]
    results = [
        train_mixture(
            shards,
            n_components=4,
            algorithm=algorithm,  # type: ignore[arg-type]
            passes=3,
            tol=0,
            reducer=LocalReducer(threads),
            max_spool_bytes=max_spool_bytes,
        )
        for threads in (1, 2, 7)
    ]
    assert len({result.mixture.fingerprint for result in results}) == 1
    assert results[0].history == results[1].history == results[2].history
    assert results[0].spooled == (max_spool_bytes > 0)
    assert all(result.statistics == results[0].statistics for result in results)


@pytest.mark.parametrize("max_spool_bytes", [1 << 30, 0])
def test_the_same_bytes_for_any_number_of_workers(max_spool_bytes: int) -> None:
    frames = blobs(20_000)
    shards = [*recordings(frames, 1000), Recording("bad", frames[:300], fails_at=200)]
    with LocalReducer(1, workers=2) as with_workers:
        results = [
            train_mixture(shards, n_components=4, passes=2, reducer=reducer, max_spool_bytes=max_spool_bytes)
            for reducer in (LocalReducer(1), with_workers)
        ]
    assert results[0].mixture == results[1].mixture
    assert [str(row.error) for row in results[1].set_aside] == ["bad.wav is truncated at row 200"]
    assert np.array_equal(results[0].mean, results[1].mean)
