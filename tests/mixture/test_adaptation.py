"""MAP adaptation goes as far as the data reach, by the paper's equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MismatchError, TrainingError
from audiogmm.mixture.adaptation import adapt_mixture, prior_statistics
from audiogmm.mixture.forms import FORMS
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.statistics import SufficientStats
from tests.mixture.test_gaussian import draw
from tests.naive import adaptation as naive

forms = pytest.mark.parametrize("form", FORMS)
EVERYTHING = {"means": True, "variances": True, "weights": True}


def observe(form, seed=0, n=40, K=3, D=4):
    """Random frames with posteriors, and their statistics."""
    random = np.random.default_rng(seed)
    frames, shares = random.normal(size=(n, D)) + 1, random.dirichlet(np.ones(K), n)
    origin = random.normal(size=D)
    return frames, shares, SufficientStats.measure(frames, shares, origin=origin, covariance_type=form)


@given(seed=st.integers(0, 2**32 - 1), tau=st.floats(0.0, 100.0))
@settings(max_examples=30, deadline=None)
def test_adaptation_is_that_of_the_paper(seed, tau):
    prior = draw("diag", seed=seed)
    frames, shares, stats = observe("diag", seed)
    weights, means, variances = naive.adapt(
        prior.weights, prior.means, prior.covariances, frames, shares, tau
    )
    whole, _ = adapt_mixture(prior, stats, tau=tau, **EVERYTHING)
    np.testing.assert_allclose(whole.weights, weights, rtol=1e-10)
    np.testing.assert_allclose(whole.means, means, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(whole.covariances, variances, rtol=1e-8, atol=1e-9)
    only_means, _ = adapt_mixture(prior, stats, tau=tau)
    np.testing.assert_array_equal(only_means.means, whole.means)
    np.testing.assert_array_equal(only_means.covariances, prior.covariances)
    np.testing.assert_array_equal(only_means.weights, prior.weights)


@forms
def test_adaptation_lies_between_the_prior_and_the_data(form):
    prior = draw(form)
    _, _, stats = observe(form)
    maximum, _ = maximize(stats)
    for tau, wanted in [(0.0, maximum), (1e12, prior)]:
        adapted, _ = adapt_mixture(prior, stats, tau=tau, **EVERYTHING)
        for name in ("weights", "means", "covariances"):
            np.testing.assert_allclose(getattr(adapted, name), getattr(wanted, name), rtol=1e-6, atol=1e-9)


@forms
def test_variances_alone_are_about_the_means_kept(form):
    """Of n frames and tau virtual ones, all with their deviations from the prior's mean."""
    prior = draw(form)
    frames, shares, stats = observe(form)
    adapted, _ = adapt_mixture(prior, stats, tau=5.0, means=False, variances=True)
    np.testing.assert_array_equal(adapted.means, prior.means)
    n = shares.sum(axis=0)
    own = np.array(
        [(shares[:, k, None] * (frames - prior.means[k])).T @ (frames - prior.means[k]) for k in range(3)]
    )
    if form == "tied":
        wanted = (own.sum(axis=0) + 15.0 * prior.covariances) / (n.sum() + 15.0)
    elif form == "full":
        wanted = (own + 5.0 * prior.covariances) / (n + 5.0)[:, None, None]
    else:
        squares = np.einsum("kdd->kd", own)
        squares = squares.mean(axis=1) if form == "spherical" else squares
        wanted = (squares.T + 5.0 * prior.covariances.T).T / (n + 5.0).reshape(-1, *[1] * (squares.ndim - 1))
    np.testing.assert_allclose(adapted.covariances, wanted, rtol=1e-9, atol=1e-10)


@forms
def test_a_component_without_frames_stays_where_it_was(form):
    prior = draw(form)
    frames, shares, _ = observe(form)
    shares = np.column_stack([shares[:, 0] + shares[:, 1], np.zeros(40), shares[:, 2]])
    stats = SufficientStats.measure(frames, shares, origin=np.zeros(4), covariance_type=form)
    for tau in (0.0, 16.0):
        adapted, _ = adapt_mixture(prior, stats, tau=tau, **EVERYTHING)
        np.testing.assert_allclose(adapted.means[1], prior.means[1], rtol=1e-12)
        if form != "tied":
            np.testing.assert_allclose(adapted.covariances[1], prior.covariances[1], rtol=1e-9, atol=1e-12)


@forms
def test_adapted_variances_are_floored(form):
    prior = draw(form)
    _, _, stats = observe(form)
    adapted, update = adapt_mixture(prior, stats, variances=True, floor=50.0)
    assert update.n_floored > 0
    assert FORMS[form].variances(adapted.covariances, 3, 4).min() >= 50.0 * (1 - 1e-12)


@forms
def test_the_statistics_of_a_prior_give_the_prior_back(form):
    prior = draw(form)
    again, _ = maximize(prior_statistics(prior, origin=np.ones(4)))
    np.testing.assert_allclose(again.means, prior.means)
    np.testing.assert_allclose(again.covariances, prior.covariances, rtol=1e-9, atol=1e-12)


def test_what_cannot_be_adapted_is_refused():
    _, _, stats = observe("diag")
    with pytest.raises(ChoiceError, match="relevance factor tau=-1"):
        adapt_mixture(draw("diag"), stats, tau=-1)
    with pytest.raises(ChoiceError, match="variance floor of -2"):
        adapt_mixture(draw("diag"), stats, floor=-2.0)
    with pytest.raises(MismatchError, match=r"\('full', 3, 4\); needed: \('diag', 3, 4\)"):
        adapt_mixture(draw("full"), stats)
    with pytest.raises(TrainingError, match="statistics of 0 frames"):
        adapt_mixture(draw("diag"), stats * 0)
