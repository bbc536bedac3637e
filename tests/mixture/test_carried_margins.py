"""What is carried from pass to pass spares scores and never changes a byte, however parameters move."""

from __future__ import annotations

import pickle
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiogmm.errors import MixtureError
from audiogmm.kernels.estep.dots import DOTS
from audiogmm.kernels.estep.margins import SHALLOWEST
from audiogmm.mixture import kernels, tiling
from audiogmm.mixture.carried_margins import CarriedMargins, MemoryBudget, bound_scores
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.source import ArraySource
from audiogmm.training.schedule.batch import ShardEStep
from tests.mixture.test_evaluator_exact import TRICKS, draw
from tests.naive import mixture as naive

needs_integers = pytest.mark.skipif(not DOTS, reason="this CPU has no 16-bit dot products")

cases = st.tuples(
    st.integers(0, 2**32 - 1),
    st.sampled_from(("spherical", "diag")),
    st.integers(1, 60),
    st.one_of(st.integers(1, 20), st.just(67)),
    st.integers(1, 150),
    st.sampled_from(TRICKS),
    st.sampled_from([np.float32, np.float64]),
)


@pytest.fixture(autouse=True)
def _any_number_of_components(monkeypatch):
    monkeypatch.setattr(kernels, "LEAST_COMPONENTS", 1)


def moved(mixture: Mixture, seed: int) -> Mixture:
    """The mixture a step further: a little, a lot, not at all, or with a component lost or revived."""
    random = np.random.default_rng(seed)
    size = random.choice([0.0, 1e-9, 1e-3, 0.03, 0.3, 3.0])
    weights, K = mixture.weights.copy(), mixture.n_components
    means = mixture.means + size * random.normal(size=mixture.means.shape) * np.sqrt(
        mixture.covariances.reshape(K, -1)
    )
    covariances = mixture.covariances * np.exp(size * random.normal(size=mixture.covariances.shape))
    weights *= np.exp(size * random.normal(size=K))
    if random.uniform() < 0.2 and K > 1:
        weights[random.integers(K)] = random.choice([0.0, 1e-12, weights.max()])
    if not weights.any():  # the only one that was left is lost
        weights[:] = 1
    if random.uniform() < 0.3:
        k = random.integers(K)
        means[k] = random.choice(means)
    return Mixture(weights / weights.sum(), means, covariances, mixture.covariance_type)


def assert_same(one, other):
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert np.array_equal(a, b), field.name


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases, st.integers(0, 2**32 - 1))
def test_no_byte_depends_on_what_was_carried(case, seed):
    mixture, frames = draw(*case)
    carried = CarriedMargins(MemoryBudget())
    for step in range(6):
        evaluator = Evaluator(mixture)
        assert_same(evaluator.accumulate(frames, None, carried), evaluator.accumulate(frames))
        mixture = moved(mixture, seed + step)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases, st.integers(0, 2**32 - 1))
def test_a_score_rises_by_no_more_than_the_drift(case, seed):
    old, frames = draw(*case)
    active = old.weights > 0
    old = Mixture(old.weights[active], old.means[active], old.covariances[active], old.covariance_type)
    new = moved(old, seed)
    new = new if np.all(new.weights > 0) else old
    scale, shift = bound_scores(Evaluator(old)._kernels._parameters, Evaluator(new)._kernels._parameters)
    before, after = (
        naive.log_joint(frames, m.weights, m.means, m.covariances, m.covariance_type) for m in (old, new)
    )
    resolution = 1e-12 * (1 + np.abs(before) + np.abs(after)) * (1e6 if case[5] == "offset" else 1)
    assert np.all(after <= scale * before + shift + resolution + 1e-9)
    assert np.all((scale >= SHALLOWEST) & (scale <= 1))


def test_drift_is_close_where_parameters_hardly_move():
    mixture, frames = draw(3, "diag", 20, 10, 50, "plain", np.float64)
    near = Mixture(mixture.weights, mixture.means + 1e-4, mixture.covariances * 1.001, "diag")
    scale, shift = bound_scores(Evaluator(mixture)._kernels._parameters, Evaluator(near)._kernels._parameters)
    before, after = (Evaluator(m).log_joint(frames) for m in (mixture, near))
    loose = scale * before + shift - after
    assert np.median(loose) < 0.1 + 0.05 * np.abs(before).mean()


def clustered(n_frames=2048, K=200):
    """Frames of well-separated clusters, and a mixture near them."""
    random = np.random.default_rng(5)
    centers = 3 * random.normal(size=(K, 12))
    frames = (centers[random.integers(K, size=n_frames)] + random.normal(size=(n_frames, 12))).astype("f4")
    means = centers + 0.3 * random.normal(size=centers.shape)
    return Mixture(np.full(K, 1 / K), means, np.full((K, 12), 1.5), "diag"), frames


