"""The evaluator against the naive twin, for models drawn to be awkward."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from tests.naive import mixture as naive

FORMS = ("spherical", "diag", "tied", "full")
TRICKS = (
    "plain",
    "twins",
    "tiny variances",
    "tiny weights",
    "no weight",
    "far frames",
    "offset",
    "one point",
)


def draw(seed: int, form: str, K: int, D: int, n: int, trick: str, dtype: type) -> tuple[Mixture, np.ndarray]:
    """A mixture and frames from it; the trick is what makes screening hard."""
    random = np.random.default_rng(seed)
    weights = random.dirichlet(np.ones(K))
    means = random.normal(size=(K, D)) * random.choice([0.3, 1, 3])
    variances = random.uniform(0.05, 2, (K, D))
    offset = 0.0
    if trick == "twins":
        means[K // 2 :] = means[: K - K // 2] + random.normal(size=D) * 1e-6
        variances[K // 2 :] = variances[: K - K // 2]
    if trick == "tiny variances":
        # a full matrix with 1e-9 beside 1 is not positive definite any more once it is rounded
        variances[random.uniform(size=(K, D)) < 0.3] = 1e-9 if form in ("spherical", "diag") else 1e-5
    if trick in ("tiny weights", "no weight") and K > 1:
        weights[: K // 2] = 1e-12 if trick == "tiny weights" else 0.0
        weights /= weights.sum()
    if trick == "one point":
        means[:] = means[0]
    frames = means[random.integers(K, size=n)] + random.normal(size=(n, D)) * np.sqrt(variances.mean(0))
    if trick == "far frames":
        frames[::3] *= random.choice([1e3, 1e6, 1e12])
    if trick == "offset":
        offset = 1e6
        means += offset
        frames += offset
    mixing = np.eye(D) + 0.3 * random.normal(size=(D, D))
    match form:
        case "spherical":
            covariances = variances.mean(axis=1)
        case "diag":
            covariances = variances
        case "tied":
            covariances = mixing @ np.diag(variances.mean(axis=0)) @ mixing.T
        case "full":
            covariances = np.stack([mixing @ np.diag(v) @ mixing.T for v in variances])
    if form in ("tied", "full"):
        covariances = (covariances + covariances.swapaxes(-1, -2)) / 2
    return Mixture(weights, means, covariances, form), frames.astype(dtype)


cases = st.tuples(
    st.integers(0, 2**32 - 1),
    st.sampled_from(FORMS),
    st.integers(1, 40),
    st.one_of(st.integers(1, 20), st.just(67)),
    st.integers(1, 150),
    st.sampled_from(TRICKS),
    st.sampled_from([np.float32, np.float64]),
)


@settings(max_examples=50, deadline=None)
@given(cases)
def test_scores_and_statistics_are_the_formulas(case):
    mixture, frames = draw(*case)
    evaluator = Evaluator(mixture)
    form = mixture.covariance_type
    joint = naive.log_joint(frames, mixture.weights, mixture.means, mixture.covariances, form)
    likelihood = naive.log_likelihood(joint)
    # float64 itself: rounding of x - mean, magnified by the steepest direction
    resolution = 1e-13 * np.abs(joint[np.isfinite(joint)]).max() + (
        1e-6 * np.abs(likelihood).max() if case[5] == "offset" else 0.0
    )

    np.testing.assert_allclose(
        evaluator.log_likelihood(frames), likelihood, rtol=1e-6, atol=1e-6 + resolution
    )
    np.testing.assert_allclose(evaluator.log_joint(frames), joint, rtol=1e-7, atol=1e-6 + resolution)

    weights = np.random.default_rng(case[0]).uniform(0, 3, len(frames))
    stats = evaluator.accumulate(frames, weights)
    gamma = naive.posteriors(evaluator.log_joint(frames))
    counts, first, second, first_size, second_size = naive.statistics(
        frames, gamma, weights, evaluator.origin, form
    )
    # every skipped pair may cost 1e-7 of a frame, in each moment of its size
    x = np.abs(frames.astype(np.float64) - evaluator.origin)
    missed = 1e-7 * mixture.n_components * weights
    assert np.all(np.abs(stats.counts - counts) <= 1e-6 * counts + missed.sum() + 1e-9)
    assert np.all(np.abs(stats.first - first) <= 1e-5 * first_size + missed @ x + 1e-12)
    lost = {
        "spherical": missed @ (x**2).sum(axis=1),
        "diag": missed @ x**2,
        "tied": 0.0,
        "full": (x * missed[:, None]).T @ x,
    }[form]
    assert np.all(np.abs(stats.second - second) <= 1e-5 * second_size + lost + 1e-12)
    assert stats.n_frames == pytest.approx(weights.sum())
    assert stats.log_likelihood == pytest.approx(weights @ likelihood, rel=1e-6, abs=1e-5 + 1e3 * resolution)
    assert stats.counts.sum() == pytest.approx(weights.sum(), rel=1e-12)
    assert 0 <= stats.skipped <= len(frames) * mixture.n_components


@settings(max_examples=40, deadline=None)
@given(cases)
def test_only_what_is_below_the_threshold_is_skipped(case):
    mixture, frames = draw(*case)
    joint = Evaluator(mixture).log_joint(frames)
    gamma = naive.posteriors(joint)
    skipped = Evaluator(mixture, threshold=1e-7).accumulate(frames).skipped
    assert skipped <= np.count_nonzero(gamma < 1e-7 * (1 + 1e-9))
    active = mixture.weights > 0
    nothing = Evaluator(mixture, threshold=0).accumulate(frames)
    assert nothing.skipped == len(frames) * np.count_nonzero(~active)


@pytest.mark.parametrize("form", FORMS)
def test_most_of_a_well_separated_model_is_skipped(form):
    mixture, _ = draw(1, form, 40, 20, 1, "plain", np.float32)
    frames, _ = mixture.sample(500, seed=2)
    stats = Evaluator(mixture).accumulate(frames.astype(np.float32))
    gamma = Evaluator(mixture).posteriors(frames.astype(np.float32))
    assert stats.skipped >= 0.9 * np.count_nonzero(gamma < 1e-7) > 5000


@settings(max_examples=30, deadline=None)
@given(cases, st.lists(st.integers(1, 60), max_size=8))
def test_any_chunking_gives_the_same_bytes(case, sizes):
    mixture, frames = draw(*case)
    evaluator = Evaluator(mixture)
    cuts = [*np.minimum(np.cumsum([0, *sizes]), len(frames)).tolist(), len(frames)]
    chunks = [frames[a:b] for a, b in pairwise(cuts)]
    for method in (evaluator.log_likelihood, evaluator.log_joint, evaluator.posteriors):
        whole = method(frames)
        assert np.concatenate([method(chunk) for chunk in chunks]).tobytes() == whole.tobytes()
    tops = [evaluator.top(chunk) for chunk in chunks]
    for i, whole in enumerate(evaluator.top(frames)):
        assert np.concatenate([top[i] for top in tops]).tobytes() == whole.tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_weights_are_repetition(form):
    mixture, frames = draw(3, form, 6, 5, 90, "plain", np.float64)
    repeats = np.random.default_rng(0).integers(0, 4, len(frames))
    weighted = Evaluator(mixture).accumulate(frames, repeats.astype(np.float64))
    repeated = Evaluator(mixture).accumulate(np.repeat(frames, repeats, axis=0))
    for name in ("counts", "first", "second", "n_frames", "log_likelihood"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_top_is_what_the_posteriors_say(form):
    mixture, frames = draw(4, form, 7, 4, 600, "plain", np.float32)
    evaluator = Evaluator(mixture)
    gamma = evaluator.posteriors(frames)
    component, posterior, entropy = evaluator.top(frames)
    assert component.dtype == np.int32
    np.testing.assert_array_equal(component, gamma.argmax(axis=1))
    np.testing.assert_array_equal(posterior, gamma.max(axis=1))
    np.testing.assert_allclose(entropy, -(gamma * np.log(gamma + 1e-300)).sum(axis=1), atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named(form, bad):
    mixture, frames = draw(5, form, 3, 4, 200, "plain", np.float32)
    frames[170, 2] = bad
    for method in ("accumulate", "log_likelihood", "log_joint", "top"):
        with pytest.raises(MixtureError, match=rf"frame 170 .*{bad} in feature 2"):
            getattr(Evaluator(mixture), method)(frames)


def test_frames_and_weights_that_do_not_fit_are_refused():
    evaluator = Evaluator(draw(6, "diag", 3, 4, 5, "plain", np.float32)[0])
    with pytest.raises(MixtureError, match=r"\(5, 3\).*4 features"):
        evaluator.accumulate(np.zeros((5, 3), np.float32))
    with pytest.raises(MixtureError, match=r"weights of shape \(4,\) for 5 frames"):
        evaluator.accumulate(np.zeros((5, 4), np.float32), np.ones(4))
    with pytest.raises(MixtureError, match=r"frame 1 has weight -2"):
        evaluator.accumulate(np.zeros((2, 4), np.float32), np.array([1.0, -2.0]))
    with pytest.raises(ChoiceError, match=r"threshold=1\.5"):
        Evaluator(evaluator.mixture, threshold=1.5)


@pytest.mark.parametrize("form", FORMS)
def test_any_array_of_numbers_will_do(form):
    mixture, frames = draw(7, form, 3, 4, 40, "plain", np.float64)
    evaluator = Evaluator(mixture)
    whole = np.round(frames * 3)
    expected = evaluator.log_likelihood(whole)
    frozen = whole.copy()
    frozen.flags.writeable = False
    for same in (whole.astype(np.int16), np.asfortranarray(whole), frozen, whole.tolist()):
        np.testing.assert_array_equal(evaluator.log_likelihood(same), expected)
        np.testing.assert_array_equal(evaluator.accumulate(same).counts, evaluator.accumulate(whole).counts)
    assert len(evaluator.log_likelihood(whole[:0])) == 0
    assert evaluator.accumulate(whole[:0]).n_frames == 0


def test_an_evaluator_survives_pickling():
    mixture, frames = draw(8, "tied", 3, 4, 40, "plain", np.float32)
    evaluator = Evaluator(mixture, threshold=1e-9)
    copy = pickle.loads(pickle.dumps(evaluator))
    assert copy.threshold == 1e-9
    assert copy.log_likelihood(frames).tobytes() == evaluator.log_likelihood(frames).tobytes()


@pytest.mark.parametrize("exponent", [-45, 45])
@pytest.mark.parametrize("form", ["diag", "full"])
def test_weights_and_frames_that_float32_cannot_multiply(form, exponent):
    """At 2^-45 each, a product of a weight and a square is 2^-135, of which float32 has no digits left."""
    random, unit = np.random.default_rng(0), 2.0**exponent
    frames, weights = random.normal(size=(50, 2)).astype(np.float32), random.uniform(1, 2, 50)
    covariances = {"diag": np.ones((2, 2)), "full": np.tile(np.eye(2), (2, 1, 1))}[form]
    means = np.array([[-1.0, 0.0], [1.0, 0.5]])
    plain = Evaluator(Mixture([0.5, 0.5], means, covariances, form)).accumulate(frames, weights)
    scaled = Mixture([0.5, 0.5], unit * means, unit**2 * covariances, form)
    found = Evaluator(scaled).accumulate(frames * np.float32(unit), unit * weights)
    np.testing.assert_allclose(found.counts / unit, plain.counts, rtol=1e-6)
    np.testing.assert_allclose(found.second / unit**3, plain.second, rtol=1e-6)
    assert (found.n_frames, found.skipped) == (unit * plain.n_frames, plain.skipped)
