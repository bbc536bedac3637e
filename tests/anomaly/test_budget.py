"""Alarm budgets: the threshold that keeps one, the interval that is promised, and when it is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly import budget as budgets
from audiogmm.anomaly.budget import AlarmBudget, dispersion
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.low_runs import LowRuns, NormalEvents
from audiogmm.anomaly.stream import detect_events
from audiogmm.errors import BudgetError, ChoiceError, MismatchError
from tests.anomaly.tracks import HOUR, calm, track
from tests.naive import alarms as naive


@pytest.fixture(scope="module")
def detector() -> Detector:
    return calibrate_detector([track(calm(HOUR // 4, seed), f"hour{seed}") for seed in range(4)])


def test_a_budget_is_what_the_detector_then_raises_on_its_normal_audio(detector: Detector) -> None:
    for rate in (6, 17, 60):
        chosen = detector.with_settings(alarms_per_hour=float(rate))
        found = sum(len(detect_events(chosen, t)) for t in chosen.normal.tracks())
        assert chosen.budget is not None
        assert found == chosen.budget.n_events == rate * chosen.hours == rate
        assert chosen.budget.low < rate < chosen.budget.high
        assert chosen.note.startswith(f"Normal audio is expected to raise {rate} alarms an hour (90 %")
        assert chosen.note.endswith(f"it raised {rate} in 1.00 h.")


def test_runs_of_normal_audio_are_the_events_of_the_stream(detector: Detector) -> None:
    """The budget counts what a stream would find, at any threshold."""
    for rate in (3.0, 40.0, 90.0):
        chosen = detector.with_settings(alarms_per_hour=rate, merge_gap=0.4, min_duration=0.3)
        peaks = [event.peak for t in chosen.normal.tracks() for event in detect_events(chosen, t)]
        events = chosen.runs.events(chosen.threshold, chosen.merge_gap_frames, chosen.min_duration_frames)
        assert events.peaks.tolist() == peaks
        assert len(peaks) >= 3


def test_events_do_not_reach_from_one_recording_into_the_next() -> None:
    low = np.r_[np.full(200, -40.0), np.full(60, -60.0)]
    runs = LowRuns.of([track(low), track(low[::-1], "b")], 5, 25, -50.0, -40.0)
    assert len(runs.events(-50.0, 25, 1)) == 2


def test_between_two_ranks_the_threshold_lies_between_two_events() -> None:
    first = np.arange(100) * 1000
    runs = LowRuns(first, first + 20, -np.arange(100.0), np.ones(100, bool))
    asked = {"hours": 1.0, "frame_rate": 100, "merge_gap": 25, "min_duration": 10}
    assert AlarmBudget.of(runs, 10.0, **asked).threshold == -90.0
    assert AlarmBudget.of(runs, 10.25, **asked).threshold == pytest.approx(-89.75)


def test_events_apart_by_a_typical_sound_are_two(detector: Detector) -> None:
    scores = np.full(1000, -39.0)
    scores[300:330] = scores[370:400] = -80.0
    runs = LowRuns.of([track(scores)], 25, 25, detector.release, detector.typical)
    assert len(runs.events(-45.0, 25, 1)) == 2
    assert (
        len(LowRuns.of([track(scores)], 25, 60, detector.release, detector.typical).events(-45, 60, 1)) == 1
    )


@pytest.mark.parametrize("rate", [4.0, 12.0, 40.0])
def test_the_interval_of_independent_events_holds_its_rate(rate: float) -> None:
    """Peaks of a Poisson process: exact, whatever the distribution of the scores."""
    rng, held, n = np.random.default_rng(1), 0, 400
    for _ in range(n):
        count = rng.poisson(400)
        first = np.sort(rng.integers(0, HOUR // 40, count)) * 40
        keep = np.append(True, np.diff(first) > 0)
        peaks = -rng.gamma(0.7, size=count)
        runs = LowRuns(first[keep], first[keep] + 5, peaks[keep], np.ones(keep.sum(), bool))
        found = AlarmBudget.of(runs, rate, hours=1.0, frame_rate=100, merge_gap=0, min_duration=1)
        from scipy.stats import gamma

        true = keep.sum() * gamma.sf(-found.threshold, 0.7)
        held += found.low <= true <= found.high
    assert 0.87 <= held / n <= 0.98


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    even = np.sort(rng.integers(0, HOUR, 300))
    spell = np.sort(np.concatenate([rng.integers(k * 60_000, k * 60_000 + 6000, 50) for k in range(6)]))
    intervals = []
    for first in (even, spell):
        runs = LowRuns(first, first, -np.arange(300.0), np.ones(300, bool))
        found = AlarmBudget.of(runs, 60, hours=1.0, frame_rate=100, merge_gap=-1, min_duration=1)
        intervals.append(found.high / found.low)
    assert intervals[1] > 1.5 * intervals[0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), n=st.integers(3, 80), lowest=st.integers(2, 90))
def test_dispersion_agrees_with_its_naive_twin(seed: int, n: int, lowest: int) -> None:
    rng = np.random.default_rng(seed)
    first, peaks = np.sort(rng.integers(0, 10_000, n)), rng.normal(size=n)
    expected = [naive.spells(first.tolist(), peaks.tolist(), 10_000, lowest, b) for b in budgets._BLOCKS]
    found = dispersion(NormalEvents(first, first, peaks), 10_000, lowest)
    assert found == pytest.approx(max(0.0, *expected), abs=1e-12)


def test_too_little_normal_audio_is_refused_by_name(detector: Detector) -> None:
    with pytest.raises(
        MismatchError,
        match=r"a budget of 1 alarm a day, and 1\.00 h of normal audio; "
        r"needed: about 24\.00 h of it for that; try: --alarms-per-hour 1, or more normal audio: "
        r"audiogmm calibrate MODEL NORMAL.jsonl -o CALIBRATED.agmm",
    ):
        _ = detector.with_settings(alarms_per_hour=1 / 24).threshold
    few = calibrate_detector([track(calm(6000))])
    with pytest.raises(
        MismatchError,
        match=r"10 alarms an hour, and 60\.0 s .*needed: about 360\.0 s .*--alarms-per-hour 59",
    ):
        _ = few.with_settings(alarms_per_hour=10.0).threshold


@given(rate=st.floats(1e-3, 1e3), share=st.floats(0.5, 1.5))
def test_a_refusal_never_needs_what_there_is_and_names_what_works(rate: float, share: float) -> None:
    """An hour less one frame is an hour: no "60.0 minutes; needed: 60.0"."""
    runs = LowRuns(np.arange(9) * 100, np.arange(9) * 100 + 20, -np.arange(9.0), np.ones(9, bool))
    asked = {"hours": share / rate, "frame_rate": 100, "merge_gap": 25, "min_duration": 10}
    try:
        AlarmBudget.of(runs, rate, **asked)
        assert share > 0.97
    except BudgetError as error:
        assert share < 0.99
        given, needed = error.what.rpartition(", and ")[2], error.needed.removeprefix("about ")
        assert given.split()[:2] != needed.split()[:2]
        option, allowed = error.remedy.split(",")[0].split()
        AlarmBudget.of(runs, float(allowed) / (24 if option == "--alarms-per-day" else 1), **asked)


def test_scores_that_never_fall_are_no_lack_of_hours() -> None:
    nothing = LowRuns(np.arange(0), np.arange(0), np.zeros(0), np.zeros(0, bool))
    with pytest.raises(
        BudgetError, match=r"1\.00 h of normal audio whose scores never fall.*--quantile 0\.999"
    ):
        AlarmBudget.of(nothing, 2.0, hours=1.0, frame_rate=100, merge_gap=25, min_duration=10)


def test_more_alarms_than_there_are_low_runs_keep_to_the_release(detector: Detector) -> None:
    many = detector.with_settings(alarms_per_hour=1e5)
    assert many.release_quantile == 0.5
    assert many.threshold == pytest.approx(many.release, abs=0.01)
    assert many.budget is not None
    assert many.budget.alarms_per_hour == many.budget.n_events / many.hours < 1e5


def test_a_large_budget_looses_the_release(detector: Detector) -> None:
    """Else there are not enough low runs to be events."""
    large = detector.with_settings(alarms_per_hour=1500.0)
    assert large.release_quantile > detector.settings.release_quantile
    assert large.budget is not None and large.budget.n_events == 1500


def test_an_event_says_how_often_normal_audio_has_one_like_it(detector: Detector) -> None:
    chosen = detector.with_settings(alarms_per_hour=20.0)
    scores = calm(4000, seed=50)
    scores[1000:1060] -= 40
    (event,) = [e for e in detect_events(chosen, track(scores)) if e.severity and e.severity > 2]
    assert event.alarms_per_hour == pytest.approx(1.0)  # none in one hour: (1 + 0) / 1
    lowest = np.sort(chosen.normal_events.peaks)
    assert chosen.alarms_per_hour(float(lowest[9])) == pytest.approx(11.0)


def test_budgets_go_into_a_model_and_come_back(detector: Detector) -> None:
    chosen = detector.with_settings(alarms_per_hour=7.0)
    back = Detector.from_parts(chosen.metadata(), chosen.tensors())
    assert back.settings == chosen.settings
    assert back.threshold == chosen.threshold
    assert back.metadata()["budget"] == chosen.metadata()["budget"]
    older = {
        k: v for k, v in detector.metadata().items() if k not in ("alarms_per_hour", "anomalous", "budget")
    }
    assert Detector.from_parts(older, detector.tensors()).threshold == detector.threshold


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_budget_is_a_positive_number(rate: float) -> None:
    with pytest.raises(ChoiceError, match="alarms_per_hour="):
        DetectorSettings(alarms_per_hour=rate)
