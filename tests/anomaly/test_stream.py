"""Events that do not depend on how scores arrive."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.edges import CLIP
from audiogmm.anomaly.smoothing import smooth
from audiogmm.anomaly.stream import EventStream, detect_events
from audiogmm.errors import FeatureError, MismatchError
from audiogmm.timeline import FrameClock
from tests.anomaly.tracks import CLOCK, closed, in_pieces, normal_scores, restless, track
from tests.naive import scores as naive


@pytest.fixture(scope="module")
def detector() -> Detector:
    return calibrate_detector([track(normal_scores(60_000))])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 30), cuts=st.lists(st.integers(0, 1500), max_size=15))
def test_events_have_the_same_bytes_however_scores_arrive(
    detector: Detector, seed: int, cuts: list[int]
) -> None:
    recording = restless(seed)
    assert in_pieces(detector, recording, cuts) == in_pieces(detector, recording, [])


def test_events_come_one_frame_at_a_time(detector: Detector) -> None:
    for seed in range(4):
        recording = restless(seed)
        assert in_pieces(detector, recording, list(range(len(recording)))) == in_pieces(
            detector, recording, []
        )
        assert closed(in_pieces(detector, recording, [])) == detect_events(detector, recording)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 200),
    merge=st.sampled_from([0.0, 0.05, 0.3]),
    least=st.sampled_from([0.0, 0.1, 0.4]),
)
def test_events_agree_with_their_naive_twin(
    detector: Detector, seed: int, merge: float, least: float
) -> None:
    chosen = detector.with_settings(merge_gap=merge, min_duration=least)
    recording = restless(seed)
    means = chosen.smooth(recording)
    gap = round(merge * 100)
    shorts = smooth(recording, gap // 2)
    expected = naive.events(
        means, shorts, chosen.threshold, chosen.release, chosen.typical, gap, round(least * 100)
    )
    losses = np.where(recording.voiced, chosen.typical - recording.scores, 0.0)
    found = detect_events(chosen, recording)
    assert len(found) == len(expected)
    for event, (first, last) in zip(found, expected, strict=True):
        stretch = means[first : last + 1]
        edges = naive.edges(losses, first, last, chosen.half, CLIP * (chosen.typical - stretch.min()))
        assert (event.start, event.end) == (CLOCK.start(edges[0]), CLOCK.end(edges[1]))
        assert event.score == pytest.approx(stretch.mean())
        assert event.peak == stretch.min()
        assert event.peak_time == CLOCK.center(first + int(stretch.argmin()))
        assert event.threshold == chosen.threshold
        assert event.severity == pytest.approx(
            (chosen.typical - event.peak) / (chosen.typical - chosen.threshold)
        )


def test_restless_scores_exercise_the_detector(detector: Detector) -> None:
    """The two tests above would pass on no events at all."""
    assert sum(len(detect_events(detector, restless(seed))) for seed in range(10)) >= 10


def test_a_stream_starts_again_after_flush(detector: Detector) -> None:
    stream = EventStream(detector, CLOCK, "restless")
    for _ in range(2):
        recording = restless(0)
        notices = [*stream.push(recording.scores, recording.voiced), *stream.flush()]
        assert closed(notices) == detect_events(detector, recording)


def test_an_event_is_out_within_the_stated_latency(detector: Detector) -> None:
    faint = detector.typical - 0.1  # not typical, so nothing closes an event early
    scores = np.r_[np.full(1000, faint), np.full(50, -90.0), np.full(1000, faint)]
    stream = EventStream(detector, CLOCK, "a")
    given_out = {
        notice.kind: i for i, s in enumerate(scores) for notice in stream.push(s[None], np.ones(1, bool))
    }
    means = detector.smooth(track(scores))
    last = int(np.flatnonzero(means <= detector.release)[-1])
    assert given_out["closed"] == last + detector.latency
    short = smooth(track(scores), detector.merge_gap_frames // 2) <= detector.release
    assert given_out["open"] == int(np.argmax((means <= detector.threshold) & short)) + detector.half


def test_nothing_opens_before_the_sound(detector: Detector) -> None:
    """A long window is low half its length before a loud sound, where a short one still wavers."""
    for seed in range(20):
        scores = normal_scores(3000, seed)
        scores[1500:1700] -= 200
        notices = in_pieces(detector, track(scores), [])
        near = [n for n in notices if n.event.severity > 5]
        assert [n.kind for n in near][-1] == "closed"
        assert len({n.number for n in near}) == 1


def test_an_event_closes_at_once_where_the_sound_is_typical_again(detector: Detector) -> None:
    scores = np.r_[np.full(1000, -39.0), np.full(50, -90.0), np.full(1000, -39.0)]
    stream = EventStream(detector, CLOCK, "a")
    (closing,) = [
        i for i, s in enumerate(scores) for n in stream.push(s[None], np.ones(1, bool)) if n.kind == "closed"
    ]
    short = detector.merge_gap_frames // 2
    assert closing == 1050 + short + detector.half  # the first short window behind the sound, looked at


def test_notices_tell_the_life_of_each_event(detector: Detector) -> None:
    chosen = detector.with_settings(min_duration=0.3)
    for seed in range(12):
        notices = in_pieces(chosen, restless(seed), [])
        for number in {notice.number for notice in notices}:
            life = [notice for notice in notices if notice.number == number]
            kinds = [notice.kind for notice in life]
            assert kinds in (["open", "confirmed", "closed"], ["open", "dropped"])
            assert [notice.at for notice in life] == sorted(notice.at for notice in life)
            *_, last = life
            for notice in life:
                assert notice.event.end <= notice.at
                assert notice.event.peak >= last.event.peak
                assert notice.event.start == CLOCK.start(notice.first)
                assert notice.event.end == CLOCK.end(notice.last)
    kinds = [notice.kind for seed in range(12) for notice in in_pieces(chosen, restless(seed), [])]
    assert kinds.count("dropped") and kinds.count("closed")


def test_edges_lie_on_the_frames_that_are_odd(detector: Detector) -> None:
    normal = normal_scores(4000, seed=3)
    for length in (5, 30, 51, 80, 400):
        scores = normal.copy()
        scores[1000 : 1000 + length] -= 30
        (event,) = (e for e in detect_events(detector, track(scores)) if e.severity > 1.5)
        assert abs(event.start - CLOCK.start(1000)) <= 0.02
        assert abs(event.end - CLOCK.end(1000 + length - 1)) <= 0.02


def test_two_sounds_are_two_events_where_it_was_normal_in_between(detector: Detector) -> None:
    """Windows of 0.5 s do not recover in 0.4 s, but short ones do."""
    scores = np.full(1000, -39.0)
    scores[300:330] = scores[370:400] = -80.0
    assert len(detect_events(detector, track(scores))) == 2
    assert len(detect_events(detector.with_settings(merge_gap=0.6), track(scores))) == 1


def test_state_is_bounded(detector: Detector) -> None:
    stream = EventStream(detector, CLOCK, "a")
    sizes = []
    for _ in range(20):
        stream.push(np.full(1000, -90.0), np.ones(1000, bool))
        sizes.append(len(pickle.dumps(stream)))
    assert max(sizes[1:]) - min(sizes[1:]) < 64


def test_the_release_threshold_extends_an_event_to_both_sides(detector: Detector) -> None:
    between = (detector.threshold + detector.release) / 2
    scores = np.r_[np.full(300, -40.0), np.full(200, between), np.full(20, -80.0), np.full(200, between)]
    (event,) = detect_events(detector, track(np.r_[scores, np.full(300, -40.0)]))
    assert event.end - event.start > 3.8
    alone = np.r_[np.full(300, -40.0), np.full(400, between), np.full(300, -40.0)]
    assert detect_events(detector, track(alone)) == []


def test_what_is_unvoiced_is_no_event(detector: Detector) -> None:
    scores = np.r_[normal_scores(500), np.full(200, -500.0), normal_scores(500)]
    voiced = np.r_[np.ones(500, bool), np.zeros(200, bool), np.ones(500, bool)]
    assert detect_events(detector, track(scores, voiced=voiced)) == []
    assert np.isfinite(detector.smooth(track(scores, voiced=voiced))).all()
    assert detector.smooth(track(scores, voiced=voiced))[600] == detector.typical
    assert len(detect_events(detector, track(scores))) == 1


def test_an_event_of_the_least_duration_is_one(detector: Detector) -> None:
    faint = detector.typical - 0.1
    recording = track(np.r_[np.full(500, faint), np.full(20, -80.0), np.full(500, faint)])
    short = smooth(recording, detector.merge_gap_frames // 2) <= detector.release  # where a run may begin
    n_frames = int(np.flatnonzero(detector.smooth(recording) <= detector.release)[-1] - np.argmax(short)) + 1
    assert len(detect_events(detector.with_settings(min_duration=n_frames / 100), recording)) == 1
    assert detect_events(detector.with_settings(min_duration=(n_frames + 1) / 100), recording) == []


def test_scores_of_another_frame_rate_are_refused(detector: Detector) -> None:
    with pytest.raises(MismatchError, match="50 frames a second; needed: 100"):
        EventStream(detector, FrameClock(8000, 160, 200))


def test_scores_without_marks_are_refused(detector: Detector) -> None:
    with pytest.raises(FeatureError, match=r"\(3,\) scores and \(2,\) marks"):
        EventStream(detector, CLOCK, "a").push(np.zeros(3), np.ones(2, bool))
