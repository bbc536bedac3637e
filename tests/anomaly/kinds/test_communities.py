"""Groups of points: graph and joining as in the formulas, and as many groups as clouds of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from audiogmm.anomaly.kinds import communities
from audiogmm.anomaly.kinds.communities import N_NEIGHBORS, SCALE_NEIGHBOR, find_communities
from tests.naive import kinds as naive


@settings(max_examples=25)
@given(n=st.integers(2, 40), size=st.integers(1, 6), block=st.integers(1, 50), seed=st.integers(0, 99))
def test_the_graph_is_that_of_the_formula(n: int, size: int, block: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, size))
    wanted = naive.edges(points, N_NEIGHBORS, SCALE_NEIGHBOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(communities, "_BLOCK", block)
        found = {(i, j): weight for i, j, weight in communities._edges(points)}
    assert found.keys() == wanted.keys()
    for pair, weight in wanted.items():
        assert found[pair] == pytest.approx(weight, rel=1e-6, abs=1e-9)


@settings(max_examples=25)
@given(n=st.integers(2, 20), seed=st.integers(0, 99))
def test_points_together_are_counted_as_in_loops(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.unique(random.integers(0, 4, n), return_inverse=True)[1]
    again = [random.integers(0, 3, n) for _ in range(5)]
    found, wanted = communities._together(labels, again), naive.together(labels, again)
    for a, b in np.ndindex(found.shape):
        if (a, b) in wanted:
            assert found[a, b] == pytest.approx(wanted[a, b])
        else:
            assert np.isnan(found[a, b])  # a single point


def clouds(k: int, n: int, seed: int = 0, size: int = 15, apart: float = 12.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centers = random.normal(0, apart / np.sqrt(2 * size), (k, size))
    return np.concatenate([random.normal(center, 1, (n, size)) for center in centers])


@pytest.mark.parametrize(("k", "n"), [(1, 60), (3, 9), (3, 20), (6, 8)])
def test_as_many_groups_as_clouds(k: int, n: int) -> None:
    for seed in range(2):
        found = find_communities(clouds(k, n, seed))
        truth = np.repeat(np.arange(k), n)
        assert found.max() + 1 == k
        assert adjusted_rand_score(truth, found) > 0.9 or k == 1


def test_noise_joins_what_modularity_splits() -> None:
    points = clouds(1, 60)
    assert find_communities(points, noise=0.0).max() > 1
    assert find_communities(points, noise=1.0).max() == 0


def test_the_same_groups_twice_and_the_largest_first() -> None:
    points = np.concatenate([clouds(3, 9), clouds(1, 20, seed=5) + 20])
    found = find_communities(points)
    assert np.array_equal(found, find_communities(points))
    assert np.all(np.diff(np.bincount(found)) <= 0)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_points_are_one_group(n: int) -> None:
    assert find_communities(np.zeros((n, 3))).tolist() == [0] * n


def test_equal_points_are_one_group() -> None:
    assert find_communities(np.zeros((9, 3))).max() == 0
