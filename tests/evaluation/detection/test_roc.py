"""Areas under ROC curves, and the same under draws of the recordings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection import roc
from audiogmm.evaluation.detection.roc import Separation
from audiogmm.evaluation.intervals import (
    Coverage,
    draw_counts,
    percentiles,
    poisson_limits,
    weighted_quantile,
)
from tests.naive import scores as naive

things = st.lists(st.tuples(st.integers(-4, 4), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60)


def separation(rows: list[tuple[int, bool, int]]) -> Separation:
    scores, truth, recording = (np.array(column) for column in zip(*rows, strict=True))
    return Separation(scores.astype(float), truth.astype(bool), recording.astype(np.int64))


@settings(max_examples=60)
@given(rows=things, max_fpr=st.sampled_from([0.05, 0.1, 0.5]))
def test_areas_are_the_share_of_pairs_in_order_and_scikit_learns(
    rows: list[tuple[int, bool, int]], max_fpr: float
) -> None:
    found = separation(rows)
    assume(found.both_kinds)
    auc, pauc = found.areas(max_fpr)
    assert auc == pytest.approx(naive.auc(found.scores, found.truth))
    assert pauc == pytest.approx(roc_auc_score(found.truth, -found.scores, max_fpr=max_fpr))


def test_the_curve_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) - truth, 1)
    false_alarms, hits = Separation(scores, truth, np.zeros(300, np.int64)).curve()
    theirs = roc_curve(truth, -scores, drop_intermediate=False)
    np.testing.assert_allclose(false_alarms, theirs[0])
    np.testing.assert_allclose(hits, theirs[1])


@settings(max_examples=60)
@given(rows=things, often=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_recording_drawn_twice_counts_twice(rows: list[tuple[int, bool, int]], often: list[int]) -> None:
    """Weights of recordings against the scores written out as often as their recording was drawn."""
    found = separation(rows)
    repeats = np.array(often)[found.recording]
    again = Separation(*(np.repeat(part, repeats) for part in (found.scores, found.truth, found.recording)))
    areas = found.counts(4).areas(np.array([often], float), 0.1)
    assert areas.shape == (1, 2)
    if again.both_kinds:
        np.testing.assert_allclose(areas[0], again.areas(0.1), atol=1e-12)
    else:
        assert np.isnan(areas).all()


def test_many_scores_share_ranks_and_move_the_areas_by_less_than_a_thousandth() -> None:
    rng = np.random.default_rng(1)
    n = 60_000
    truth = rng.random(n) < 0.1
    found = Separation(rng.normal(size=n) - 2 * truth, truth, rng.integers(5, size=n))
    counts = found.counts(5)
    assert roc.LEAST_RANKS <= counts.normal.shape[1] <= roc.MOST_RANKS
    assert counts.normal.sum() + counts.anomalous.sum() == n
    (areas,) = counts.areas(np.ones((1, 5)), 0.1)
    np.testing.assert_allclose(areas, found.areas(0.1), atol=1e-3)


def test_few_scores_keep_a_rank_each() -> None:
    found = separation([(3, True, 0), (1, False, 1), (1, True, 1), (2, False, 0)])
    assert found.counts(2).normal.shape == (2, 3)
    np.testing.assert_array_equal(found.counts(2).normal, [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(found.counts(2).anomalous, [[0, 0, 1], [1, 0, 0]])


def test_one_kind_has_no_curve() -> None:
    with pytest.raises(ChoiceError, match="0 anomalous frames among 2"):
        separation([(1, False, 0), (2, False, 0)]).areas(0.1)


def test_draws_depend_on_seed_and_stratum_and_not_on_how_many_there_are() -> None:
    many = np.concatenate(list(draw_counts(7, 130, seed=3, stratum=2)))
    assert many.shape == (130, 7)
    assert (many.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(np.concatenate(list(draw_counts(7, 60, seed=3, stratum=2))), many[:60])
    for seed, stratum in ((4, 2), (3, 1)):
        assert not np.array_equal(np.concatenate(list(draw_counts(7, 130, seed=seed, stratum=stratum))), many)
    np.testing.assert_allclose(many.mean(axis=0), 1.0, atol=0.35)


def test_percentiles_leave_out_what_is_undefined() -> None:
    assert percentiles(np.array([np.nan, 4.0, 0.0, 2.0]), 0.5) == (1.0, 3.0)
    assert all(np.isnan(percentiles(np.array([np.nan, 4.0]), 0.5)))


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_poisson_limits_are_where_the_tails_have_their_share(count: int) -> None:
    from scipy.stats import poisson

    low, high = poisson_limits(count, 0.9)
    assert poisson.cdf(count, high) == pytest.approx(0.05)
    assert low == 0 if count == 0 else poisson.sf(count - 1, low) == pytest.approx(0.05)


@settings(max_examples=50)
@given(
    values=st.lists(st.integers(-9, 9), min_size=1, max_size=12),
    weights=st.lists(st.integers(0, 3), min_size=12, max_size=12),
    share=st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
def test_weighted_quantiles_are_those_of_the_repeated_values(
    values: list[int], weights: list[int], share: float
) -> None:
    ordered = np.sort(np.array(values, float))
    row = np.array(weights[: len(values)], float)
    (found,) = weighted_quantile(ordered, row[None], share)
    written_out = np.repeat(ordered, row.astype(int))
    if len(written_out):
        assert found == np.quantile(written_out, share, method="inverted_cdf")
    else:
        assert np.isnan(found)


def test_intervals_of_few_recordings_reach_further() -> None:
    from scipy.stats import norm, t

    for n, strata in ((4, 1), (12, 3), (500, 1)):
        coverage = Coverage(0.9, n, strata)
        ends = np.sqrt(n / (n - strata)) * t.ppf(0.95, n - strata)
        assert coverage.expanded == pytest.approx(norm.cdf(ends) - norm.cdf(-ends))
    assert Coverage.over(0.9, [3, 4, 5]) == Coverage(0.9, 12, 3)
    assert Coverage(0.9, 1).expanded == 0.9


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Clips that differ in level and in difficulty, twenty at a time, against a huge sample of them."""

    def clips(n: int, rng: np.random.Generator) -> Separation:
        truth = np.arange(n * 60) % 120 >= 90  # every second clip, its second half
        recording = np.repeat(np.arange(n), 60)
        level, gap = rng.normal(size=n), rng.normal(2.0, 0.8, size=n)
        scores = rng.normal(size=n * 60) + level[recording] - gap[recording] * truth
        return Separation(scores, truth, recording)

    rng = np.random.default_rng(0)
    true = clips(20_000, rng).areas(0.1)
    held = np.zeros(2)
    for trial in range(100):
        counts = clips(20, rng).counts(20)
        areas = np.concatenate([counts.areas(often, 0.1) for often in draw_counts(20, 200, trial, 0)])
        for k in (0, 1):
            low, high = percentiles(areas[:, k], Coverage(0.9, 20).expanded)
            held[k] += low <= true[k] <= high
    assert (held >= 78).all()
    assert (held < 99).all()
