"""What an explanation divides a loss into, against loops from the formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.counterfactual import ShiftSearch
from audiogmm.anomaly.likelihood_terms import LikelihoodTerms, divide_distance
from audiogmm.anomaly.modulation import Modulation
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.marginal import marginal
from tests.naive import explaining as naive

FORMS = ("full", "tied", "diag", "spherical")


def a_mixture(form: str, K: int, D: int, seed: int) -> Mixture:
    rng = np.random.default_rng(seed)
    roots = rng.normal(0, 0.4, (K, D, D)) + np.eye(D)
    full = roots @ roots.transpose(0, 2, 1)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.diagonal(full, axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[form]
    weights = rng.uniform(0.2, 1.0, K)
    return Mixture(weights / weights.sum(), rng.normal(0, 2, (K, D)), covariances, form)  # type: ignore[arg-type]


@settings(max_examples=15)
@pytest.mark.parametrize("form", FORMS)
@given(K=st.integers(1, 3), D=st.integers(2, 5), seed=st.integers(0, 1000))
def test_undoing_wins_what_a_search_over_amounts_wins(form: str, K: int, D: int, seed: int) -> None:
    mixture = a_mixture(form, K, D, seed)
    rng = np.random.default_rng(seed + 1)
    X, directions = rng.normal(0, 3, (2, D)), rng.normal(0, 1, (2, D))
    found = ShiftSearch(mixture, directions)(X)
    for v, direction in enumerate(directions):
        by_search = [naive.undone(mixture, x, direction) for x in X]
        assert found.gains[v] == pytest.approx(sum(gain for gain, _ in by_search), abs=1e-5)
        for t, (gain, amount) in enumerate(by_search):
            if gain > 1e-3 and abs(found.amounts[v, t] - amount) > 1e-2:  # two components may do as well
                again = naive.undone(mixture, X[t] - found.amounts[v, t] * direction, direction)
                assert again[0] == pytest.approx(0.0, abs=1e-5)


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


def test_a_marginal_keeps_weights_and_form() -> None:
    mixture = a_mixture("diag", 2, 3, 0)
    assert marginal(mixture, np.eye(3)[:2], np.zeros(2)) == Mixture(
        mixture.weights, mixture.means[:, :2], [np.diag(c[:2]) for c in mixture.covariances], "full"
    )


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


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), frame_rate=st.sampled_from([20.0, 62.5, 100.0]))
def test_movements_are_powers_of_a_fourier_sum(seed: int, frame_rate: float) -> None:
    modulation = Modulation(np.eye(2), frame_rate)
    X = np.random.default_rng(seed).normal(0, 3, (modulation.span, 2))
    found = modulation(X)
    assert found.size == modulation.n_values
    for track in range(2):
        wanted = naive.modulation(X[:, track], frame_rate, modulation.rates)
        np.testing.assert_allclose(found[track], wanted, atol=1e-6)


def test_rates_are_apart_and_end_at_half_the_frame_rate() -> None:
    for frame_rate in (1.0, 3.0, 10.0, 100.0):
        rates = Modulation(np.ones((1, 1)), frame_rate).rates
        assert (rates[:, 0] < rates[:, 1]).all() and (rates <= frame_rate / 2).all()
        np.testing.assert_array_equal(rates[1:, 0], rates[:-1, 1])
    assert len(Modulation(np.ones((1, 1)), 1.0).rates) == 0
    assert len(Modulation(np.ones((1, 1)), 100.0).rates) >= 8
