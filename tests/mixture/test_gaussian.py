"""A mixture is valid, frozen, and known by its numbers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky, _compute_precision_cholesky

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.mixture.forms import FORMS, form_of
from audiogmm.mixture.gaussian import Mixture

forms = pytest.mark.parametrize("form", FORMS)


def draw(form, K=3, D=4, seed=0):
    """A random mixture."""
    random = np.random.default_rng(seed)
    roots = random.normal(size=(K, D, D))
    full = roots @ roots.swapaxes(1, 2) + 0.1 * np.eye(D)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.einsum("kdd->kd", full),
        "spherical": np.einsum("kdd->k", full),
    }
    return Mixture(random.dirichlet(np.ones(K)), random.normal(size=(K, D)), covariances[form], form)


@forms
def test_parameters_are_counted_as_scikit_learn_does(form):
    peer = GaussianMixture(3, covariance_type=form, reg_covar=1e-3, random_state=0)
    peer.fit(np.random.default_rng(0).normal(size=(50, 4)))
    assert draw(form).n_parameters == peer._n_parameters()
    assert peer.covariances_.shape == form_of(form).shape(3, 4) == draw(form).covariances.shape


@forms
def test_precisions_are_those_of_scikit_learn(form):
    mixture = draw(form)
    factors = form_of(form).precision_factor(mixture.covariances)
    np.testing.assert_allclose(factors, _compute_precision_cholesky(mixture.covariances, form), atol=1e-12)
    np.testing.assert_allclose(
        form_of(form).half_log_precision(factors, 3, 4),
        np.broadcast_to(_compute_log_det_cholesky(factors, form, 4), 3),
    )


@forms
def test_samples_have_the_moments_of_the_mixture(form):
    mixture = draw(form)
    frames, components = mixture.sample(40_000, seed=1)
    np.testing.assert_allclose(np.bincount(components) / 40_000, mixture.weights, atol=0.01)
    full = {
        "spherical": lambda k: mixture.covariances[k] * np.eye(4),
        "diag": lambda k: np.diag(mixture.covariances[k]),
    }
    for k in range(3):
        own = frames[components == k]
        wanted = full.get(form, lambda k: mixture.covariances if form == "tied" else mixture.covariances[k])(
            k
        )
        spread = np.sqrt(np.diag(wanted).max() / len(own))
        np.testing.assert_allclose(own.mean(axis=0), mixture.means[k], atol=5 * spread)
        np.testing.assert_allclose(np.cov(own.T), wanted, atol=10 * np.diag(wanted).max() / np.sqrt(len(own)))
    again, _ = mixture.sample(40_000, seed=1)
    np.testing.assert_array_equal(frames, again)


@forms
def test_a_mixture_does_not_change(form):
    weights = np.array([0.5, 0.5])
    drawn = draw(form, K=2)
    mixture = Mixture(weights, drawn.means, drawn.covariances, form)
    fingerprint = mixture.fingerprint
    weights[0] = 9.0
    assert mixture.weights[0] == 0.5
    again = pickle.loads(pickle.dumps(mixture))
    assert again == mixture
    assert hash(again) == hash(mixture)
    assert again.fingerprint == fingerprint
    for name in ("weights", "means", "covariances", "center"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, name)[...] = 0


@forms
def test_every_number_is_in_the_fingerprint(form):
    mixture = draw(form)
    seen = {mixture.fingerprint}
    for name in ("weights", "means", "covariances"):
        arrays = {other: getattr(mixture, other).copy() for other in ("weights", "means", "covariances")}
        arrays[name].flat[0] = np.nextafter(arrays[name].flat[0], np.inf)
        changed = Mixture(**arrays, covariance_type=form)
        seen.add(changed.fingerprint)
        assert changed != mixture
    assert len(seen) == 4
    assert Mixture([1.0], [[-0.0]], [1.0], "spherical").fingerprint == (
        Mixture([1.0], [[0.0]], [1.0], "spherical").fingerprint
    )
    one = ([1.0], [[0.0]], [[1.0]])
    assert Mixture(*one, "diag").fingerprint != Mixture(*one, "tied").fingerprint


EYE = np.eye(2)


@pytest.mark.parametrize(
    ("weights", "covariances", "form", "message"),
    [
        (
            [0.5, 0.6],
            [1, 1],
            "spherical",
            "weights of 2 components sum to 1.1; .*1e-06; try: weights / weights.sum",
        ),
        ([1.5, -0.5], [1, 1], "spherical", "component 1 has weight -0.5"),
        ([np.nan, 1], [1, 1], "spherical", r"weights of component 0 hold nan at \[0\]"),
        ([0.5, 0.5], [1, 0], "spherical", "component 1 has variance 0;.*try: a higher variance floor"),
        ([0.5, 0.5], [[1, 1], [1, -2]], "diag", "component 1 has variance -2 in feature 1"),
        ([0.5, 0.5], [[1, 1], [np.inf, 1]], "diag", r"covariances of component 1 hold inf at \[1, 0\]"),
        ([0.5, 0.5], [EYE, [[1, 2], [2, 1]]], "full", "component 1 .* smallest eigenvalue is -1"),
        (
            [0.5, 0.5],
            [EYE, [[1, 0.5], [0, 1]]],
            "full",
            "component 1 .* not symmetric .entries differ by 0.5",
        ),
        ([0.5, 0.5], [[1, 2], [2, 1]], "tied", "tied covariance is not positive definite .*-1"),
        ([0.5, 0.5], [[1, np.nan], [2, 1]], "tied", r"covariances hold nan at \[0, 1\]"),
        ([0.5, 0.5], [1, 1, 1], "spherical", r"covariances of shape \(3,\).*spherical .* shape \(2,\)"),
        ([0.5, 0.5], [1, 1], "full", r"covariances of shape \(2,\).*full covariances of shape \(2, 2, 2\)"),
        ([0.2, 0.3, 0.5], [1, 1], "spherical", r"weights of shape \(3,\).*needed: weights of shape \(2,\)"),
        ([[1.0]], [1, 1], "spherical", r"weights of shape \(1, 1\) and means of shape \(2, 2\)"),
    ],
)
def test_what_is_no_mixture_is_refused(weights, covariances, form, message):
    with pytest.raises(MixtureError, match=message):
        Mixture(weights, [[0.0, 1.0], [2.0, 3.0]], covariances, form)


def test_other_odd_mixtures_are_refused():
    with pytest.raises(ChoiceError, match="covariance type 'diagonal'; needed: one of spherical, diag"):
        Mixture([1.0], [[0.0]], [[1.0]], "diagonal")
    with pytest.raises(MixtureError, match=r"means of component 0 hold -inf at \[0, 0\]"):
        Mixture([1.0], [[-np.inf]], [[1.0]], "diag")
    with pytest.raises(MixtureError, match=r"means of shape \(0, 3\)"):
        Mixture(np.zeros(0), np.zeros((0, 3)), np.zeros(0), "spherical")
