"""PLDA against the densities that it is a ratio of, and score normalization against its formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from audiogmm.errors import TrainingError
from audiogmm.verification.plda import Plda, learn_plda


def naive_ratio(x, t, between):
    """log N(x, t; one speaker) - log N(x) - log N(t), from the joint Gaussian."""
    n = len(x)
    b, total = np.diag(between), np.diag(1 + between)
    joint = np.block([[total, b], [b, total]])
    one = multivariate_normal(np.zeros(2 * n), joint).logpdf(np.concatenate([x, t]))
    alone = multivariate_normal(np.zeros(n), total)
    return one - alone.logpdf(x) - alone.logpdf(t)


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_a_score_is_the_ratio_of_two_gaussians(seed, n):
    rng = np.random.default_rng(seed)
    between = rng.uniform(0.01, 20, n)
    enrolled, tests = rng.normal(0, 3, (3, n)), rng.normal(0, 3, (2, n))
    found = Plda(np.zeros(n), np.eye(n), between).scores(enrolled, tests)
    expected = [[naive_ratio(x, t, between) for t in tests] for x in enrolled]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_learning_finds_the_covariances_that_speakers_were_drawn_from():
    rng = np.random.default_rng(1)
    within, between = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[3.0, -1.0], [-1.0, 4.0]])
    speakers = rng.multivariate_normal([5.0, -5.0], between, 4000)
    groups = [rng.multivariate_normal(y, within, rng.integers(2, 6)) for y in speakers]
    plda = learn_plda(groups, n_outputs=2)
    np.testing.assert_allclose(plda.transform.T @ within @ plda.transform, np.eye(2), atol=0.06)
    np.testing.assert_allclose(plda.transform.T @ between @ plda.transform, np.diag(plda.between), atol=0.4)
    np.testing.assert_allclose(plda.mean, [5.0, -5.0], atol=0.15)


def test_constant_inputs_do_not_break_it_and_shrinkage_keeps_the_trace():
    rng = np.random.default_rng(2)
    groups = [np.column_stack([rng.normal(y, 1, 3), np.zeros(3)]) for y in rng.normal(0, 3, 50)]
    scores = learn_plda(groups, 2, shrinkage=0.5).scores(np.zeros((1, 1)), np.zeros((1, 1)))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([np.ones((1, 2)), np.zeros((1, 2))], "2 speakers, 0 of them with two recordings"),
        ([np.ones((3, 2))], "1 speakers, 1 of them"),
    ],
)
def test_too_little_to_learn_from_is_named(groups, said):
    with pytest.raises(TrainingError, match=said):
        learn_plda(groups, 1)
