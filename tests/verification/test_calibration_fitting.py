"""Learning a calibration: against a generic optimizer, and on scores that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.calibration_fitting import extend_calibration, fit_calibration
from tests.naive import verification as naive


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_columns=st.integers(1, 3),
    prior=st.sampled_from([0.01, 0.1, 0.5]),
    gap=st.sampled_from([0.0, 1.0, 9.0]),  # at 9 the kinds are separable
    weighted=st.booleans(),
)
def test_the_map_is_where_a_generic_optimizer_ends(
    seed: int, n_columns: int, prior: float, gap: float, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    target = np.arange(60) < 15
    scale, shift = 10.0 ** rng.integers(-3, 4, n_columns), rng.normal(size=n_columns) * 10
    plain = rng.normal(size=(60, n_columns)) + gap * target[:, None]
    columns = dict(zip("abc", (plain * scale + shift).T, strict=False))
    weights = rng.uniform(0.1, 2, 60) if weighted else np.ones(60)
    l2 = 1e-3
    found = fit_calibration(columns, target, prior=prior, weights=weights, l2=l2)

    x = np.column_stack(list(columns.values()))
    alpha = weights * np.where(target, prior / weights[target].sum(), (1 - prior) / weights[~target].sum())
    mean = alpha @ x
    sd = np.sqrt(alpha @ np.square(x - mean))
    slopes = np.array(found.weights) * sd
    ours = np.append(slopes, found.offset + np.array(found.weights) @ mean)
    arguments = (x, target, prior, weights, l2)
    theirs = minimize(naive.calibration_cost, np.zeros(n_columns + 1), arguments, method="BFGS")
    least = naive.calibration_cost(ours, *arguments)
    assert least <= theirs.fun + 1e-9
    assert least == pytest.approx(theirs.fun, rel=1e-4, abs=1e-6)  # BFGS stops a little short of the end


def test_calibration_mends_a_shifted_and_stretched_ratio() -> None:
    rng = np.random.default_rng(1)
    target = np.arange(20_000) < 2_000
    llr = rng.normal(np.where(target, 3.0, -3.0), math.sqrt(6.0))
    score = 0.02 * llr - 0.3
    found = fit_calibration({"score": score}, target)
    back = found.apply({"score": score})
    np.testing.assert_allclose(back, llr, atol=0.6)
    least = min_cllr(back[target], back[~target])
    assert cllr(score[target], score[~target]) > 2 * least
    assert cllr(back[target], back[~target]) < 1.02 * least


def test_two_systems_are_better_than_one_and_a_useless_one_is_left_out() -> None:
    rng = np.random.default_rng(2)
    target = np.arange(8000) < 4000
    truth = np.where(target, 1.5, -1.5)
    columns = {
        "a": truth + rng.normal(0, 2, 8000),
        "b": 5 * (truth + rng.normal(0, 2, 8000)),
        "noise": rng.normal(0, 7, 8000),
    }
    fused = fit_calibration(columns, target)
    both = fused.apply(columns)
    alone = fit_calibration({"a": columns["a"]}, target).apply(columns)
    assert cllr(both[target], both[~target]) < 0.8 * cllr(alone[target], alone[~target])
    assert fused.weights[0] == pytest.approx(5 * fused.weights[1], rel=0.15)  # as good, on another scale
    assert abs(fused.weights[2]) * 7 < 0.05 * fused.weights[0] * 2


def test_a_quality_measure_tells_how_far_to_trust_a_score() -> None:
    """The score counts for as much as the quality says: a product of columns, which a sum cannot replace."""
    rng = np.random.default_rng(3)
    target = np.arange(20_000) < 10_000
    quality = rng.choice([0.2, 2.0], 20_000)
    llr = rng.normal(np.where(target, quality, -quality), np.sqrt(2 * quality))
    columns = {"score": llr / quality, "quality": quality}
    plain = fit_calibration({"score": columns["score"]}, target).apply(columns)
    found = fit_calibration({"score": columns["score"], "score*quality": llr}, target)
    informed = found.apply(columns)
    assert found.names == ("score", "score*quality")
    assert cllr(informed[target], informed[~target]) < cllr(plain[target], plain[~target]) - 0.02
    assert found.weights[1] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("n", [1, 5, 500])
@pytest.mark.parametrize("gap", [1e-6, 1.0, 1e6])
def test_separable_data_claim_much_but_not_everything(n: int, gap: float) -> None:
    rng = np.random.default_rng(0)
    target = np.arange(2 * n) < n
    score = np.where(target, gap, -gap) * rng.uniform(1, 1.5, 2 * n)
    llr = fit_calibration({"score": score}, target).apply({"score": score})
    assert llr[target].min() > 3
    assert llr[~target].max() < -3
    assert np.abs(llr).max() < 20


def test_more_impostors_of_the_same_kind_change_nothing() -> None:
    rng = np.random.default_rng(4)
    target = np.arange(200) < 50
    score = rng.normal(size=200) + target
    often = np.concatenate([score, score[~target], score[~target]])
    more = np.concatenate([target, np.zeros(300, dtype=bool)])
    once, thrice = fit_calibration({"s": score}, target), fit_calibration({"s": often}, more)
    assert thrice.weights == pytest.approx(once.weights, rel=1e-6)
    assert thrice.offset == pytest.approx(once.offset, rel=1e-6)
    assert (once.n_targets, thrice.n_nontargets) == (50, 450)


def test_a_constant_column_weighs_nothing() -> None:
    target = np.array([True, True, False, False])
    columns = {"score": np.array([2.0, 0.0, 1.0, -1.0]), "seconds": np.full(4, 0.1)}
    found = fit_calibration(columns, target)
    assert found.weights[1] == 0
    alone = fit_calibration({"score": columns["score"]}, target)
    np.testing.assert_allclose(found.apply(columns), alone.apply(columns))


def test_trials_that_teach_nothing_are_refused() -> None:
    score, target = np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    cases: list[tuple[dict[str, np.ndarray], np.ndarray, dict[str, float], str]] = [
        ({"s": score}, np.zeros(3, bool), {}, "no target trial among the 3"),
        ({"s": score}, np.ones(3, bool), {}, "no nontarget trial among the 3"),
        ({"s": score}, target[:2], {}, "2 truths for 3 trials"),
        ({"s": np.array([1.0, np.nan, 0.0])}, target, {}, "'s' is nan in trial 1"),
        ({"s": score, "t": score[:2]}, target, {}, "columns of one length"),
        ({}, target, {}, "no columns"),
        ({"s": score}, target, {"prior": 0.0}, "a prior of 0.0"),
        ({"s": score}, target, {"l2": 0.0}, "l2=0.0"),
    ]
    for columns, truth, options, told in cases:
        with pytest.raises(ChoiceError, match=told):
            fit_calibration(columns, truth, **options)
    with pytest.raises(MismatchError, match="without 'b'"):
        Calibration(("a", "b"), (1.0, 1.0), 0.0).apply({"a": score})


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), prior=st.sampled_from([0.1, 0.5]), l2=st.sampled_from([1e-4, 1e-2]))
def test_an_extension_is_where_a_generic_optimizer_ends(seed: int, prior: float, l2: float) -> None:
    rng = np.random.default_rng(seed)
    target = np.arange(80) < 20
    columns = {"s": rng.normal(target * 2.0, 1.0), "noise": rng.uniform(0, 2, 80)}
    base = Calibration(("s",), (1.5,), -0.5, prior)
    found = extend_calibration(base, columns, target, ["noise", "noise*s"], l2=l2)
    assert (found.weights[:1], found.offset) == (base.weights, base.offset)
    x = np.column_stack([columns["noise"], columns["noise"] * columns["s"]])
    alpha = np.where(target, prior / 20, (1 - prior) / 60)
    ours = np.array(found.weights[1:]) * np.sqrt(alpha @ np.square(x))
    log_odds = base.apply(columns) + math.log(prior / (1 - prior))
    cost = (x, target, log_odds, prior, l2)
    theirs = minimize(naive.extension_cost, np.zeros(2), cost, method="BFGS")
    assert naive.extension_cost(ours, *cost) <= theirs.fun + 1e-9
    quiet = columns | {"noise": np.zeros(80)}
    np.testing.assert_array_equal(found.apply(quiet), base.apply(quiet))
