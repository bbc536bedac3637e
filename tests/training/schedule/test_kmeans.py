"""k-means: Lloyd's algorithm on the same sums, against the obvious loops and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from audiogmm.errors import ChoiceError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training import TrainingResult, train_mixture
from tests.naive.em import lloyd_pass
from tests.training.shards import blobs, recordings


def cluster(frames: np.ndarray, centers: np.ndarray, **options: object) -> TrainingResult:
    K = len(centers)
    start = Mixture(np.full(K, 1 / K), centers, np.ones(K), "spherical")
    options = {"passes": 1, "tol": 0.0} | options
    return train_mixture(
        recordings(frames, 300),
        n_components=K,
        algorithm="kmeans",
        init=start,
        **options,  # type: ignore[arg-type]
    )


@settings(max_examples=20, deadline=None)
@given(n=st.integers(20, 90), D=st.integers(1, 9), K=st.integers(1, 5), seed=st.integers(0, 1000))
def test_a_pass_is_the_obvious_loop(n: int, D: int, K: int, seed: int) -> None:
    frames = blobs(n, D, K, seed)
    centers = frames[:K].astype(np.float64)
    result = cluster(frames, centers)
    means, inertia = lloyd_pass(frames, centers)
    assert result.history[0].inertia == pytest.approx(inertia, rel=1e-12)
    if not result.history[0].rescued:
        np.testing.assert_allclose(result.mixture.means, means, rtol=1e-9, atol=1e-9)


def test_to_the_end_as_scikit_learn() -> None:
    frames = blobs(3000, D=6, K=5, seed=4, spread=1.5)
    centers = frames[:5].astype(np.float64)
    peer = KMeans(5, init=centers, n_init=1, tol=0, max_iter=300).fit(frames.astype(np.float64))
    result = cluster(frames, centers, passes=300, tol=1e-12)
    assert result.converged in ("likelihood", "parameters")
    assert result.history[-1].inertia == pytest.approx(peer.inertia_, rel=1e-9)
    np.testing.assert_allclose(result.mixture.means, peer.cluster_centers_, atol=1e-6)


def test_inertia_never_rises() -> None:
    result = train_mixture(
        recordings(blobs(5000, K=9, spread=1.0), 500), n_components=12, algorithm="kmeans", passes=40, tol=0
    )
    inertia = np.array([report.inertia for report in result.history])
    assert not any(report.rescued for report in result.history)
    assert np.all(np.diff(inertia) <= 1e-12 * inertia[0])


def test_the_model_has_one_shared_spherical_variance() -> None:
    frames = blobs(4000)
    result = train_mixture(
        recordings(frames, 500), n_components=4, algorithm="kmeans", passes=100, tol=1e-12, restarts=3
    )
    mixture, last = result.mixture, result.history[-1]
    assert mixture.covariance_type == "spherical"
    assert len(set(mixture.covariances.tolist())) == 1
    assert mixture.covariances[0] == pytest.approx(last.inertia / frames.size, rel=1e-6)  # type: ignore[operator]
    labels = KMeans(4, init=mixture.means, n_init=1, max_iter=1).fit_predict(frames.astype(np.float64))
    np.testing.assert_allclose(np.bincount(labels) / 4000, mixture.weights, atol=1e-3)
    assert np.isfinite(Evaluator(mixture).log_likelihood(frames)).all()
    # the reported likelihood is that of each frame as its own cluster's, the weight included
    distances = ((frames[:, None] - mixture.means) ** 2).sum(axis=2)
    variance = mixture.covariances[0]
    own = -0.5 * (3 * np.log(2 * np.pi * variance) + distances.min(axis=1) / variance)
    own += np.log(mixture.weights[distances.argmin(axis=1)])
    assert last.log_likelihood == pytest.approx(own.mean(), rel=1e-6)


def test_an_emptied_cluster_is_rescued() -> None:
    frames = blobs(1000, D=2, K=2, spread=5.0)
    result = cluster(frames, np.array([frames[0], [1e4, 1e4]], np.float64), passes=20)
    assert result.history[0].rescued == (1,)
    assert result.mixture.weights.min() > 0.3


def test_only_spherical_clusters() -> None:
    with pytest.raises(ChoiceError, match=r"k-means with covariance type 'full'; needed: spherical"):
        train_mixture([], n_components=2, algorithm="kmeans", covariance_type="full")
