"""Truncated E-steps against their naive twins, for all forms."""

from __future__ import annotations

import pickle
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.kernels.estep.neighbors import PSEUDO_FRAMES
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.neighborhoods import Neighborhoods
from audiogmm.mixture.truncated import TruncatedEvaluator
from audiogmm.types import CovarianceType
from tests.naive import mixture as naive
from tests.naive import truncated as twin

FORMS = get_args(CovarianceType)


def drawn(
    form: str, K: int, D: int, seed: int, n: int = 150, offset: float = 0.0
) -> tuple[Mixture, np.ndarray]:
    """A mixture, the last of whose components may have no weight, and frames."""
    random = np.random.default_rng(seed)
    means = 2 * random.normal(size=(K, D)) + offset
    weights = random.dirichlet(np.ones(K))
    if K > 2 and seed % 2:
        weights[-1] = 0
        weights /= weights.sum()
    roots = random.normal(size=(K, D, D)) / np.sqrt(D) + 0.7 * np.eye(D)
    full = roots @ roots.swapaxes(1, 2) + 0.05 * np.eye(D)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.einsum("kdd->kd", full).copy(),
        "spherical": full[:, 0, 0].copy(),
    }[form]
    frames = (means[random.integers(K, size=n)] + random.normal(size=(n, D))).astype(np.float32)
    return Mixture(weights, means, covariances, form), frames  # type: ignore[arg-type]


def joint_of(mixture: Mixture, frames: np.ndarray) -> np.ndarray:
    return naive.log_joint(
        frames, mixture.weights, mixture.means, mixture.covariances, mixture.covariance_type
    )


def random_sets(mixture: Mixture, n: int, C: int, seed: int) -> np.ndarray:
    """Different components, of which the first has a weight; now and then fewer than C."""
    random = np.random.default_rng(seed)
    live, K = int((mixture.weights > 0).sum()), mixture.n_components
    sets = np.empty((n, C), np.int32)
    for row in sets:
        first = random.integers(live)
        others = [k for k in random.permutation(K) if k != first]
        row[:] = [first, *others][:C]
        row[random.integers(1, C + 1) :] = -1
    return sets


