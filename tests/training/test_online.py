"""The online learner: the formula, the same bytes however a stream is cut, near batch EM, bounded."""

from __future__ import annotations

import pickle
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError, FeatureError, MixtureError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training.online import STARTS, OnlineEM
from audiogmm.types import CovarianceType
from tests.naive import stepwise as naive
from tests.training.schedule.test_batch import train_from
from tests.training.shards import CLOCK, blobs

FORMS = get_args(CovarianceType)


def learned(frames: np.ndarray, form: str, K: int, cuts: list[int], **options: object) -> OnlineEM:
    learner = OnlineEM.of(K, form, n_features=frames.shape[1], **options)  # type: ignore[arg-type]
    for part in np.split(frames, cuts):
        learner.push(part)
    return learner


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=5, deadline=None)
@given(K=st.integers(1, 3), D=st.integers(1, 3), n=st.integers(1, 90), seed=st.integers(0, 99))
def test_steps_are_the_formula(form: str, K: int, D: int, n: int, seed: int) -> None:
    frames = blobs(64 + n, D, K, seed, spread=1.5).astype(np.float64)
    random = np.random.default_rng(seed)
    weights = random.uniform(0.2, 1.5, len(frames))
    start = train_from_rows(frames, K, form)
    learner = OnlineEM.of(K, form, n_features=D, alpha=0.7, forget=0.6)  # type: ignore[arg-type]
    learner.batch = 32
    learner.resume(start, None, 3.0)
    learner.push(frames, weights)
    model = (start.weights, start.means, start.covariances)
    past, t = naive.of_model(*model, form), 3.0
    for first in range(0, len(frames), 32):
        part = slice(first, first + 32)
        rho = max(min((t + 2) ** -0.7, 32 / (learner.memory * K)), 0.4)
        rho = min(rho * weights[part].sum() / 32, 1.0)
        past, model = naive.step(past, model, frames[part], weights[part], rho, form, 0.0)
        t += 1
    assert learner.mixture is not None
    for ours, theirs in zip(parameters(learner.mixture), model, strict=True):
        # posteriors below 1e-7 may be skipped, and squared features are about 10
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    assert learner.n_waiting == len(frames) % 32
    assert learner.n_frames == pytest.approx(weights.sum())


def train_from_rows(frames: np.ndarray, K: int, form: str) -> Mixture:
    learner = OnlineEM.of(K, form)  # type: ignore[arg-type]
    learner.push(frames)
    assert learner.mixture is not None
    return learner.mixture


def parameters(mixture: Mixture) -> tuple[np.ndarray, ...]:
    return mixture.weights, mixture.means, mixture.covariances


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=8), seed=st.integers(0, 9))
def test_any_cut_gives_the_same_bytes(form: str, cuts: list[int], seed: int) -> None:
    frames = blobs(3000, 3, 4, seed)
    whole, ours = learned(frames, form, 4, []), learned(frames, form, 4, sorted(cuts))
    assert ours.mixture == whole.mixture
    assert ours.statistics == whole.statistics
    assert (ours.steps, ours.n_frames, ours.n_waiting) == (11, 3000, 3000 - 11 * 256)
    asked = learned(frames[:700], form, 4, [])  # looking at what is provisional changes nothing
    assert asked.mixture is not None
    asked.push(frames[700:])
    assert asked.mixture == whole.mixture


def test_one_frame_at_a_time_is_the_same_too() -> None:
    frames = blobs(1300, 2, 3)
    assert learned(frames, "diag", 3, list(range(1, 1300))).mixture == learned(frames, "diag", 3, []).mixture


@pytest.mark.parametrize("form", FORMS)
def test_from_a_cold_start_one_pass_is_near_batch_em(form: str) -> None:
    """Within 0.1 nats a frame, of a stream sorted by speaker as of a shuffled one."""
    random = np.random.default_rng(3)
    frames = blobs(20_000, 4, 6, seed=5, spread=2.0)
    frames += np.repeat(random.normal(0, 0.5, (40, 4)), 500, axis=0).astype(np.float32)  # 40 speakers
    for stream in (frames, random.permutation(frames)):
        learner = learned(stream, form, 6, [])
        assert learner.mixture is not None and learner.settled is not None
        batch = train_from(learner.settled, frames, passes=40, floor=1e-4).mixture
        loss = mean_score(batch, frames) - mean_score(learner.mixture, frames)
        assert loss < 0.1


def mean_score(mixture: Mixture, frames: np.ndarray) -> float:
    return float(Evaluator(mixture).log_likelihood(frames).mean())


