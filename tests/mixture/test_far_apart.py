"""Components far apart, beside their spread: float32 frames must not cost the variances."""

import numpy as np
import pytest

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.truncated import TruncatedEvaluator
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.training import train_mixture

FORMS = ("spherical", "diag", "tied", "full")


def corpus(form, distance, seed=0, n_components=4, n_features=6, n=4000):
    """Frames of unit deviation about means `distance` away, the mixture that they came from, and theirs."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(-distance, distance, (n_components, n_features))
    owner = np.arange(n) % n_components
    frames = (means[owner] + rng.normal(size=(n, n_features))).astype(np.float32)
    covariances = {
        "spherical": np.ones(n_components),
        "diag": np.ones((n_components, n_features)),
        "tied": np.eye(n_features),
        "full": np.tile(np.eye(n_features), (n_components, 1, 1)),
    }[form]
    return frames, Mixture(np.full(n_components, 1 / n_components), means, covariances, form), owner


def expected(frames, owner, form):
    """Maximum-likelihood covariances where every frame's component is known, float64."""
    groups = [frames[owner == k].astype(np.float64) for k in range(owner.max() + 1)]
    each = np.stack([np.cov(group.T, bias=True) for group in groups])
    diagonal = np.stack([np.diag(covariance) for covariance in each])
    return {"spherical": diagonal.mean(axis=1), "diag": diagonal, "tied": each.mean(axis=0), "full": each}[
        form
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("distance", [10.0, 3e3, 1e4])
def test_an_m_step_finds_the_variances(form, distance):
    frames, mixture, owner = corpus(form, distance)
    found = maximize(Evaluator(mixture).accumulate(frames), floor=np.zeros(6), previous=mixture)[0]
    np.testing.assert_allclose(found.covariances, expected(frames, owner, form), atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_so_does_one_on_truncated_posteriors(form):
    frames, mixture, owner = corpus(form, 3e3)
    sets = Evaluator(mixture).leading(frames, 1)
    statistics = TruncatedEvaluator(mixture).accumulate(frames, sets).statistics
    found = maximize(statistics, floor=np.zeros(6), previous=mixture)[0]
    np.testing.assert_allclose(found.covariances, expected(frames, owner, form), atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_the_likelihood_does_not_fall_without_a_floor(form):
    frames, mixture, _ = corpus(form, 3e3, n_components=8, n_features=4)
    result = train_mixture(
        [ArraySlice("a", frames)],
        n_components=8,
        covariance_type=form,
        init=mixture,
        passes=6,
        tol=0,
        floor=0.0,
    )
    steps = np.diff([report.log_likelihood for report in result.history])
    assert (steps > -1e-6 * np.abs(result.history[-1].log_likelihood)).all(), steps
