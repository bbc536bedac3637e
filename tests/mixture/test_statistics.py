"""Statistics are a vector space, and do not depend on how or about what they were taken."""

from __future__ import annotations

import pickle
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.mixture.forms import FORMS, form_of
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.statistics import ARRAYS, SCALARS, SufficientStats, merge
from tests.naive.statistics import moments

forms = pytest.mark.parametrize("form", FORMS)
seeds = st.integers(0, 2**32 - 1)


def draw(seed, n=None, K=None, D=None):
    """Frames, posteriors and frame weights of random (or the given) sizes."""
    random = np.random.default_rng(seed)
    n, K, D = n or random.integers(8, 30), K or random.integers(1, 4), D or random.integers(1, 4)
    frames = random.normal(size=(n, D)) * random.uniform(0.1, 10, D) + random.normal(size=D)
    return frames, random.dirichlet(np.ones(K), n), random.uniform(0.1, 2, n)


def measured(seed, form, K=2, D=3, n=None):
    """Statistics of random frames about a random origin, with every scalar set."""
    frames, posteriors, weights = draw(seed, n, K, D)
    random = np.random.default_rng(seed + 1)
    stats = SufficientStats.measure(
        frames, posteriors, weights=weights, origin=random.normal(size=D), covariance_type=form
    )
    return stats._with(log_likelihood=random.normal(), skipped=random.uniform(0, 9))


def assert_close(a, b, rtol=1e-11, atol=1e-9):
    """Equal to rounding, whatever their origins."""
    b = b.shifted(a.origin)
    for name in (*ARRAYS, *SCALARS):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=atol, err_msg=name)


@forms
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_moments_are_those_of_the_formula(form, seed):
    frames, posteriors, weights = draw(seed)
    origin = np.random.default_rng(seed).normal(size=frames.shape[1])
    stats = SufficientStats.measure(frames, posteriors, weights=weights, origin=origin, covariance_type=form)
    for ours, naive in zip(
        (stats.counts, stats.first, stats.second),
        moments(frames, posteriors, weights, origin, form),
        strict=True,
    ):
        np.testing.assert_allclose(ours, naive, rtol=1e-10, atol=1e-10)
    assert stats.n_frames == pytest.approx(weights.sum())


