"""The integer bounds of full covariances, attacked; leaving a component early must change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.kernels.estep import full
from audiogmm.kernels.estep.dots import DOTS, LARGEST
from audiogmm.kernels.estep.screens import PANEL
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from tests.mixture.test_evaluator_bounds import assert_bounds, panel_of
from tests.mixture.test_evaluator_exact import TRICKS, draw

pytestmark = pytest.mark.skipif(not DOTS, reason="this CPU has no instruction for pairs of 16-bit integers")

NEEDLES, OUTLIER = "needles", "outlier"


def draw_full(seed, K, D, n, trick, dtype):
    """As `draw`, and two tricks of its own.

    Needles: components estimated from fewer frames than features, singular but for a floor. Outlier: one
    that is so far away that its offsets leave few digits to its factors.
    """
    if trick not in (NEEDLES, OUTLIER):
        return draw(seed, "full", K, D, n, trick, dtype)
    mixture, frames = draw(seed, "full", K, D, n, "plain", dtype)
    if trick == OUTLIER:
        means, weights = mixture.means.copy(), mixture.weights.copy()
        means[0], weights[0] = 1e8, 1e-20
        return Mixture(weights / weights.sum(), means, mixture.covariances, "full"), frames
    covariances = mixture.covariances.copy()
    random = np.random.default_rng(seed)
    for k in range(0, K, 2):
        few = random.normal(size=(int(random.integers(1, D + 1)), D))
        covariances[k] = few.T @ few / len(few) + 1e-6 * np.eye(D)
        frames[k::K] = (mixture.means[k] + few[0]).astype(dtype)
    return Mixture(mixture.weights, mixture.means, covariances, "full"), frames


full_cases = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.one_of(st.integers(1, 20), st.sampled_from([33, 67])),
    st.integers(1, PANEL),
    st.sampled_from([*TRICKS, NEEDLES, OUTLIER]),
    st.sampled_from([np.float32, np.float64]),
)


def look(mixture, frames, log_cut):
    """The tile after the first look, and which frames it saw."""
    prepared, tile = panel_of(mixture, frames)
    full.bound_panel(mixture.n_features, log_cut, prepared._screen.triangles, tile)
    return prepared, tile, tile.quantized.largest[: len(frames)] <= LARGEST


@settings(max_examples=50, deadline=None)
@given(full_cases)
def test_bounds_hold(case):
    mixture, frames = draw_full(*case)
    for log_cut in (-np.inf, np.log(1e-7)):
        prepared, tile, within = look(mixture, frames, log_cut)
        named = (*case[:4], "", case[4])
        assert_bounds(named, prepared, tile, mixture, frames, 1.0, 1.0, within)


@settings(max_examples=50, deadline=None)
@given(full_cases, st.sampled_from([1e-7, 1e-3, 0.5]))
def test_leaving_early_changes_neither_the_best_bound_nor_who_survives(case, threshold):
    mixture, frames = draw_full(*case)
    log_cut = np.log(threshold)
    _, whole, within = look(mixture, frames, -np.inf)
    _, early, _ = look(mixture, frames, log_cut)
    n, K = len(frames), np.count_nonzero(mixture.weights)
    best = whole.lower[:n][within]
    np.testing.assert_array_equal(early.lower[:n][within], best)
    cut = best + log_cut - 1e-6 * np.abs(best + log_cut)
    survive = [tile.upper.reshape(-1, PANEL)[:K, :n][:, within] >= cut for tile in (whole, early)]
    np.testing.assert_array_equal(*survive)


def test_bounds_are_tight_where_a_model_is_well_behaved():
    mixture, _ = draw(1, "full", 30, 40, 1, "plain", np.float32)
    frames = mixture.sample(PANEL, seed=0)[0].astype(np.float32)
    joint = Evaluator(mixture).log_joint(frames)
    prepared, tile, within = look(mixture, frames, -np.inf)
    assert within.all()
    assert np.all(joint.max(axis=1) - tile.lower < 4)
    upper = tile.upper.reshape(-1, PANEL)[: mixture.n_components, : len(frames)].T
    near = joint > joint.max(axis=1, keepdims=True) - 20
    assert np.all((upper - joint[:, prepared._active])[near[:, prepared._active]] < 4)


def test_a_component_is_left_as_soon_as_the_last_rows_rule_it_out():
    # features in two halves: what differs are the last ones, by far more than any posterior survives
    D, K = 40, 8
    means = np.zeros((K, D))
    means[4:, -1] = 1000.0
    covariances = np.tile(np.eye(D), (K, 1, 1))
    weights = np.r_[np.full(4, 0.24), np.full(4, 0.01)]
    mixture = Mixture(weights, means, covariances, "full")
    frames = np.random.default_rng(0).normal(size=(PANEL, D)).astype(np.float32)
    frames[:, :-2] += 3
    _, early, _ = look(mixture, frames, np.log(1e-7))
    _, whole, _ = look(mixture, frames, -np.inf)
    few, all_rows = (tile.upper.reshape(-1, PANEL)[4:] for tile in (early, whole))
    assert np.all(few > all_rows + 50)


@settings(max_examples=25, deadline=None)
@given(full_cases, st.lists(st.integers(1, 40), max_size=6))
def test_scores_are_the_formula_and_do_not_depend_on_neighbors(case, sizes):
    mixture, few = draw_full(*case)
    frames = np.concatenate([few] * 4)[np.random.default_rng(case[0]).permutation(4 * len(few))]
    evaluator = Evaluator(mixture)
    whole = evaluator.log_likelihood(frames)
    joint = evaluator.log_joint(frames)
    true = np.logaddexp.reduce(joint, axis=1)
    np.testing.assert_array_less(np.abs(whole - true), 2e-7 + 1e-9 * np.abs(true))
    cuts = np.minimum(np.cumsum(sizes), len(frames)).astype(int)
    parts = [evaluator.log_likelihood(part) for part in np.split(frames, cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 67), st.floats(0.1, 1), st.sampled_from([-1.0, 1.0]))
def test_bounds_hold_where_all_factors_round_the_same_way(D, factor, sign):
    lower = np.eye(D)
    lower[-1, :-1] = factor
    lower[-1] *= sign
    inverse = np.linalg.inv(lower)
    mixture = Mixture([1.0], np.zeros((1, D)), (inverse @ inverse.T)[None], "full")
    deviations = np.sqrt(np.diag(mixture.covariances[0]))
    frames = (np.linspace(-9, 9, PANEL)[:, None] * deviations.min()).repeat(D, axis=1).astype(np.float32)
    prepared, tile, within = look(mixture, frames, -np.inf)
    assert within.all()
    assert_bounds(("",) * 6, prepared, tile, mixture, frames, 1.0, 1.0, within)
