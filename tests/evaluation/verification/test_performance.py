"""Figures, intervals and curves of scores."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.evaluation.intervals import Draws, bias_corrected_limits
from audiogmm.evaluation.verification.bootstrap import TrialSet, replicate
from audiogmm.evaluation.verification.comparison import compare
from audiogmm.evaluation.verification.performance import measure_performance
from tests.evaluation.verification.trials import POINTS, QUICK, corpus
from tests.naive import verification as naive


def test_intervals_hold_the_truth_where_resampling_trials_would_not() -> None:
    """Many recordings of few speakers: trials are many, witnesses are not."""
    scores, target, pairs = corpus(600, seed=99, spread=1.5)
    truth = TrialSet(scores, target, pairs, ()).measure()[0][0]
    held, held_by_trials = [], []
    for seed in range(40):
        scores, target, pairs = corpus(25, seed=seed, spread=1.5, recordings=8)
        eer = measure_performance(TrialSet(scores, target, pairs, ()), Draws(replicates=150))[0].eer
        held.append(eer.low <= truth <= eer.high)
        each = np.repeat(np.arange(len(scores)), 2).reshape(-1, 2)
        by_trials = TrialSet(scores, target, each, ())
        value = by_trials.measure()[0]
        low, high = bias_corrected_limits(value, replicate([by_trials], Draws(replicates=100))[:, 0])
        held_by_trials.append(low[0] <= truth <= high[0])
    assert np.mean(held) >= 0.85
    assert np.mean(held_by_trials) <= np.mean(held) - 0.15


def test_the_interval_of_no_error_is_that_of_so_many_speakers() -> None:
    scores, target, pairs = corpus(30, gap=40.0)
    found, curves = measure_performance(TrialSet(scores, target, pairs, POINTS), QUICK)
    assert (found.eer.value, found.eer.low) == (0.0, 0.0)
    assert found.eer.high == pytest.approx(1 - 0.05 ** (1 / 30))
    assert found.min_cllr.high == found.eer.high
    assert found.calibrated
    assert np.all(curves.det.high >= found.eer.high * (1 - 1e-12))


def test_few_speakers_are_said_to_be_few() -> None:
    for n, few in ((19, True), (20, False)):
        found, _ = measure_performance(TrialSet(*corpus(n), POINTS), QUICK)
        assert (found.n_target_speakers, found.indicative) == (n, few)
    # strangers who only attack do not make misses better known
    scores, target, pairs = corpus(10)
    strangers = np.column_stack([np.arange(100) % 10, 10 + np.arange(100)])
    more = (np.append(scores, np.zeros(100)), np.append(target, np.zeros(100, bool)), np.r_[pairs, strangers])
    found, _ = measure_performance(TrialSet(*more, POINTS), QUICK)
    assert (found.n_speakers, found.n_target_speakers, found.indicative) == (110, 10, True)


def test_one_speaker_gives_no_interval() -> None:
    sample = TrialSet(np.array([2.0, 1.0, 0.0]), np.array([True, True, False]), np.zeros((3, 2), int), POINTS)
    found, curves = measure_performance(sample, QUICK)
    assert found.eer.value == 0.0
    assert not found.eer.known
    assert found.to_json()["eer"] == {"value": 0.0, "low": None, "high": None}
    assert np.isnan(curves.det.low).all()
    assert all(np.isnan(d.low) for d in compare(sample, sample, QUICK))


def test_the_curves_are_those_of_the_trials() -> None:
    scores, target, pairs = corpus(40)
    scores = np.round(scores)
    found, curves = measure_performance(TrialSet(scores, target, pairs, POINTS), QUICK)
    for falling in (curves.det.low, curves.det.value, curves.det.high):
        assert np.all(np.diff(falling) <= 0)
    at_eer = np.interp(found.eer.value, curves.det.at, curves.det.value)
    assert at_eer == pytest.approx(found.eer.value, abs=2e-3)
    odds = naive.isotonic_odds(scores[target].tolist(), scores[~target].tolist())
    base = np.log(target.sum() / (~target).sum())
    for at, value in zip(curves.reliability.at[20:-20:20], curves.reliability.value[20:-20:20], strict=True):
        p, q = odds[min(s for s in scores.tolist() if s >= at)]
        assert value == pytest.approx(
            np.clip(np.log(p / q) - base if p * q else np.sign(p - q) * 40, -40, 40)
        )
