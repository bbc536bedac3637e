"""Identification: posteriors by the formula, and from recordings to who it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.verification.identification import compute_posteriors, rank_speakers, share_prior
from tests.jobs.test_verify import reasons, voices, workshop  # noqa: F401
from tests.naive import identification as naive

ratios = st.lists(st.floats(-300, 300), min_size=1, max_size=6)


@settings(max_examples=50, deadline=None)
@given(llr=ratios, known=st.sampled_from([1e-6, 0.1, 0.5, 0.999]))
def test_posteriors_are_the_formula(llr: list[float], known: float) -> None:
    priors = share_prior(len(llr), known)
    found = compute_posteriors(llr, priors)
    np.testing.assert_allclose(found, naive.posteriors(llr, priors.tolist()), rtol=1e-9, atol=1e-300)
    assert found.sum() == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(llr=ratios, seed=st.integers(0, 99))
def test_priors_need_not_be_equal(llr: list[float], seed: int) -> None:
    priors = np.random.default_rng(seed).dirichlet(np.ones(len(llr) + 1))[:-1]
    expected = naive.posteriors(llr, priors.tolist())
    np.testing.assert_allclose(compute_posteriors(llr, priors), expected, rtol=1e-6, atol=1e-12)


def test_in_a_closed_set_it_is_somebody() -> None:
    llr = np.array([-900.0, -901.0])  # nobody sounds like it, and yet it is one of them
    found = compute_posteriors(llr, share_prior(2, 1.0))
    np.testing.assert_allclose(found, [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0])
    assert rank_speakers(["ann", "bob"], llr, 1.0)[0] == "ann"
    assert rank_speakers(["ann", "bob"], llr, 0.999999)[0] is None


def test_the_right_ratios_give_probabilities_that_come_true() -> None:
    """Ratios drawn as they are calibrated: of outcomes called 80 % likely, 80 % happen."""
    rng = np.random.default_rng(0)
    n, trials, m = 4, 20_000, 2.0
    truth = rng.choice(n + 1, size=trials, p=[0.15] * 4 + [0.4])
    llr = rng.normal(-m, np.sqrt(2 * m), size=(trials, n))  # N(-m, 2m) of others, N(m, 2m) of oneself
    at = np.flatnonzero(truth < n)
    llr[at, truth[at]] += 2 * m
    found = np.array([compute_posteriors(row, share_prior(n, 0.6)) for row in llr])
    for low in (0.1, 0.3, 0.5, 0.7, 0.9):
        near = np.abs(found - low) < 0.05
        happened = (np.arange(n + 1) == truth[:, None])[near]
        assert happened.mean() == pytest.approx(found[near].mean(), abs=0.025)


@pytest.mark.parametrize(
    ("llr", "priors", "message"),
    [
        ([1.0, np.nan], [0.1, 0.1], "ratio of nan; needed: finite"),
        ([1.0], [0.1, 0.1], r"shape \(1,\) with priors of shape \(2,\)"),
        ([], [], r"shape \(0,\)"),
        ([1.0, 0.0], [0.7, 0.7], "priors that sum to 1.4"),
        ([1.0, 0.0], [-0.1, 0.5], "priors that sum to 0.4"),
    ],
)
def test_what_are_no_ratios_or_priors(llr: list[float], priors: list[float], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        compute_posteriors(llr, priors)
