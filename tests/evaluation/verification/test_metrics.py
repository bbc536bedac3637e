"""Metrics of verification against their naive twins, and against numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.verification.bootstrap import TrialSet
from audiogmm.evaluation.verification.hull import Hull
from audiogmm.evaluation.verification.metrics import cllr, min_cllr, sort_trials
from audiogmm.verification.decision import OperatingPoint
from tests.naive import verification as naive

scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)
prior = st.sampled_from([0.001, 0.01, 0.3, 0.5, 0.9])
cost = st.sampled_from([0.5, 1.0, 10.0])


def hull_of(targets: Sequence[float], nontargets: Sequence[float]) -> Hull:
    return sort_trials(targets, nontargets).hull()


def eer(targets: Sequence[float], nontargets: Sequence[float]) -> float:
    return hull_of(targets, nontargets).eer()


def min_dcf(targets: Sequence[float], nontargets: Sequence[float], *point: float) -> float:
    return hull_of(targets, nontargets).min_dcf(OperatingPoint(*point))


def act_dcf(targets: Sequence[float], nontargets: Sequence[float], *point: float) -> float:
    scores = np.concatenate([targets, nontargets])
    target = np.arange(len(scores)) < len(targets)
    trials = TrialSet(scores, target, np.zeros((len(scores), 2), np.int64), [OperatingPoint(*point)])
    return float(trials.measure()[0][-1])


@settings(max_examples=50, deadline=None)
@given(targets=scores, nontargets=scores, p=prior, cost_miss=cost, cost_fa=cost)
def test_metrics_are_their_definitions(
    targets: list[float], nontargets: list[float], p: float, cost_miss: float, cost_fa: float
) -> None:
    assert eer(targets, nontargets) == pytest.approx(naive.eer(targets, nontargets), abs=1e-12)
    point = (p, cost_miss, cost_fa)
    assert min_dcf(targets, nontargets, *point) == pytest.approx(naive.min_dcf(targets, nontargets, *point))
    assert act_dcf(targets, nontargets, *point) == pytest.approx(naive.act_dcf(targets, nontargets, *point))
    assert cllr(targets, nontargets) == pytest.approx(naive.cllr(targets, nontargets))
    assert min_cllr(targets, nontargets) == pytest.approx(naive.min_cllr(targets, nontargets), abs=1e-12)
    hull = hull_of(targets, nontargets)
    points = [(miss, alarm) for _, miss, alarm in naive.rates(targets, nontargets)]
    for vertex in zip(hull.p_miss.tolist(), hull.p_false_alarm.tolist(), strict=True):
        assert any(vertex == pytest.approx(point, abs=1e-12) for point in points)


@settings(max_examples=30, deadline=None)
@given(targets=scores, nontargets=scores)
def test_a_rising_map_of_the_scores_changes_no_minimum(targets: list[float], nontargets: list[float]) -> None:
    mapped = [np.exp(np.array(s)) * 7 - 3 for s in (targets, nontargets)]
    for measure in (eer, min_dcf, min_cllr):
        assert measure(*mapped) == measure(targets, nontargets)


def test_worked_by_hand() -> None:
    """Three targets and four nontargets; the hull has the vertices below."""
    targets, nontargets = [1.0, 2.0, 4.0], [-2.0, -1.0, 1.5, 3.0]
    hull = hull_of(targets, nontargets)
    np.testing.assert_allclose(hull.p_false_alarm, [1, 1 / 2, 0, 0])
    np.testing.assert_allclose(hull.p_miss, [0, 0, 2 / 3, 1])
    # from (1/2, 0) to (0, 2/3): P_miss = 2/3 - 4/3 P_fa, so both are 2/7
    assert eer(targets, nontargets) == pytest.approx(2 / 7)
    # prior 1/2: the vertices cost 1, 1/2, 2/3 and 1
    assert min_dcf(targets, nontargets, 0.5) == pytest.approx(1 / 2)
    # threshold 0: no target is missed, two of four nontargets get through
    assert act_dcf(targets, nontargets, 0.5) == pytest.approx(1 / 2)
    # the middle block holds 2/3 of the targets and 1/2 of the nontargets, the others are certain
    by_hand = (2 / 3 * math.log2(7 / 4) + 1 / 2 * math.log2(7 / 3)) / 2
    assert min_cllr(targets, nontargets) == pytest.approx(by_hand)


def test_gaussian_ratios_have_the_error_rate_of_the_normal_distribution() -> None:
    """Ratios drawn from N(m, 2m) and N(-m, 2m) are calibrated, and their EER is Phi(-sqrt(m / 2))."""
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    m = 4.0
    targets, nontargets = (rng.normal(s * m, math.sqrt(2 * m), 500_000) for s in (1, -1))
    assert eer(targets, nontargets) == pytest.approx(norm.cdf(-math.sqrt(m / 2)), rel=0.01)
    assert cllr(targets, nontargets) == pytest.approx(min_cllr(targets, nontargets), rel=0.002)
    for prior in (0.05, 0.5):
        least, actual = (f(targets, nontargets, prior) for f in (min_dcf, act_dcf))
        assert least <= actual == pytest.approx(least, rel=0.02)


def test_scores_that_say_nothing() -> None:
    same = [0.0] * 5
    assert (eer(same, same), cllr(same, same), min_cllr(same, same)) == (0.5, 1.0, 1.0)
    assert min_dcf(same, same, 0.01) == act_dcf(same, same, 0.01) == 1.0
    # scores that are upside down are no worse than none, after the best rising map
    assert (eer([0.0], [1.0]), min_cllr([0.0], [1.0])) == (0.5, 1.0)


def test_infinite_scores_are_certain() -> None:
    sure = ([math.inf, 2.0], [-math.inf, -2.0])
    assert (eer(*sure), min_cllr(*sure)) == (0.0, 0.0)
    assert cllr(*sure) == pytest.approx(math.log2(1 + math.exp(-2)) / 2)
    assert cllr([1.0], [math.inf]) == math.inf


@pytest.mark.parametrize(
    ("targets", "nontargets", "told"),
    [
        ([], [1.0, 2.0], "0 target and 2 nontarget trials; needed: trials of both kinds"),
        ([1.0], [], "1 target and 0 nontarget trials"),
        ([1.0, math.nan], [0.0], "1 of 3 scores are NaN, the first is number 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(targets: list[float], nontargets: list[float], told: str) -> None:
    for measure in (eer, min_dcf, act_dcf, cllr, min_cllr):
        with pytest.raises(ChoiceError, match=told):
            measure(targets, nontargets)


@pytest.mark.parametrize(("p", "told"), [(0.0, "a prior of 0.0"), (1.5, "a prior of 1.5")])
def test_a_prior_is_a_probability(p: float, told: str) -> None:
    for measure in (min_dcf, act_dcf):
        with pytest.raises(ChoiceError, match=told):
            measure([1.0], [0.0], p)
    with pytest.raises(ChoiceError, match="cost_miss=-1"):
        min_dcf([1.0], [0.0], 0.5, -1.0)