def neighbors_of(K: int, G: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    table = [random.permutation([j for j in range(K) if j != k])[: G - 1] for k in range(K)]
    return np.array(table, np.int32).reshape(K, -1)


def shapes(form: str) -> st.SearchStrategy[tuple[int, int, int, int]]:
    return st.tuples(
        st.integers(1, 12),
        st.integers(1, 20 if form != "full" else 9),
        st.integers(1, 6),
        st.integers(0, 999),
    )


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_scores_and_statistics_are_those_of_the_sets(form: str, data: st.DataObject) -> None:
    K, D, C, seed = data.draw(shapes(form))
    C = min(C, K)
    mixture, frames = drawn(form, K, D, seed, offset=data.draw(st.sampled_from([0.0, 300.0])))
    weights = np.random.default_rng(seed).uniform(0, 2, len(frames))
    sets = random_sets(mixture, len(frames), C, seed)
    joint, evaluator = joint_of(mixture, frames), TruncatedEvaluator(mixture)
    expected = twin.free_energy(joint, sets)
    np.testing.assert_allclose(evaluator.log_likelihood(frames, sets), expected, rtol=1e-6, atol=1e-6)

    kept = sets.copy()
    stats = evaluator.accumulate(frames, sets, weights).statistics
    assert np.array_equal(sets, kept)
    gamma = twin.truncated_posteriors(joint, sets)
    counts, first, second, first_size, second_size = naive.statistics(
        frames, gamma, weights, stats.origin, form
    )
    assert stats.log_likelihood == pytest.approx(weights @ expected, rel=1e-6)
    assert stats.n_frames == pytest.approx(weights.sum())
    np.testing.assert_allclose(stats.counts, counts, rtol=1e-6, atol=1e-6)
    assert (np.abs(stats.first - first) <= 1e-5 * first_size + 1e-6).all()
    assert (np.abs(stats.second - second) <= 1e-5 * second_size + 1e-6).all()


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_search_finds_the_best_of_its_candidates(form: str, data: st.DataObject) -> None:
    K, D, C, seed = data.draw(shapes(form))
    C, G = min(C, K), data.draw(st.integers(1, K))
    mixture, frames = drawn(form, K, D, seed)
    sets, neighbors = random_sets(mixture, len(frames), C, seed), neighbors_of(K, G, seed)
    joint, before = joint_of(mixture, frames), sets.copy()
    found = TruncatedEvaluator(mixture).search(frames, sets, neighbors, key=seed)
    best = twin.free_energy(joint, twin.improved(joint, before, neighbors))
    now = twin.free_energy(joint, sets)
    slack = 1e-5 * (1 + np.abs(joint).max(axis=1, where=np.isfinite(joint), initial=0.0))
    assert (now >= best - slack).all()  # better where the random component is
    for n, row in enumerate(sets):
        listed = [k for k in row if k >= 0]
        assert len(set(listed)) == len(listed)
        assert (row[len(listed) :] == -1).all()
        others = set(listed) - set(twin.candidates(before[n], neighbors))
        assert len(others) <= 1
        values = joint[n, listed]
        assert (np.diff(values) <= slack[n]).all()
    assert found.statistics.log_likelihood == pytest.approx(now.sum(), rel=1e-6)


def test_neighbors_are_those_that_frames_find_near() -> None:
    mixture, frames = drawn("diag", K=10, D=3, seed=4, n=3000)
    sets = Evaluator(mixture, threshold=0).leading(frames, 3)
    neighbors = neighbors_of(10, 3, seed=1)
    joint = joint_of(mixture, frames)
    halves = [
        TruncatedEvaluator(mixture).search(rows, part.copy(), neighbors, key=0)
        for rows, part in ((frames[:1500], sets[:1500]), (frames[1500:], sets[1500:]))
    ]
    found = halves[0].neighborhoods
    found.absorb(halves[1].neighborhoods)
    loss, tries = twin.distances(joint, sets, neighbors)
    for k in np.unique(sets[:, 0]):
        for j, total, count in zip(found.component[k], found.loss[k], found.tries[k], strict=True):
            if j < 0:
                continue
            assert count >= tries[k, j]  # and those that tried it at random
            mine = joint[sets[:, 0] == k]
            assert count <= len(mine)
            if count == tries[k, j]:
                assert total == pytest.approx(loss[k, j], rel=1e-4, abs=1e-2)
            elif count == len(mine):
                assert total == pytest.approx((mine[:, k] - mine[:, j]).sum(), rel=1e-4, abs=1e-2)
    full_loss = np.zeros((10, 10))
    full_tries = np.zeros((10, 10), int)
    for k, row in enumerate(found.component):
        known = row >= 0
        full_loss[k, row[known]], full_tries[k, row[known]] = found.loss[k, known], found.tries[k, known]
    ranked = twin.nearest(full_loss, full_tries, PSEUDO_FRAMES)
    for k in range(10):
        assert found.component[k, : len(ranked[k])].tolist() == ranked[k]


def test_neighbors_stay_where_nobody_tried_any() -> None:
    found = Neighborhoods.none(2, 4)
    previous = np.array([[1], [0]], np.int32)
    assert found.nearest(1, previous).tolist() == [[1], [0]]
    assert found.nearest(1).tolist() == [[-1], [-1]]


@pytest.mark.parametrize("form", FORMS)
def test_all_components_are_the_exact_e_step(form: str) -> None:
    mixture, frames = drawn(form, K=7, D=5, seed=3)
    exact = Evaluator(mixture, threshold=0)
    sets = exact.leading(frames, 7)
    stats = TruncatedEvaluator(mixture).accumulate(frames, sets).statistics
    theirs = exact.accumulate(frames)
    assert stats.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-12)
    for name in ("counts", "first", "second"):
        np.testing.assert_allclose(getattr(stats, name), getattr(theirs, name), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_leading_components_are_the_likeliest(form: str, data: st.DataObject) -> None:
    K, D, C, seed = data.draw(shapes(form))
    C = min(C, K)
    mixture, frames = drawn(form, K, D, seed)
    sets = Evaluator(mixture).leading(frames, C)
    joint = joint_of(mixture, frames)
    gamma = naive.posteriors(joint)
    for n, best in enumerate(twin.leading(joint, C)):
        sure = [c for c in range(C) if gamma[n, best[c]] > 1.01e-7]
        np.testing.assert_allclose(joint[n, sets[n, sure]], joint[n, best[sure]], rtol=1e-9)
        assert (sets[n] < K).all()
        assert (gamma[n, sets[n][sets[n] >= 0]] > 0).all()


def test_top_c_scoring_takes_the_sets_of_another_model() -> None:
    background, frames = drawn("diag", K=12, D=4, seed=8)
    adapted = Mixture(background.weights, background.means + 0.3, background.covariances, "diag")
    sets = Evaluator(background).leading(frames, 5)
    ours = TruncatedEvaluator(adapted).log_likelihood(frames, sets)
    np.testing.assert_allclose(ours, twin.free_energy(joint_of(adapted, frames), sets), rtol=1e-6)
    assert (ours <= Evaluator(adapted).log_likelihood(frames) + 1e-6).all()
    again = pickle.loads(pickle.dumps(TruncatedEvaluator(adapted)))
    assert np.array_equal(again.log_likelihood(frames[:40], sets[:40]), ours[:40])


def test_what_does_not_fit_is_refused() -> None:
    mixture, frames = drawn("diag", K=3, D=2, seed=1, n=4)  # the last one has no weight
    evaluator = TruncatedEvaluator(mixture)
    sets = np.zeros((4, 1), np.int32)
    with pytest.raises(MixtureError, match=r"sets of shape \(3, 1\) and type int32 for 4 frames"):
        evaluator.log_likelihood(frames, sets[:3])
    with pytest.raises(MixtureError, match=r"frame 2 has the set \[3\]; needed: components from 0 to 2"):
        evaluator.log_likelihood(frames, np.array([[0], [1], [3], [0]], np.int32))
    with pytest.raises(MixtureError, match="no component with a weight"):
        evaluator.log_likelihood(frames, sets + 2)
    broken = frames.copy()
    broken[3, 1] = np.nan
    with pytest.raises(MixtureError, match="frame 3 has the value nan in feature 1"):
        evaluator.accumulate(broken, sets)
    with pytest.raises(ChoiceError, match="the 4 best of 3 components"):
        Evaluator(mixture).leading(frames, 4)
