"""EM: against the formulas, against scikit-learn, and never downhill."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from audiogmm.mixture.floor import LEAST_FLOOR
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training import TrainingResult, train_mixture
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.types import CovarianceType
from tests.naive.em import em_pass
from tests.training.shards import Recording, blobs, recordings

FORMS = get_args(CovarianceType)


def start_from(frames: np.ndarray, K: int, form: str, seed: int = 0) -> Mixture:
    """K frames as means, the variances of all frames, unequal weights."""
    random = np.random.default_rng(seed)
    weights = random.dirichlet(np.full(K, 5.0))
    means = frames[random.choice(len(frames), K, replace=False)].astype(np.float64)
    covariances = form_of(form).broaden(frames.var(axis=0, dtype=np.float64), K)
    return Mixture(weights, means, covariances, form)  # type: ignore[arg-type]


def train_from(start: Mixture, frames: np.ndarray, **options: object) -> TrainingResult:
    options = {"passes": 10, "tol": 0.0, "floor": 0.0} | options
    return train_mixture(
        recordings(frames, 1000),
        n_components=start.n_components,
        covariance_type=start.covariance_type,
        init=start,
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=8, deadline=None)
@given(n=st.integers(30, 60), D=st.integers(1, 4), K=st.integers(1, 3), seed=st.integers(0, 1000))
def test_a_pass_is_the_formula(form: str, n: int, D: int, K: int, seed: int) -> None:
    frames = blobs(n, D, K, seed, spread=1.0)
    start = start_from(frames, K, form, seed)
    result = train_from(start, frames, passes=1)
    weights, means, covariances, log_likelihood = em_pass(
        frames, start.weights, start.means, start.covariances, form
    )
    np.testing.assert_allclose(result.mixture.weights, weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.mixture.means, means, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(result.mixture.covariances, covariances, rtol=1e-4, atol=1e-5)
    assert result.history[0].log_likelihood == pytest.approx(log_likelihood, rel=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("form", FORMS)
def test_ten_passes_as_scikit_learn_in_float64(form: str) -> None:
    frames = blobs(6000, D=5, K=6, seed=3, spread=1.5)
    start = start_from(frames, 6, form)
    covariances = start.covariances
    peer = GaussianMixture(
        6,
        covariance_type=form,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(covariances)
        if covariances.ndim > 1 and form != "diag"
        else 1 / covariances,
        reg_covar=0,
        max_iter=10,
        tol=0,
    ).fit(frames.astype(np.float64))
    result = train_from(start, frames)
    # scikit-learn reports the likelihood that the last E-step found, as we do
    assert result.history[-1].log_likelihood == pytest.approx(peer.lower_bound_, rel=1e-6)
    scores = train_from(result.mixture, frames, passes=1).history[0].log_likelihood
    assert scores == pytest.approx(peer.score(frames.astype(np.float64)), rel=1e-6)
    np.testing.assert_allclose(result.mixture.means, peer.means_, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("init", ["k-means++", "random", "split"])
def test_no_step_ever_lowers_the_likelihood(form: str, init: str) -> None:
    """With a fixed floor that is reached, and at every step: not the largest of the differences, all."""
    frames = blobs(4000, D=4, K=7, seed=5, spread=2.0)
    result = train_mixture(
        recordings(frames, 1000),
        n_components=9,
        covariance_type=form,  # type: ignore[arg-type]
        init=init,  # type: ignore[arg-type]
        floor=0.3,
        passes=25,
        tol=0,
    )
    gains = [report.gain for report in result.history[1:]]
    assert len(gains) == 24
    exempt = [report.gain is None for report in result.history[1:]]
    rescued = [bool(report.rescued) for report in result.history[:-1]]
    assert exempt == rescued
    certified = 1e-6 * abs(result.log_likelihood or 0)
    assert all(gain >= -certified for gain in gains if gain is not None)
    if form != "tied":
        assert any(report.floored for report in result.history)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("floor", [0.0, 1e-9, np.zeros(5)])
def test_without_a_floor_no_step_lowers_the_likelihood_of_dependent_columns(form: str, floor: object) -> None:
    """A column is the sum of others, and components collapse to copies of a frame: variances of 0."""
    frames = blobs(300, D=4, K=3, seed=2)[np.random.default_rng(2).integers(40, size=300)]
    frames = np.column_stack([frames, frames.sum(axis=1)])
    result = train_mixture(
        recordings(frames, 100),
        n_components=6,
        covariance_type=form,  # type: ignore[arg-type]
        floor=floor,  # type: ignore[arg-type]
        passes=20,
        tol=0,
    )
    assert [report.fell for report in result.history] == [0.0] * 20
    least = 1e-9 if np.ndim(floor) == 0 and floor else LEAST_FLOOR
    np.testing.assert_allclose(result.floor, least * frames.var(axis=0, dtype=np.float64), rtol=1e-6)
    if form in ("full", "tied"):
        assert result.history[-1].floored > 0


def test_a_fall_beyond_the_error_of_a_pass_is_said() -> None:
    rise = PassReport(number=2, n_frames=9, log_likelihood=-2e3, gain=0.5, movement=0.1)
    assert (rise.fell, replace(rise, gain=None).fell, replace(rise, gain=-1.9e-3).fell) == (0, 0, 0)
    assert replace(rise, gain=-2.1e-3).fell == 2.1e-3
    assert replace(rise, gain=-2e-6, log_likelihood=0.1).fell == 2e-6


def test_an_emptied_component_is_rescued_and_the_history_says_so() -> None:
    frames = blobs(3000, D=2, K=3, spread=8.0)
    start = start_from(frames, 3, "diag")
    means = start.means.copy()
    means[1] = 1e4
    result = train_from(
        Mixture(start.weights, means, start.covariances, "diag"), frames, passes=30, floor=1e-4
    )
    first, second, third = result.history[:3]
    assert (first.emptied, first.rescued) == ((1,), (1,))
    assert first.movement > 100
    assert second.gain is None  # no comparison across a rescue
    assert (second.rescued, third.gain is None) == ((), False)
    assert result.mixture.weights.min() > 0.1
    assert np.abs(result.mixture.means).max() < 100


def test_identical_frames_train_to_one_point() -> None:
    frames = np.full((500, 3), 2.5, np.float32)
    for form in FORMS:
        result = train_mixture([Recording("same", frames)], n_components=4, covariance_type=form)
        np.testing.assert_allclose(result.mixture.means, 2.5, atol=2e-3)
        assert result.constant == (0, 1, 2)
        assert np.isfinite([report.log_likelihood for report in result.history]).all()
        assert result.passes < 50


@pytest.mark.parametrize("form", FORMS)
def test_a_constant_feature_is_reported_and_floored(form: CovarianceType) -> None:
    frames = blobs(2000)
    frames[:, 1] = -7.0
    result = train_mixture(recordings(frames, 500), n_components=4, covariance_type=form)
    assert result.constant == (1,)
    assert result.floor[1] == pytest.approx(1e-6)
    np.testing.assert_allclose(result.mixture.means[:, 1], -7.0, atol=1e-4)
    if form in ("diag", "full"):
        assert result.history[-1].floored >= 4
    assert np.isfinite(result.log_likelihood or np.nan)


def test_the_source_of_the_frames_does_not_matter() -> None:
    """Spooled, or read anew in every pass: the same numbers, up to the grouping of the sums."""
    shards = recordings(blobs(30_000), 700)
    spooled, reread = (
        train_mixture(shards, n_components=4, passes=5, tol=0, max_spool_bytes=size)
        for size in (1 << 30, 1000)
    )
    assert (spooled.spooled, reread.spooled) == (True, False)
    np.testing.assert_allclose(spooled.mixture.means, reread.mixture.means, rtol=1e-9)
    assert spooled.n_frames == reread.n_frames == 30_000


def test_features_far_from_the_origin_lose_nothing() -> None:
    """Moments are taken about the mixture's center, not about zero."""
    frames = blobs(4000, spread=2.0)
    far = (frames.astype(np.float64) + 4096.0).astype(np.float32)
    near = (far.astype(np.float64) - 4096.0).astype(np.float32)  # exact
    a, b = (train_mixture(recordings(x, 1000), n_components=4, passes=5, tol=0) for x in (near, far))
    np.testing.assert_allclose(a.mixture.means, b.mixture.means - 4096.0, atol=1e-6)
    np.testing.assert_allclose(a.mixture.covariances, b.mixture.covariances, rtol=1e-6)


