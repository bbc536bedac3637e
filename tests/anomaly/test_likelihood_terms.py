"""Log-likelihoods and distances divide exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.likelihood_terms import LikelihoodTerms, divide_distance
from audiogmm.mixture.evaluator import Evaluator
from tests.anomaly.explained import FORMS, a_mixture
from tests.naive import explaining as naive


@settings(max_examples=25)
@pytest.mark.parametrize("form", FORMS)
@given(K=st.integers(1, 3), seed=st.integers(0, 1000))
def test_the_parts_of_a_loss_are_marginals_and_sum_to_it(form: str, K: int, seed: int) -> None:
    mixture = a_mixture(form, K, 5, seed)
    level = np.array([0.5, 0.5, 0.5, 0.0, 0.0])
    parts = LikelihoodTerms(mixture, np.arange(3), level)
    X = np.random.default_rng(seed).normal(0, 2, (4, 5))
    terms = parts(X)
    np.testing.assert_allclose(terms.sum(axis=1), Evaluator(mixture).log_likelihood(X), atol=1e-9)
    for x, term in zip(X, terms, strict=True):
        of_level = naive.log_likelihood(mixture, x, level[None])
        of_static = naive.log_likelihood(mixture, x, np.eye(5)[:3])
        wanted = [of_level, of_static - of_level, naive.log_likelihood(mixture, x) - of_static]
        np.testing.assert_allclose(term, wanted, atol=1e-6)


def test_what_does_not_exist_has_no_part() -> None:
    mixture = a_mixture("full", 2, 3, 0)
    X = np.random.default_rng(0).normal(size=(4, 3))
    terms = LikelihoodTerms(mixture, np.arange(3), None)(X)
    assert not terms[:, 0].any() and not terms[:, 2].any()
    np.testing.assert_array_equal(terms[:, 1], Evaluator(mixture).log_likelihood(X))


@settings(max_examples=25)
@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 1000))
def test_shift_and_scatter_are_all_of_the_distance(form: str, seed: int) -> None:
    mixture = a_mixture(form, 3, 4, seed)
    X = np.random.default_rng(seed).normal(1, 2, (6, 4))
    posteriors = Evaluator(mixture).posteriors(X)
    shift, scatter = divide_distance(mixture, posteriors, X)
    assert shift >= 0 and scatter >= 0
    assert shift + scatter == pytest.approx(naive.distance_of(mixture, posteriors, X), rel=1e-9, abs=1e-4)
