"""The M-step against its formula, scikit-learn, and what it promises about floors and empty components."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture._gaussian_mixture import _estimate_gaussian_parameters

from audiogmm.errors import ChoiceError, MismatchError, MixtureError, TrainingError
from audiogmm.mixture import matrices
from audiogmm.mixture.floor import overall_moments, variance_floor
from audiogmm.mixture.forms import FORMS
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import Update, maximize
from audiogmm.mixture.statistics import SufficientStats
from tests.naive import maximization as naive
from tests.naive.mixture import log_joint, log_likelihood, posteriors

forms = pytest.mark.parametrize("form", FORMS)
seeds = st.integers(0, 2**32 - 1)


def draw(seed, n=None, K=None, D=None):
    """Correlated frames and posteriors of random (or the given) sizes."""
    random = np.random.default_rng(seed)
    n, K, D = n or random.integers(10, 40), K or random.integers(1, 4), D or random.integers(1, 4)
    frames = random.normal(size=(n, D)) @ random.normal(size=(D, D)) + 3 * random.normal(size=D)
    return frames, random.dirichlet(np.ones(K), n)


def measure(frames, shares, form, origin=None):
    return SufficientStats.measure(
        frames, shares, origin=frames.mean(axis=0) if origin is None else origin, covariance_type=form
    )


def assert_same(mixture, weights, means, covariances, rtol=1e-8, atol=1e-9):
    np.testing.assert_allclose(mixture.weights, weights, rtol=rtol)
    np.testing.assert_allclose(mixture.means, means, rtol=rtol, atol=atol)
    np.testing.assert_allclose(mixture.covariances, covariances, rtol=rtol, atol=atol)


@forms
@given(seed=seeds, height=st.floats(1e-3, 3.0))
@settings(max_examples=30, deadline=None)
def test_the_model_is_that_of_the_formula(form, seed, height):
    frames, shares = draw(seed)
    floor = height * np.random.default_rng(seed).uniform(0.1, 1, frames.shape[1])
    mixture, update = maximize(measure(frames, shares, form), floor=floor)
    assert_same(mixture, *naive.maximize(frames, shares, form, floor))
    assert update.emptied == ()


def is_clean(update: Update) -> bool:
    """Whether the formulas alone made the model."""
    return not (update.n_floored or update.cancelled or update.emptied)


@forms
@pytest.mark.parametrize("reg_covar", [0.0, 0.01])
def test_the_model_is_scikit_learns(form, reg_covar):
    frames, shares = draw(7, n=200, K=4, D=5)
    counts, means, covariances = _estimate_gaussian_parameters(frames, shares, reg_covar, form)
    mixture, update = maximize(measure(frames, shares, form), reg_covar=reg_covar)
    assert_same(mixture, counts / counts.sum(), means, covariances, rtol=1e-10, atol=1e-12)
    assert is_clean(update)


@forms
@pytest.mark.parametrize("height", [1e-4, 0.3, 2.0])
def test_no_step_of_em_lowers_the_likelihood_under_a_fixed_floor(form, height):
    """Evaluated from the formula, so that nothing but the M-step is on trial. At 0.3 and 2.0 floors bind."""
    frames, shares = draw(11, n=120, K=3, D=3)
    frames[:60] += 4
    floor = height * frames.var(axis=0)
    mixture, first = maximize(measure(frames, shares, form), floor=floor)
    history, n_floored = [], first.n_floored
    for _ in range(15):
        parameters = (mixture.weights, mixture.means, mixture.covariances, form)
        joint = log_joint(frames, *parameters)
        history.append(log_likelihood(joint).mean())
        stats = measure(frames, posteriors(joint), form, origin=mixture.center)
        mixture, update = maximize(stats, floor=floor, previous=mixture)
        n_floored += update.n_floored
    steps = np.diff(history)
    assert (steps > -1e-10).all(), steps
    assert (n_floored > 0) == (height > 1e-4)


@pytest.mark.parametrize("form", ["full", "tied"])
@given(seed=seeds, height=st.floats(0.01, 3.0))
@settings(max_examples=20, deadline=None)
def test_floored_eigenvalues_are_the_constrained_maximum(form, seed, height):
    """No covariance above the floor fits the scatter better: tried in random directions from it."""
    random = np.random.default_rng(seed)
    frames, shares = draw(seed, K=1, D=3)
    floor = height * random.uniform(0.1, 1, 3)
    found, _ = maximize(measure(frames, shares, form), floor=floor)
    best = found.covariances.reshape(3, 3)
    scatter = np.cov(frames.T, bias=True)

    def fit(covariance):
        return -np.linalg.slogdet(covariance)[1] - np.trace(np.linalg.solve(covariance, scatter))

    assert np.linalg.eigvalsh(best - np.diag(floor))[0] > -1e-9 * height
    for scale in (1e-3, 0.1, 1.0):
        root = random.normal(size=(3, 3))
        other = np.diag(floor) + root @ root.T  # any matrix above the floor ...
        between = best + scale * (other - best)  # ... and the way there: the constraint set is convex
        assert fit(between) <= fit(best) + 1e-9 * abs(fit(best))


@forms
def test_an_emptied_component_keeps_what_it_had(form):
    frames, shares = draw(3, n=50, K=3, D=2)
    before, _ = maximize(measure(frames, shares, form), floor=1e-3)
    shares = np.column_stack([shares[:, 0] + shares[:, 1], np.zeros(50), shares[:, 2]])
    after, update = maximize(measure(frames, shares, form), floor=1e-3, previous=before)
    assert update.emptied == (1,)
    assert update.cancelled == ()
    assert after.weights[1] == 0
    np.testing.assert_array_equal(after.means[1], before.means[1])
    if form != "tied":
        np.testing.assert_array_equal(after.covariances[1], before.covariances[1])
    without = np.delete(shares, 1, axis=1)
    alone, _ = maximize(measure(frames, without, form), floor=1e-3)
    np.testing.assert_allclose(np.delete(after.means, 1, axis=0), alone.means)
    kept = after.covariances if form == "tied" else np.delete(after.covariances, 1, axis=0)
    np.testing.assert_allclose(kept, alone.covariances)


@forms
def test_an_empty_component_without_a_past_covers_all_frames(form):
    frames, _ = draw(4, n=30, K=1, D=2)
    shares = np.column_stack([np.ones(30), np.zeros(30)])
    mixture, update = maximize(measure(frames, shares, form, origin=np.zeros(2)))
    assert update.emptied == (1,)
    np.testing.assert_allclose(mixture.means[1], frames.mean(axis=0))
    variances = FORMS[form].variances(mixture.covariances, 2, 2)[1]
    wanted = np.full(2, frames.var(axis=0).mean()) if form == "spherical" else frames.var(axis=0)
    np.testing.assert_allclose(variances, wanted)


def test_what_counts_as_empty_does_not_depend_on_the_scale_of_the_weights():
    frames, shares = draw(3, n=50, K=2, D=2)
    shares = np.column_stack([shares.sum(axis=1) - 1e-5, np.full(50, 1e-5)])
    for scale in (1e-6, 1.0, 1e6):
        stats = scale * measure(frames, shares, "diag")
        assert maximize(stats, empty_weight=1e-6)[1].emptied == ()
        assert maximize(stats, empty_weight=1e-4)[1].emptied == (1,)


@forms
def test_identical_frames_give_a_valid_model(form):
    frames = np.tile([3.0, -2000.0], (20, 1))
    stats = measure(frames, np.full((20, 2), 0.5), form, origin=np.zeros(2))
    floor = variance_floor(stats)
    mixture, update = maximize(stats, floor=floor.variances)
    assert floor.constant == (0, 1)
    assert update.n_floored > 0
    np.testing.assert_allclose(mixture.means, frames[:2])
    assert (FORMS[form].variances(mixture.covariances, 2, 2) >= 1e-6).all()


@forms
def test_a_constant_feature_is_floored_and_named(form):
    frames, shares = draw(9, n=60, K=2, D=3)
    frames[:, 1] = 7.0
    stats = measure(frames, shares, form, origin=np.zeros(3))
    floor = variance_floor(stats)
    mixture, update = maximize(stats, floor=floor.variances)
    assert mixture.n_components == 2
    if form == "spherical":  # sees one variance for all features
        assert floor.constant == ()
        assert update.n_floored == 0
    else:
        assert floor.constant == (1,)
        assert update.floored[:, 1].all()
        assert not update.floored[:, [0, 2]].any()


@given(exponents=st.lists(st.integers(-6, 6), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_the_floor_follows_the_unit_of_each_feature(exponents):
    """Returns of a thousandth and pixels of hundreds train alike."""
    frames, shares = draw(2, n=40, K=2, D=3)
    unit = 10.0 ** np.array(exponents)
    a, b = (variance_floor(measure(x, shares, "diag"), relative=0.01) for x in (frames, frames * unit))
    np.testing.assert_allclose(b.variances, a.variances * unit**2)
    np.testing.assert_allclose(a.variances, 0.01 * frames.var(axis=0))
    assert b.constant == ()


@forms
def test_frames_far_from_zero_lose_nothing_about_their_mean(form):
    frames, shares = draw(8, n=500, K=2, D=3)
    near, _ = maximize(measure(frames, shares, form))
    far, update = maximize(measure(frames + 1e6, shares, form))
    assert is_clean(update)
    np.testing.assert_allclose(far.means - 1e6, near.means, atol=1e-8)
    np.testing.assert_allclose(far.covariances, near.covariances, rtol=1e-8, atol=1e-8)


@forms
def test_an_origin_too_far_away_is_reported_not_hidden(form):
    """A billion deviations away all digits of a variance are gone: said, and never NaN."""
    frames, shares = draw(8, n=500, K=2, D=3)
    stats = measure(frames * 1e-3 + 1e6, shares, form, origin=np.zeros(3))
    mixture, update = maximize(stats, floor=1e-8)
    assert np.isfinite(mixture.covariances).all()
    assert update.cancelled == (0, 1)


@forms
def test_a_floor_for_some_features_alone(form):
    frames, shares = draw(13, n=100, K=2, D=3)
    frames[:, 2] = 5.0
    mixture, update = maximize(measure(frames, shares, form), floor=np.array([0.0, 0.0, 0.5]))
    plain, _ = maximize(measure(frames[:, :2], shares, form))
    if form == "spherical":  # one variance: over the floor's mean
        assert is_clean(update)
    else:
        variances = FORMS[form].variances(mixture.covariances, 2, 3)
        np.testing.assert_allclose(
            variances[:, :2], FORMS[form].variances(plain.covariances, 2, 2), rtol=1e-9
        )
        np.testing.assert_allclose(variances[:, 2], 0.5)
        assert update.floored.any(axis=0).tolist() == [False, False, True]


def test_variances_of_zero_and_below_are_reported():
    stats = SufficientStats(
        "diag",
        np.zeros(2),
        np.array([4.0, 4.0]),
        np.full((2, 2), 4.0),
        np.array([[3.9, 8.0], [9.0, 8.0]]),
        8.0,
    )
    mixture, update = maximize(stats, floor=0.5)
    assert update.cancelled == (0,)
    assert update.floored.tolist() == [[1, 0], [0, 0]]
    np.testing.assert_allclose(mixture.covariances, [[0.5, 1.0], [1.25, 1.0]])
    with pytest.raises(
        MixtureError, match=r"component 0 has variance -0.025 in feature 0.*try: a higher .*floor"
    ):
        maximize(stats)


def test_statistics_that_no_model_has_are_refused():
    frames, shares = draw(1, n=20, K=2, D=2)
    good = measure(frames, shares, "diag")
    with pytest.raises(TrainingError, match="statistics of 0 frames; needed: at least one frame"):
        maximize(SufficientStats.zero(2, 2, "diag"))
    with pytest.raises(TrainingError, match="statistics of 0 frames"):
        overall_moments(SufficientStats.zero(2, 2, "diag"))
    with pytest.raises(TrainingError, match=r"component 0 has -\d.* frames of .*remove only what was added"):
        maximize(good - measure(frames, shares * [1.5, 0], "diag"))
    with pytest.raises(TrainingError, match=r"the first of the statistics hold nan.*look for NaN"):
        maximize(good._with(first=good.first * np.nan))
    with pytest.raises(MismatchError, match=r"\('tied', 1, 1\); needed: \('diag', 2, 2\)"):
        maximize(good, previous=Mixture([1.0], [[0.0]], [[1.0]], "tied"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"floor": -0.5}, "a variance floor of -0.5"),
        ({"floor": np.inf}, "a variance floor of inf"),
        (
            {"floor": np.ones(3)},
            r"a variance floor of shape \(3,\); needed: one number, or one of 2 features",
        ),
        ({"reg_covar": -1.0}, "reg_covar=-1.0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    frames, shares = draw(1, n=20, K=2, D=2)
    with pytest.raises(ChoiceError, match=message):
        maximize(measure(frames, shares, "diag"), **options)


@pytest.mark.parametrize("options", [{"relative": 1.0}, {"relative": -0.1}, {"absolute": 0.0}])
def test_floors_out_of_range_are_refused(options):
    frames, shares = draw(1, n=20, K=2, D=2)
    with pytest.raises(ChoiceError, match=f"floor of {next(iter(options.values()))}"):
        variance_floor(measure(frames, shares, "diag"), **options)


def test_a_matrix_is_floored_the_same_alone_and_among_others():
    random = np.random.default_rng(0)
    rows = random.normal(size=(21, 30, 12))
    rows[::3, 6:] = 0  # singular: six frames in twelve features
    stack = rows.swapaxes(1, 2) @ rows / 30
    floor = random.uniform(0.01, 0.1, 12)
    together, raised = matrices.floor_matrices(stack, floor)
    for k, matrix in enumerate(stack):
        alone, alone_raised = matrices.floor_matrix(matrix, floor)
        np.testing.assert_array_equal(together[k], alone)
        np.testing.assert_array_equal(raised[k], alone_raised)
        assert np.linalg.eigvalsh(alone - np.diag(floor)).min() > -1e-12
    assert raised[0].sum() >= 6
    assert (raised.sum(axis=1) == 0).any()
    np.testing.assert_array_equal(together[raised.sum(axis=1) == 0], stack[raised.sum(axis=1) == 0])
