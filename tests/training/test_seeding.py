"""Where training starts: spread-out centers, the same for the same seed, and of the shape asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import numpy as np
import pytest
from sklearn.cluster import KMeans

from audiogmm.errors import MismatchError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training import train_mixture
from audiogmm.training.seeding import assign_to_centers, k_means_plus_plus, scale_frames
from audiogmm.types import CovarianceType
from tests.training.shards import blobs, recordings


@pytest.mark.parametrize("init", ["k-means++", "random", "split"])
@pytest.mark.parametrize("form", get_args(CovarianceType))
def test_a_start_has_the_shape_asked_for_and_follows_the_seed(init: str, form: CovarianceType) -> None:
    shards = recordings(blobs(2000), 500)

    def start(seed: int) -> Mixture:
        options = {"n_components": 5, "covariance_type": form, "init": init, "passes": 0, "seed": seed}
        return train_mixture(shards, **options).mixture  # type: ignore[arg-type]

    mixture = start(0)
    assert (mixture.n_components, mixture.n_features, mixture.covariance_type) == (5, 3, form)
    assert mixture == start(0)
    assert (mixture == start(1)) == (init == "split")


def test_k_means_plus_plus_finds_separate_clusters() -> None:
    random = np.random.default_rng(0)
    centers = 100 * np.eye(16)
    frames = (centers[np.arange(800) % 16] + random.normal(size=(800, 16))).astype(np.float32)
    frames = scale_frames(frames, np.zeros(16), np.ones(16))
    with ThreadPoolExecutor(2) as pool:
        rows = k_means_plus_plus(frames, 16, 0, pool)
        assert sorted(rows % 16) == list(range(16))
        labels = assign_to_centers(frames, frames[rows].astype(np.float64), pool)
    assert np.array_equal(rows[labels] % 16, np.arange(800) % 16)


def test_k_means_plus_plus_survives_equal_frames() -> None:
    with ThreadPoolExecutor(1) as pool:
        rows = k_means_plus_plus(np.ones((10, 16), np.float32), 5, 0, pool)
    assert rows.shape == (5,)


def test_seeding_is_free_of_scale() -> None:
    """Features in other units give the same clusters."""
    frames = blobs(2000)
    scale = np.array([1.0, 1024.0, 2.0**-10], np.float32)
    plain, scaled = (
        train_mixture(recordings(x, 500), n_components=4, passes=0).mixture for x in (frames, frames * scale)
    )
    np.testing.assert_allclose(plain.means * scale, scaled.means, rtol=1e-4, atol=1e-6)


def test_a_mixture_to_start_from_must_fit() -> None:
    shards = recordings(blobs(100), 50)
    start = Mixture([0.5, 0.5], np.zeros((2, 4)), np.ones((2, 4)), "diag")
    with pytest.raises(MismatchError, match="components 2, features 4; needed: components 3, features 3"):
        train_mixture(shards, n_components=3, init=start)


def test_a_trained_model_is_a_warm_start() -> None:
    shards = recordings(blobs(3000), 500)
    options = {"n_components": 4, "tol": 1e-7, "passes": 200}
    cold = train_mixture(shards, **options)  # type: ignore[arg-type]
    warm = train_mixture(shards, init=cold.mixture, **options)  # type: ignore[arg-type]
    assert warm.passes <= 3
    assert warm.history[0].log_likelihood >= cold.log_likelihood  # type: ignore[operator]


def test_inertia_of_seeding_is_as_good_as_scikit_learns() -> None:
    frames = blobs(4000, D=8, K=12, seed=2, spread=2.0)
    peers = [KMeans(12, n_init=1, random_state=s, max_iter=5).fit(frames).inertia_ for s in range(5)]
    ours = []
    for seed in range(5):
        result = train_mixture(
            recordings(frames, 1000), n_components=12, algorithm="kmeans", passes=1, seed=seed, tol=0
        )
        ours.append(result.history[0].inertia)
    assert np.median(ours) < 1.05 * np.median(peers)