def test_criteria_are_scikit_learns() -> None:
    frames = blobs(3000)
    result = train_mixture(
        recordings(frames, 1000), n_components=4, covariance_type="full", tol=1e-9, passes=200
    )
    peer = GaussianMixture(4, covariance_type="full")
    mixture = result.mixture
    peer.weights_, peer.means_, peer.covariances_ = mixture.weights, mixture.means, mixture.covariances
    peer.precisions_cholesky_ = form_of("full").precision_factor(mixture.covariances)
    assert result.bic == pytest.approx(peer.bic(frames.astype(float)), rel=1e-6)
    assert result.aic == pytest.approx(peer.aic(frames.astype(float)), rel=1e-6)


def test_restarts_take_the_best_and_say_what_each_reached() -> None:
    shards = recordings(blobs(3000, K=8, seed=9), 1000)
    options = {"n_components": 8, "init": "random", "tol": 1e-6, "reducer": LocalReducer(2)}
    alone = train_mixture(shards, **options)  # type: ignore[arg-type]
    several = train_mixture(shards, restarts=5, **options)  # type: ignore[arg-type]
    assert alone.starts == ()
    assert len(several.starts) == 5
    assert several.history[0].log_likelihood >= max(several.starts) - 1e-9
    assert several.log_likelihood >= alone.log_likelihood  # type: ignore[operator]