@forms
@given(seed=seeds, factor=st.floats(-4, 4), other=st.floats(-4, 4))
@settings(max_examples=25, deadline=None)
def test_statistics_are_a_vector_space(form, seed, factor, other):
    a, b, c = (measured(seed // 3 + i, form) for i in range(3))
    zero = SufficientStats.zero(2, 3, form, origin=np.ones(3))
    assert_close(a + b, b + a)
    assert_close((a + b) + c, a + (b + c))
    assert_close(a + zero, a)
    assert_close(zero + a, a)
    assert_close(a - a, zero)
    assert_close(a + (-b), a - b)
    assert_close(factor * (a + b), factor * a + factor * b)
    assert_close((factor + other) * a, factor * a + other * a)
    assert_close(factor * (other * a), (factor * other) * a)
    assert 1.0 * a == a


@forms
@given(seed=seeds, n_parts=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_any_grouping_and_order_gives_the_same_model(form, seed, n_parts):
    random = np.random.default_rng(seed)
    frames, posteriors, weights = draw(seed, n=24)
    whole = SufficientStats.measure(
        frames, posteriors, weights=weights, origin=frames.mean(axis=0), covariance_type=form
    )
    parts = [
        SufficientStats.measure(
            frames[rows],
            posteriors[rows],
            weights=weights[rows],
            origin=random.normal(size=frames.shape[1]),
            covariance_type=form,
        )
        for rows in np.array_split(random.permutation(24), n_parts)
    ]
    while len(parts) > 1:  # two neighbors at random, until one is left: a random tree
        i = random.integers(len(parts) - 1)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    expected, _ = maximize(whole, floor=1e-3)
    merged, _ = maximize(parts[0], floor=1e-3)
    np.testing.assert_allclose(merged.weights, expected.weights, rtol=1e-12)
    np.testing.assert_allclose(merged.means, expected.means, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(merged.covariances, expected.covariances, rtol=1e-8, atol=1e-9)


@forms
@given(seed=seeds, distance=st.floats(0.0, 100.0))
@settings(max_examples=25, deadline=None)
def test_a_shift_is_what_would_have_been_measured_there(form, seed, distance):
    frames, posteriors, weights = draw(seed)
    here = frames.mean(axis=0)
    there = here + distance * np.random.default_rng(seed).normal(size=len(here))
    a, b = (
        SufficientStats.measure(frames, posteriors, weights=weights, origin=origin, covariance_type=form)
        for origin in (here, there)
    )
    size = max(1.0, np.abs(b.second).max())
    np.testing.assert_allclose(a.shifted(there).second, b.second, atol=1e-12 * size, rtol=1e-12)
    np.testing.assert_allclose(a.shifted(there).first, b.first, atol=1e-12 * size, rtol=1e-12)
    np.testing.assert_allclose(a.shifted(there).shifted(here).second, a.second, atol=1e-12 * size)
    assert a.shifted(here) is a


@forms
def test_the_model_does_not_depend_on_the_origin_where_mass_was_skipped(form):
    frames, posteriors, _ = draw(5, n=40, K=2, D=3)
    stats = SufficientStats.measure(
        frames, posteriors * 0.9, origin=frames.mean(axis=0), covariance_type=form, weights=None
    )
    a, _ = maximize(stats, floor=1e-6)
    b, _ = maximize(stats.shifted(stats.origin + 3.0), floor=1e-6)
    np.testing.assert_allclose(a.covariances, b.covariances, rtol=1e-10, atol=1e-10)


@forms
def test_merging_is_adding_from_the_left_byte_for_byte(form):
    parts = [measured(seed, form) for seed in range(5)]
    assert merge(part for part in parts) == reduce(lambda a, b: a + b, parts)
    assert merge(parts[:1]) == parts[0]
    with pytest.raises(MixtureError, match="no statistics to merge"):
        merge([])


@forms
def test_expected_moments_are_those_of_many_frames(form):
    """Statistics made from a model give the model back."""
    stats = measured(3, form, n=60)
    model, _ = maximize(stats, floor=1e-9)
    counts = np.array([3.0, 5.0])
    deviations = model.means - stats.origin
    virtual = SufficientStats(
        form,
        origin=stats.origin,
        counts=counts,
        first=counts[:, None] * deviations,
        second=form_of(form).expected(model.covariances, deviations, counts),
        n_frames=8.0,
    )
    again, _ = maximize(virtual)
    np.testing.assert_allclose(again.means, model.means, rtol=1e-12)
    np.testing.assert_allclose(again.covariances, model.covariances, rtol=1e-9, atol=1e-11)


@forms
def test_statistics_do_not_change(form):
    a, b = measured(0, form), measured(1, form)
    before = pickle.dumps(a)
    a + b, a - b, 2 * a, a.shifted(b.origin), merge([a, b])
    assert pickle.dumps(a) == before
    again = pickle.loads(before)
    assert again == a
    assert a != b
    for name in ARRAYS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, name)[...] = 0


def test_statistics_of_other_models_are_refused():
    with pytest.raises(MixtureError, match=r"full covariances and shape \(2, 3\) added to diag"):
        measured(0, "diag") + measured(0, "full")
    with pytest.raises(MixtureError, match=r"shape \(3, 3\) added to diag covariances and shape \(2, 3\)"):
        measured(0, "diag") + measured(0, "diag", K=3)
    with pytest.raises(MixtureError, match=r"an origin of shape \(2,\).*\(3,\)"):
        measured(0, "diag").shifted(np.zeros(2))
    with pytest.raises(MixtureError, match=r"second of shape \(2, 3\); needed: shape \(2, 3, 3\)"):
        SufficientStats("full", np.zeros(3), np.zeros(2), np.zeros((2, 3)), np.zeros((2, 3)), 0.0)
    with pytest.raises(ChoiceError, match="'diagonal'; needed: one of spherical, diag, tied, full"):
        SufficientStats.zero(1, 1, "diagonal")
    with pytest.raises(TypeError):
        measured(0, "diag") + 1.0
