"""How many frames tell as much as an independent one: where theory knows it."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest
from scipy.signal import lfilter

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training.first_pass import read_training_data
from audiogmm.training.selection import dependence
from audiogmm.training.selection.dependence import LONGEST_BATCH, dependence_times
from tests.naive import selection as naive
from tests.training.shards import Recording, blobs, recordings


def time_of(
    shards: list[Recording], mixture: Mixture | None = None, threads: int = 2, spool: int = 8 << 30
) -> float:
    """Under one Gaussian with the mean and variances of all frames, or a mixture."""
    if mixture is None:
        frames = np.concatenate([shard.frames for shard in shards])
        mixture = Mixture([1.0], frames.mean(axis=0)[None], frames.var(axis=0)[None], "diag")
    with ExitStack() as resources:
        reducer = LocalReducer(threads)
        found = read_training_data(
            shards, reducer=reducer, sample_size=1, seed=0, max_spool_bytes=spool, resources=resources
        )
        return dependence_times(found, [mixture], reducer)[0]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.97])
def test_autoregression(rho: float) -> None:
    """AR(1): the variance of the mean is that of n (1 - rho) / (1 + rho) independent values."""
    noise = np.random.default_rng(1).normal(size=(60_000, 60))
    frames = lfilter([1.0], [1.0, -rho], noise, axis=0).astype(np.float32)
    assert time_of(recordings(frames, 6000)) == pytest.approx((1 + rho) / (1 - rho), rel=0.15)


@pytest.mark.parametrize("overlap", [1, 2, 5])
def test_overlapping_windows_of_white_noise(overlap: int) -> None:
    """Sums over windows of `overlap` hops: correlated as a triangle, whose sum is `overlap`."""
    noise = np.random.default_rng(2).normal(size=(60_000, 60))
    frames = lfilter(np.ones(overlap), [1.0], noise, axis=0).astype(np.float32)
    assert time_of(recordings(frames, 4000)) == pytest.approx(overlap, rel=0.12)


def test_frames_written_down_four_times_count_once() -> None:
    frames = np.random.default_rng(3).normal(size=(12_000, 8)).astype(np.float32)
    once = time_of(recordings(frames, 500))
    assert time_of(recordings(np.repeat(frames, 4, axis=0), 2000)) == pytest.approx(4 * once, rel=0.03)


def test_what_differs_between_recordings_counts() -> None:
    random = np.random.default_rng(4)
    frames = random.normal(size=(300, 100, 6)) + 0.5 * random.normal(size=(300, 1, 6))
    shards = recordings(frames.reshape(-1, 6).astype(np.float32), 100)
    assert time_of(shards) == pytest.approx(
        (1 + 100 * 0.25) / 1.25, rel=0.15
    )  # the design effect (Kish 1965)


@pytest.mark.parametrize("spool", [8 << 30, 0])
def test_it_is_the_formula_for_any_number_of_threads(spool: int) -> None:
    frames = blobs(700, D=2, K=3, seed=5, spread=1.0)
    shards = recordings(frames, 90)
    mixture = Mixture([0.2, 0.5, 0.3], frames[:3].astype(np.float64), np.full((3, 2), 2.0), "diag")
    length = min(int(700 ** (2 / 3)), LONGEST_BATCH)
    batches = [
        range(first, min(first + length, start + 90, 700))
        for start in range(0, 700, 90)
        for first in range(start, min(start + 90, 700), length)
    ]
    shares, _ = naive.posteriors(frames, mixture.weights, mixture.means, mixture.covariances, "diag")
    expected = naive.dependence(frames, batches, shares, mixture.means)
    assert expected > 1
    found = [time_of(shards, mixture, threads, spool) for threads in (1, 3)]
    assert found[0] == found[1] == pytest.approx(expected, rel=1e-6)


def test_a_single_frame_or_a_constant_tells_nothing_else() -> None:
    mixture = Mixture([1.0], [[0.0]], [[1.0]], "diag")
    assert time_of([Recording("a", np.ones((1, 1), np.float32))], mixture) == 1.0
    assert time_of([Recording("a", np.zeros((50, 1), np.float32))], mixture) == 1.0


def test_of_many_frames_some_are_looked_at_evenly_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    of, rows = dependence.ScoreVariance.of, []

    def heard(evaluator: Evaluator, frames: np.ndarray) -> dependence.ScoreVariance:
        rows.append(len(frames))
        return of(evaluator, frames)

    monkeypatch.setattr(dependence.ScoreVariance, "of", heard)
    monkeypatch.setattr(dependence, "LOOKED_AT", 12_000)
    frames = np.random.default_rng(6).normal(size=(60_000, 2)).astype(np.float32)
    time_of(recordings(frames, 6000))
    assert 8_000 <= sum(rows) <= 20_000
