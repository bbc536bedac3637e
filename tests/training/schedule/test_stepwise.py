"""Stepwise EM: against the formulas, faster than batch EM, in any order of the corpus, the same bytes."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.mixture.expected import expected_statistics
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.maximization import maximize
from audiogmm.reduce import LocalReducer
from audiogmm.training import train_mixture
from audiogmm.training.frames.shuffle import shuffled
from audiogmm.training.frames.source import SET_ASIDE, ArraySource, RereadSource
from audiogmm.training.frames.spool import Spool
from audiogmm.training.schedule import stepwise as module
from audiogmm.training.schedule import stepwise_pass as steps_of_a_pass
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.settings import MixtureSettings
from audiogmm.types import CovarianceType
from tests.naive.stepwise_pass import stepwise_pass
from tests.training.schedule.test_batch import start_from, train_from
from tests.training.shards import Recording, blobs, recordings

FORMS = get_args(CovarianceType)


@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(30, 70),
    D=st.integers(1, 3),
    K=st.integers(1, 3),
    batch=st.integers(8, 30),
    seed=st.integers(0, 1000),
)
def test_a_pass_is_the_formula(n: int, D: int, K: int, batch: int, seed: int) -> None:
    frames = blobs(n, D, K, seed, spread=1.0)
    start = start_from(frames, K, "diag", seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps_of_a_pass, "LEAST_WEIGHT", 0.0)  # none is rescued: the formulas alone
        stepwise = Stepwise(1, batch=batch, averaging=0.0)
        options = {"algorithm": "stepwise", "stepwise": stepwise, "seed": seed}
        result = train_from(start, frames, passes=1, **options)
    order = np.random.SeedSequence([seed, module._TAG, 1])
    batches = [rows.copy() for rows in shuffled(ArraySource(frames), batch, order)]
    parameters = (start.weights, start.means, start.covariances)
    _, unit, memory = form_of("diag").stepwise
    constants = (unit, memory, steps_of_a_pass.SMOOTHING)
    weights, means, variances = stepwise_pass(batches, parameters, 0.51, *constants, 1)
    np.testing.assert_allclose(result.mixture.weights, weights, rtol=1e-4)
    np.testing.assert_allclose(result.mixture.means, means, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.mixture.covariances, variances, rtol=1e-3, atol=1e-4)
    assert result.history[0].stepwise


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ordered", [True, False])
def test_two_passes_go_further_than_six_of_batch_em(form: str, ordered: bool) -> None:
    frames = blobs(30_000, D=5, K=24, seed=2, spread=2.0)
    if ordered:  # as a corpus that is sorted by speaker
        frames = np.ascontiguousarray(frames[np.argsort(frames[:, 0])])
    start = start_from(frames, 24, form, seed=4)
    batch = train_from(start, frames, passes=7)
    ours = train_from(start, frames, passes=5, algorithm="stepwise", floor=1e-4)
    stepwise, exact = ours.history[:2], ours.history[2:]
    assert [report.stepwise for report in ours.history] == [True, True, False, False, False]
    assert exact[0].log_likelihood > batch.history[6].log_likelihood
    gains = [report.gain for report in exact]
    assert gains[0] is None
    assert all(gain is not None and gain > -1e-6 for gain in gains[1:])
    assert all(report.gain is None for report in stepwise)


@pytest.mark.parametrize("threads", [2, 7])
def test_the_same_bytes_for_any_number_of_threads(threads: int) -> None:
    shards = recordings(blobs(9000, K=6), 1000)
    options = {"n_components": 6, "algorithm": "stepwise", "passes": 3, "stepwise": Stepwise(batch=3000)}
    one = train_mixture(shards, reducer=LocalReducer(1), **options)  # type: ignore[arg-type]
    many = train_mixture(shards, reducer=LocalReducer(threads), **options)  # type: ignore[arg-type]
    assert one.mixture == many.mixture
    assert one.statistics == many.statistics
    assert one.statistics is not None
    assert one.statistics.n_frames == pytest.approx(9000)


def test_components_of_little_weight_are_rescued_and_named() -> None:
    frames = blobs(6000, D=3, K=4, spread=6.0)
    start = start_from(frames, 4, "diag")
    means = start.means.copy()
    means[2] = 1e4
    far = type(start)(start.weights, means, start.covariances, "diag")
    result = train_from(far, frames, passes=2, algorithm="stepwise", floor=1e-4)
    assert 2 in result.history[0].rescued
    assert result.mixture.weights.min() > 0.02
    assert np.abs(result.mixture.means).max() < 100


def test_averaging_counts_every_frame_of_the_last_pass_once() -> None:
    frames = blobs(5000, K=3)
    start = start_from(frames, 3, "diag")
    last, half, whole = (
        train_from(start, frames, passes=2, algorithm="stepwise", stepwise=Stepwise(averaging=share))
        for share in (0.0, 0.5, 1.0)
    )
    for result in (last, half, whole):
        assert result.statistics is not None
        assert result.statistics.n_frames == pytest.approx(5000)
        np.testing.assert_allclose(result.mixture.means, last.mixture.means, atol=0.3)
    mean = frames.mean(axis=0, dtype=np.float64)
    centers = [result.mixture.weights @ result.mixture.means for result in (last, half, whole)]
    np.testing.assert_allclose(centers[2], mean, rtol=1e-5, atol=1e-5)  # of all frames
    assert np.abs(centers[0] - mean).max() > 1e-3  # of the last ones more than of others
    assert np.abs(centers[1] - mean).max() > 1e-3


@pytest.mark.parametrize(
    ("passes", "stepwise", "words"),
    [
        (2, Stepwise(5), r"passes=2 with stepwise passes=5; needed: at least 5 .*--passes 5.*at most 2"),
        (1, None, r"passes=1 with stepwise passes=2; needed: at least 2 .*--passes 2, or .*at most 1"),
    ],
)
def test_stopping_before_the_last_step_is_refused(passes: int, stepwise: Stepwise | None, words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        MixtureSettings(n_components=2, algorithm="stepwise", passes=passes, stepwise=stepwise)
    MixtureSettings(n_components=2, algorithm="stepwise", passes=0, stepwise=stepwise)  # the start itself
    least = (stepwise or Stepwise()).passes
    MixtureSettings(n_components=2, algorithm="stepwise", passes=least, stepwise=stepwise)


@pytest.mark.parametrize("form", FORMS)
def test_what_a_mixture_expects_gives_it_back(form: str) -> None:
    mixture = train_from(start_from(blobs(2000), 4, form), blobs(2000), passes=2).mixture
    again, _ = maximize(expected_statistics(mixture, 50.0))
    np.testing.assert_allclose(again.weights, mixture.weights)
    np.testing.assert_allclose(again.means, mixture.means, atol=1e-10)
    np.testing.assert_allclose(again.covariances, mixture.covariances, rtol=1e-9, atol=1e-10)


def numbered(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float32)[:, None]


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 500),
    batch=st.integers(1, 90),
    block=st.integers(1, 50),
    window=st.integers(1, 200),
    seed=st.integers(0, 99),
)
def test_every_frame_comes_once(n: int, batch: int, block: int, window: int, seed: int) -> None:
    order = np.random.SeedSequence(seed)
    sizes, rows = [], []
    for frames in shuffled(ArraySource(numbered(n)), batch, order, block, window):
        sizes.append(len(frames))
        rows.extend(frames[:, 0].tolist())
    assert sorted(rows) == list(range(n))
    assert all(size == batch for size in sizes[:-1])


def test_a_batch_draws_from_all_over_the_corpus_and_a_spool_gives_the_same(tmp_path: Path) -> None:
    frames = numbered(200_000)
    order = np.random.SeedSequence(1)
    batches = [rows[:, 0].copy() for rows in shuffled(ArraySource(frames), 1000, order)]
    for rows in batches:
        counts, _ = np.histogram(rows, bins=10, range=(0, len(frames)))
        assert counts.min() > 40  # 100 expected of each tenth
    with Spool(tmp_path / "spool", 1 << 30) as spool:
        spool.append(frames)
        for ours, theirs in zip(shuffled(spool, 1000, order), batches, strict=True):
            np.testing.assert_array_equal(ours[:, 0], theirs)


def test_recordings_that_are_read_anew_come_in_order_and_the_bad_are_set_aside() -> None:
    frames = numbered(300)
    bad = Recording("bad", frames[:100], block=10, fails_at=20)
    shards = [Recording("a", frames[:100]), bad, Recording("c", frames[200:])]
    heard: list[str] = []
    source = RereadSource(shards, array("q", [100, 100, 100]), lambda name, error: heard.append(name))
    rows = np.concatenate([r.copy() for r in shuffled(source, 64, np.random.SeedSequence(0), window=50)])
    assert heard == ["bad"]
    assert list(source.counts) == [100, SET_ASIDE, 100]
    assert set(range(100)) | set(range(200, 300)) == set(rows[:, 0].astype(int))
    result = train_mixture(
        recordings(blobs(4000), 500), n_components=4, algorithm="stepwise", passes=3, max_spool_bytes=0
    )
    assert not result.spooled
    assert result.passes == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"passes": 0}, "passes=0"),
        ({"batch": 0}, "batch=0"),
        ({"exponent": 0.5}, "exponent=0.5"),
        ({"exponent": 1.1}, "exponent=1.1"),
        ({"averaging": -0.1}, r"averaging=-0.1"),
    ],
)
def test_settings_outside_their_range_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        Stepwise(**options)  # type: ignore[arg-type]


def test_settings_of_stepwise_em_for_another_algorithm_are_refused() -> None:
    with pytest.raises(ChoiceError, match=r"stepwise EM for algorithm 'em'"):
        train_mixture(recordings(blobs(100), 100), n_components=2, stepwise=Stepwise())