def test_it_starts_by_itself_and_waits_until_there_is_something_to_start_on() -> None:
    frames = blobs(2000, 2, 5)
    learner = OnlineEM.of(5)
    assert learner.mixture is None and learner.present is None
    learner.push(frames[:4])
    assert learner.mixture is None  # fewer than components
    learner.push(frames[4:60])
    assert learner.mixture is not None and learner.settled is None  # provisional
    learner.push(frames[60 : STARTS * 256])
    assert learner.settled is not None
    assert learner.n_waiting == 0
    for first in range(1024, 2000, 61):
        learner.push(frames[first : first + 61])
        assert learner.n_waiting < 256  # all that is held


def test_it_forgets_what_it_is_told_to() -> None:
    early, late = blobs(20_000, 1, 1, seed=0), blobs(20_000, 1, 1, seed=0) + 8
    centers = {}
    for forget in (1.0, 0.8):
        learner = learned(np.concatenate([early, late[:8000]]), "diag", 1, [], forget=forget)
        assert learner.mixture is not None
        centers[forget] = float(learner.mixture.means[0, 0] - early.mean())
    assert centers[0.8] == pytest.approx(8.0, abs=0.3)
    assert centers[1.0] < 7.5


def test_flush_learns_the_rest_for_good_and_it_travels() -> None:
    frames = blobs(2100, 3, 4)
    learner = pickle.loads(pickle.dumps(learned(frames, "tied", 4, [700])))
    shown = learner.mixture
    learner.flush()
    assert learner.settled == shown == learner.mixture
    assert (learner.n_waiting, learner.steps) == (0, pytest.approx(2100 / 256))
    learner.flush()
    assert learner.settled == shown


def test_of_a_block_the_voiced_frames_are_learned() -> None:
    frames = blobs(1500, 2, 2)
    voiced = np.arange(1500) % 3 > 0
    learner = OnlineEM.of(2)
    learner.push(FrameBlock(frames, voiced, 0, CLOCK))
    assert learner.mixture == learned(frames[voiced], "diag", 2, []).mixture


def test_bad_frames_are_refused_and_forgotten() -> None:
    learner = learned(blobs(1500, 2, 2), "diag", 2, [])
    before = learner.mixture
    bad = blobs(10, 2, 2)
    bad[3, 1] = np.nan
    with pytest.raises(FeatureError, match=r"frame 3 of those pushed holds nan"):
        learner.push(bad)
    with pytest.raises(FeatureError, match=r"shape \(10, 3\).*needed: .*shape \(n, 2\)"):
        learner.push(blobs(10, 3, 2))
    learner.push(bad[:0])
    assert learner.mixture == before


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (-np.ones(10), "frame 0 has weight -1.0"),
        (np.array([1.0] * 9 + [np.nan]), "frame 9 has weight nan"),
        (np.ones(9), r"weights of shape \(9,\) for 10 frames"),
        (np.ones((10, 1)), r"weights of shape \(10, 1\) for 10 frames"),
    ],
)
def test_bad_weights_are_refused_and_forgotten(weights: np.ndarray, words: str) -> None:
    learner = learned(blobs(1500, 2, 2), "diag", 2, [])
    before = learner.mixture
    with pytest.raises(MixtureError, match=words):
        learner.push(blobs(10, 2, 2), weights)
    assert (learner.mixture, learner.n_frames) == (before, 1500)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("K", [1, 4])
def test_a_stream_that_jumps_a_million_deviations_away_goes_on(form: str, K: int) -> None:
    learner = OnlineEM.of(K, form, n_features=5)  # type: ignore[arg-type]
    learner.push(np.zeros((2000, 5), np.float32))
    for _ in range(8):  # in all features together: a matrix of rank 1
        learner.push(np.full((256, 5), 1e6, np.float32))
        assert learner.mixture is not None
    learner.push(np.full((20_000, 5), 1e6, np.float32) + blobs(20_000, 5, 1))
    mixture = learner.mixture
    assert mixture is not None
    assert np.abs(mixture.weights @ mixture.means - 1e6).max() < 5e5


def test_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(ChoiceError, match=r"covariance type 'foo'; needed: one of spherical"):
        OnlineEM.of(2, "foo")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": 0.5}, "alpha=0.5; needed: an exponent above 0.5"),
        ({"forget": 0.0}, r"forget=0.0; needed: a factor in \(0, 1\]"),
        ({"forget": 1.5}, "forget=1.5"),
    ],
)
def test_settings_outside_their_range_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        OnlineEM.of(2, **options)  # type: ignore[arg-type]
