"""Intervals from draws of speakers: what a draw weighs, what an interval holds, how two systems compare."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.verification.bootstrap import TrialSet, replicate
from tests.evaluation.verification.trials import POINTS, corpus
from tests.naive import verification as naive

trial = st.tuples(st.integers(-2, 2), st.integers(0, 3), st.integers(0, 3))
some_trials = st.lists(trial, min_size=2, max_size=25)


def test_a_target_trial_weighs_its_one_speaker_once() -> None:
    """Drawn 3 times and once: targets weigh 3 and 1, the nontarget between them 3; the EER is 1 in 5."""
    target, pairs = np.array([True, True, False]), np.array([[0, 0], [1, 1], [0, 1]])
    sample = TrialSet(np.array([2.0, 0.0, 1.0]), target, pairs, ())
    figures, hull = sample.measure(np.array([3.0, 1.0]))
    assert (hull.targets.tolist(), hull.nontargets.tolist()) == ([1.0, 3.0], [3.0, 0.0])
    assert figures[0] == pytest.approx(0.2)  # from (P_fa, P_miss) = (1, 0) to (0, 1/4)


@settings(max_examples=40, deadline=None)
@given(trials=some_trials, counts=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_draw_weighs_trials_as_often_as_their_people_meet(
    trials: list[tuple[int, int, int]], counts: list[int]
) -> None:
    scores = np.array([float(s) for s, _, _ in trials])
    pairs = np.array([(a, b) for _, a, b in trials])
    target = pairs[:, 0] == pairs[:, 1]
    if not 0 < target.sum() < len(target):
        with pytest.raises(ChoiceError, match="needed: trials of both kinds"):
            TrialSet(scores, target, pairs, POINTS)
        return
    sample = TrialSet(scores, target, pairs, POINTS)
    used = np.unique(pairs)
    found, _ = sample.measure(np.array(counts, dtype=float)[used])
    targets, nontargets = naive.drawn(scores, target, pairs, counts)
    if not targets or not nontargets:
        assert np.isnan(found).all()
        return
    least = [naive.min_dcf(targets, nontargets, p.prior, p.cost_miss, p.cost_false_alarm) for p in POINTS]
    actual = [naive.act_dcf(targets, nontargets, p.prior, p.cost_miss, p.cost_false_alarm) for p in POINTS]
    expected = [
        naive.eer(targets, nontargets),
        naive.cllr(targets, nontargets),
        naive.min_cllr(targets, nontargets),
        *least,
        *actual,
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_draws_do_not_depend_on_their_number_nor_on_threads() -> None:
    scores, target, pairs = corpus(180)  # enough trials for several threads
    sample = TrialSet(scores, target, pairs, POINTS)
    many = replicate([sample], Draws(replicates=120, threads=3))
    np.testing.assert_array_equal(replicate([sample], Draws(replicates=100, threads=1)), many[:100])
    assert not np.array_equal(many, replicate([sample], Draws(replicates=120, seed=1)))