@needs_integers
def test_a_copy_goes_on_alone():
    mixture, frames = clustered()
    carried = CarriedMargins(MemoryBudget())
    for _ in range(3):
        stats = Evaluator(mixture).accumulate(frames, None, carried)
        mixture, _ = maximize(stats, previous=mixture)
    looked = []
    for known in (carried.copy(), carried.copy(), carried):
        Evaluator(mixture).accumulate(frames, None, known)
        looked.append(known.looked[0])
    assert looked[0] == looked[1] == looked[2] < 0.8 * frames.shape[0] * mixture.n_components


@needs_integers
def test_most_scores_are_spared_once_components_settle():
    mixture, frames = clustered()
    carried, spared = CarriedMargins(MemoryBudget()), []
    for _ in range(6):
        stats = Evaluator(mixture).accumulate(frames, None, carried)
        spared.append(1 - carried.looked[0] / carried.looked[1])
        mixture = maximize(stats, floor=1e-3, previous=mixture)[0]
    assert spared[0] == 0
    assert spared[-1] > 0.5
    assert carried.looked[1] == len(frames) * 200 / 32


@needs_integers
def test_a_pass_that_ends_on_a_bad_frame_leaves_nothing_to_believe():
    mixture, frames = clustered()
    carried = CarriedMargins(MemoryBudget())
    for _ in range(2):
        Evaluator(mixture).accumulate(frames, None, carried)
    assert carried.looked[0] < carried.looked[1]
    bad = frames.copy()
    bad[1500, 3] = np.nan
    with pytest.raises(MixtureError, match="frame 1500 has the value nan in feature 3"):
        Evaluator(mixture).accumulate(bad, None, carried)
    Evaluator(mixture).accumulate(frames, None, carried)
    assert carried.looked[0] == carried.looked[1]


@needs_integers
def test_memory_is_taken_from_the_budget_given_back_and_never_overdrawn():
    mixture, frames = clustered()
    needed = (2048 // 32) * (224 + 4 * 32)
    budget = MemoryBudget(needed + 10)
    one, other = CarriedMargins(budget), CarriedMargins(budget)
    plain = Evaluator(mixture).accumulate(frames)
    for carried in (one, other, one, other):
        assert_same(Evaluator(mixture).accumulate(frames, None, carried), plain)
    assert budget.left == 10
    assert one.looked[0] < one.looked[1]
    assert other.looked[1] == 0
    few = Mixture(np.ones(1), mixture.means[:1], mixture.covariances[:1], "diag")
    Evaluator(few).accumulate(frames, None, one)
    assert budget.left == needed + 10 - (2048 // 32) * (32 + 4 * 32)


def test_what_is_sent_elsewhere_knows_nothing_and_keeps_nothing():
    mixture, frames = clustered()
    carried = CarriedMargins(MemoryBudget())
    Evaluator(mixture).accumulate(frames, None, carried)
    sent = pickle.loads(pickle.dumps(carried))
    assert_same(Evaluator(mixture).accumulate(frames, None, sent), Evaluator(mixture).accumulate(frames))
    assert sent.looked[1] == 0


def test_passes_over_a_source_have_the_same_bytes_for_any_threads_and_from_any_pass_on():
    mixture, frames = clustered(20_000)

    def trained(threads, mixture, passes, source):
        for _ in range(passes):
            stats = source.reduce(LocalReducer(threads), ShardEStep(Evaluator(mixture)))
            mixture = maximize(stats, floor=1e-3, previous=mixture)[0]
        return mixture

    whole = trained(1, mixture, 4, ArraySource(frames))
    for threads in (2, 7):
        halfway = trained(threads, mixture, 2, ArraySource(frames))
        resumed = trained(threads, halfway, 2, ArraySource(frames))
        for name in ("weights", "means", "covariances"):
            assert getattr(whole, name).tobytes() == getattr(resumed, name).tobytes()


def test_a_tile_that_ends_early_gives_every_frame_its_score(monkeypatch):
    mixture, frames = draw(1, "diag", 40, 5, 700, "one point", np.float32)
    evaluator = Evaluator(mixture)
    scores, stats = evaluator.log_likelihood(frames), evaluator.accumulate(frames)
    monkeypatch.setattr(tiling, "TILE_PAIRS", 3 * 32 * 40 + 5)  # as many as three panels can have
    assert evaluator.log_likelihood(frames).tobytes() == scores.tobytes()
    early = evaluator.accumulate(frames)
    assert early.skipped == stats.skipped
    np.testing.assert_allclose(early.first, stats.first, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(early.counts, stats.counts, rtol=1e-12)
