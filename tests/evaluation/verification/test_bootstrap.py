"""Intervals from draws of speakers: what a draw weighs, what an interval holds, how two systems compare."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.evaluation.intervals import Draws, bias_corrected_limits
from audiogmm.evaluation.verification.bootstrap import TrialSet, replicate
from audiogmm.evaluation.verification.comparison import compare
from audiogmm.evaluation.verification.performance import measure_performance
from audiogmm.evaluation.verification.speaker_clusters import cluster_speakers
from audiogmm.verification.decision import OperatingPoint
from tests.naive import verification as naive

POINTS = (OperatingPoint(0.3), OperatingPoint(0.05, cost_miss=10.0))
QUICK = Draws(replicates=300)

trial = st.tuples(st.integers(-2, 2), st.integers(0, 3), st.integers(0, 3))
some_trials = st.lists(trial, min_size=2, max_size=25)


def corpus(
    n_speakers: int, seed: int = 0, gap: float = 4.0, spread: float = 1.0, recordings: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, targets and speakers of all models against all recordings; targets differ by speaker."""
    rng = np.random.default_rng(seed)
    own, common = rng.normal(size=(2, n_speakers)) * spread
    model, test = (a.ravel() for a in np.indices((n_speakers, n_speakers * recordings)))
    speaker = test // recordings
    target = model == speaker
    llr = rng.normal(size=len(model)) + common[model] * 0.7 + np.where(target, gap + own[model], 0)
    return llr - gap / 2, target, np.column_stack([model, speaker])


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


@settings(max_examples=40, deadline=None)
@given(
    trials=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("12345"), st.booleans()), min_size=1, max_size=12
    )
)
def test_target_trials_say_who_speaks(trials: list[tuple[str, str, bool]]) -> None:
    models, recordings, target = (list(column) for column in zip(*trials, strict=True))
    found = cluster_speakers(models, recordings, np.array(target))
    expected = naive.speakers(models, recordings, target)
    same = {
        (found.speakers.ravel()[i] == found.speakers.ravel()[j]) == (a == b)
        for i, a in enumerate(np.ravel(expected))
        for j, b in enumerate(np.ravel(expected))
    }
    assert same == {True}
    assert found.n_speakers == len(np.unique(expected))
    claimed = {r for r, t in zip(recordings, target, strict=True) if t}
    assert found.n_unknown == len(set(recordings) - claimed)
    contradictory = [a == b and not t for (a, b), t in zip(expected, target, strict=True)]
    assert found.n_contradictory == sum(contradictory)


def test_a_list_that_names_speakers_is_believed() -> None:
    models, recordings = ["ann", "ann", "bob", "bob"], ["1", "2", "1", "3"]
    target = np.array([True, False, False, False])
    named = cluster_speakers(models, recordings, target, ["ann", "carl", "ann", "carl"])
    assert named.n_speakers == 3 and named.n_unknown == 0
    assert named.speakers[1, 1] == named.speakers[3, 1]
    half = cluster_speakers(models, recordings, target, ["ann", "", "ann", "bob"])
    assert half.n_unknown == 1
    assert half.speakers[3, 1] == half.speakers[3, 0]  # recording 3 is bob's, whose model is bob
    assert half.n_contradictory == 1


def test_draws_do_not_depend_on_their_number_nor_on_threads() -> None:
    scores, target, pairs = corpus(180)  # enough trials for several threads
    sample = TrialSet(scores, target, pairs, POINTS)
    many = replicate([sample], Draws(replicates=120, threads=3))
    np.testing.assert_array_equal(replicate([sample], Draws(replicates=100, threads=1)), many[:100])
    assert not np.array_equal(many, replicate([sample], Draws(replicates=120, seed=1)))


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


def test_two_systems_on_the_same_trials() -> None:
    scores, target, pairs = corpus(60)
    rng = np.random.default_rng(5)
    noise = rng.normal(size=len(scores))
    this = TrialSet(scores, target, pairs, POINTS)
    alike = TrialSet(scores + 0.02 * noise, target, pairs, POINTS)
    worse = TrialSet(scores + 1.5 * noise, target, pairs, POINTS)
    eer, *_ = compare(this, worse, QUICK)
    assert eer.first == this.measure()[0][0] and eer.second == worse.measure()[0][0]
    assert 0 < eer.low < eer.second - eer.first < eer.high and eer.p_value < 0.05
    eer, *_ = compare(worse, this, QUICK)
    assert eer.high < 0
    eer, *_ = compare(this, alike, QUICK)
    assert eer.low <= 0 <= eer.high and eer.p_value > 0.05
    # pairing is worth it: the difference is better known than either figure
    alone = measure_performance(this, QUICK)[0].eer
    assert eer.high - eer.low < 0.3 * (alone.high - alone.low)
    none = compare(this, this, QUICK)[0]
    assert (none.low, none.high, none.p_value) == (0.0, 0.0, 1.0)


def test_other_trials_cannot_be_compared() -> None:
    scores, target, pairs = corpus(10)
    this = TrialSet(scores, target, pairs, POINTS)
    with pytest.raises(MismatchError, match="different trials or operating points"):
        compare(this, TrialSet(scores, target, pairs, POINTS[:1]))
    shuffled = TrialSet(scores, np.roll(target, 1), pairs, POINTS)
    with pytest.raises(MismatchError, match="different trials"):
        compare(this, shuffled)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"replicates": 99}, "99 replicates"),
        ({"confidence": 1.0}, "a confidence of 1.0"),
        ({"seed": -1}, "-1"),
    ],
)
def test_draws_out_of_range_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(ChoiceError, match=told):
        Draws(**settings)  # type: ignore[arg-type]


def test_a_piece_that_nobody_claims_is_of_who_claims_the_file() -> None:
    models, target = ["ann", "bob", "bob", "bob", "ann"], np.array([True, False, False, False, True])
    pieces = [("1.wav", "0"), ("1.wav", "3"), ("2.wav", "0"), ("3.wav", "0"), ("3.wav", "5")]
    apart = cluster_speakers(models, pieces, target)
    assert apart.n_unknown == 3
    found = cluster_speakers(models, pieces, target, None, [file for file, _ in pieces])
    assert found.n_unknown == 1  # 2.wav
    assert found.speakers[1, 1] == found.speakers[0, 1] == found.speakers[3, 1]
    both = np.array([True, False, False, False, True])
    claimed_twice = cluster_speakers(
        ["ann", "x", "bob"], ["1", "2", "3"], both[[0, 1, 4]], None, ["f", "f", "f"]
    )
    assert claimed_twice.n_unknown == 1
