"""The detector: thresholds from normal audio, and events that do not depend on how scores arrive."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.edges import CLIP
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.normal import NormalScores
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.smoothing import Smoother, smooth, window_sums
from audiogmm.anomaly.stream import EventStream, detect_events
from audiogmm.anomaly.threshold import TAIL, Thresholds, tail_probability
from audiogmm.errors import ChoiceError, FeatureError, MismatchError, ModelFileError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from tests.naive import scores as naive

CLOCK = FrameClock(8000, 80, 200)


def track(scores: np.ndarray, id: str = "a", voiced: np.ndarray | None = None) -> ScoreTrack:
    marks = np.ones(len(scores), bool) if voiced is None else voiced
    return ScoreTrack(id, np.asarray(scores, dtype=np.float64), marks, CLOCK)


def normal_scores(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(-40, 3, n)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return calibrate_detector([track(normal_scores(60_000))])


def restless(seed: int, n: int = 1500) -> ScoreTrack:
    """Scores that wander through both thresholds, with unvoiced stretches."""
    rng = np.random.default_rng(seed)
    walk = -40 + 2.5 * np.cumsum(rng.normal(size=n // 10)).repeat(10) * 0.3 + rng.normal(0, 2, n)
    voiced = np.repeat(rng.random(n // 50 + 1) < 0.8, 50)[:n]
    return ScoreTrack("restless", walk, voiced, CLOCK)


def in_pieces(detector: Detector, given: ScoreTrack, cuts: list[int]) -> list[Notice]:
    stream = EventStream(detector, given.clock, given.id)
    notices: list[Notice] = []
    bounds = [0, *sorted(cuts), len(given)]
    for first, last in pairwise(bounds):
        notices += stream.push(given.scores[first:last], given.voiced[first:last])
    return notices + stream.flush()


def closed(notices: list[Notice]) -> list[Event]:
    return [notice.event for notice in notices if notice.kind == "closed"]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 80), half=st.integers(0, 12), seed=st.integers(0, 99))
def test_window_scores_agree_with_their_naive_twin(n: int, half: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = track(rng.normal(size=n), voiced=rng.random(n) < 0.6)
    found = smooth(given, half)
    expected = naive.window_scores(given.scores, given.voiced, half)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=12), half=st.integers(0, 30))
def test_window_scores_have_the_same_bytes_however_they_arrive(cuts: list[int], half: int) -> None:
    given = restless(1, 200)
    smoother, parts = Smoother(half), []
    bounds = [0, *sorted(cuts), len(given)]
    for first, last in pairwise(bounds):
        parts.append(smoother.push(given.scores[first:last], given.voiced[first:last]))
        assert sum(map(len, parts)) == max(0, last - half)  # the latency that is stated
    parts.append(smoother.flush())
    assert np.concatenate(parts).tobytes() == smooth(given, half).tobytes()


@pytest.mark.parametrize("width", [1, 2, 3, 8, 51, 64])
def test_window_sums_are_sums_of_windows(width: int) -> None:
    values = np.random.default_rng(0).normal(size=100)
    expected = [values[i : i + width].sum() for i in range(100 - width + 1)]
    np.testing.assert_allclose(window_sums(values, width), expected, atol=1e-12)


def test_one_absurd_score_does_not_outlive_its_window() -> None:
    scores = normal_scores(500)
    scores[100] = -1e30
    clean = scores.copy()
    clean[100] = -40
    spoilt, expected = smooth(track(scores), 25), smooth(track(clean), 25)
    assert spoilt[126:].tobytes() == expected[126:].tobytes()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 30), cuts=st.lists(st.integers(0, 1500), max_size=15))
def test_events_have_the_same_bytes_however_scores_arrive(
    detector: Detector, seed: int, cuts: list[int]
) -> None:
    given = restless(seed)
    assert in_pieces(detector, given, cuts) == in_pieces(detector, given, [])


def test_events_come_one_frame_at_a_time(detector: Detector) -> None:
    for seed in range(4):
        given = restless(seed)
        assert in_pieces(detector, given, list(range(len(given)))) == in_pieces(detector, given, [])
        assert closed(in_pieces(detector, given, [])) == detect_events(detector, given)


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
    given = restless(seed)
    means = chosen.smooth(given)
    gap = round(merge * 100)
    shorts = smooth(given, gap // 2)
    expected = naive.events(
        means, shorts, chosen.threshold, chosen.release, chosen.typical, gap, round(least * 100)
    )
    losses = np.where(given.voiced, chosen.typical - given.scores, 0.0)
    found = detect_events(chosen, given)
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
        given = restless(0)
        assert closed([*stream.push(given.scores, given.voiced), *stream.flush()]) == detect_events(
            detector, given
        )


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


def test_the_threshold_is_the_quantile_of_normal_windows(detector: Detector) -> None:
    means = smooth(track(normal_scores(60_000).astype(np.float32)), 25)
    assert detector.threshold == pytest.approx(np.quantile(means, 0.001))
    assert detector.release == pytest.approx(np.quantile(means, 0.02))
    assert detector.note == ""
    fresh = smooth(track(normal_scores(200_000, seed=7)), 25)
    assert np.mean(fresh <= detector.threshold) < 0.005


def test_with_few_normal_windows_it_says_so_and_is_careful() -> None:
    few = calibrate_detector([track(normal_scores(3000))])
    assert few.note == (
        "The threshold is an estimate: it rests on 0.5 minutes of normal audio; 8.3 minutes are needed. "
        "Give more to `train` or `calibrate`."
    )
    assert few.threshold <= few.windows[0]
    enough = few.with_settings(quantile=0.02, release_quantile=0.05)
    assert enough.note == ""
    assert enough.threshold == pytest.approx(np.quantile(few.windows, 0.02))


def test_recordings_do_not_flow_into_one_another() -> None:
    apart = calibrate_detector([track(np.full(100, -40.0), "a"), track(np.full(100, -80.0), "b")])
    assert set(np.unique(apart.windows)) == {-80.0, -40.0}


def test_a_p_value_counts_normal_windows_that_are_as_low() -> None:
    windows = np.sort(np.random.default_rng(0).normal(size=1000))
    assert tail_probability(windows, 99, -100.0) == pytest.approx(0.01)
    assert tail_probability(windows, 99, float(windows[499])) == pytest.approx((1 + 49.5) / 100)


def test_p_values_of_normal_windows_are_not_too_small() -> None:
    detector = calibrate_detector([track(normal_scores(20_000))])
    fresh = smooth(track(normal_scores(100_000, seed=5)), 25)[::51]
    p = np.array([detector.p_value(value) for value in fresh])
    assert np.mean(p <= 0.05) < 0.08


def test_a_detector_goes_into_a_model_file_and_comes_back(detector: Detector) -> None:
    metadata = json.loads(json.dumps(detector.metadata()))
    tensors = {name: array.copy() for name, array in detector.tensors().items()}
    assert all(name.startswith("normal/") for name in tensors)
    back = Detector.from_parts(metadata, tensors)
    assert (back.threshold, back.release, back.settings) == (
        detector.threshold,
        detector.release,
        detector.settings,
    )
    assert detect_events(back, restless(3)) == detect_events(detector, restless(3))


def test_half_a_detector_is_refused(detector: Detector) -> None:
    with pytest.raises(ModelFileError, match=r"lacks 'normal/scores'.*audiogmm calibrate"):
        Detector.from_parts(detector.metadata(), {})
    with pytest.raises(ModelFileError, match="lacks 'window'"):
        Detector.from_parts({}, detector.tensors())
    tensors = detector.tensors() | {"normal/lengths": np.array([3])}
    with pytest.raises(ModelFileError, match="60000 normal scores, 60000 marks, 1 ids of 3"):
        Detector.from_parts(detector.metadata(), tensors)


@pytest.mark.parametrize("most", [700, 1500, 2000, 3000, 4500])
def test_what_is_kept_of_much_normal_audio_depends_on_names_only(most: int) -> None:
    rng = np.random.default_rng(most)
    tracks = [track(normal_scores(int(n)), f"room_{i}") for i, n in enumerate(rng.integers(20, 600, 20))]
    kept = NormalScores.of(tracks, most=most)
    assert 0 < kept.lengths.sum() <= most
    assert kept.n_seen == sum(map(len, tracks))
    for _ in range(5):
        again = NormalScores.of([tracks[i] for i in rng.permutation(20)], most=most)
        assert again.ids == kept.ids
        np.testing.assert_array_equal(again.scores, kept.scores)
    frames = f"Of {kept.n_seen:,} normal frames, {len(kept.scores):,} are kept"
    assert frames in Detector(kept).note


def test_an_event_of_the_least_duration_is_one(detector: Detector) -> None:
    faint = detector.typical - 0.1
    given = track(np.r_[np.full(500, faint), np.full(20, -80.0), np.full(500, faint)])
    short = smooth(given, detector.merge_gap_frames // 2) <= detector.release  # where a run may begin
    n_frames = int(np.flatnonzero(detector.smooth(given) <= detector.release)[-1] - np.argmax(short)) + 1
    assert len(detect_events(detector.with_settings(min_duration=n_frames / 100), given)) == 1
    assert detect_events(detector.with_settings(min_duration=(n_frames + 1) / 100), given) == []


def test_a_single_endless_recording_gives_its_beginning() -> None:
    kept = NormalScores.of([track(normal_scores(5000))], most=1000)
    np.testing.assert_array_equal(kept.scores, normal_scores(5000)[:1000].astype(np.float32))


def test_absurd_scores_are_kept_finite() -> None:
    assert np.isfinite(NormalScores.of([track(np.array([-1e300, -40.0]))]).scores).all()


def test_normal_audio_that_is_no_use_is_refused() -> None:
    with pytest.raises(MismatchError, match="no normal recording with a frame"):
        calibrate_detector([])
    with pytest.raises(MismatchError, match="no frame of the normal recordings is voiced"):
        calibrate_detector([track(normal_scores(100), voiced=np.zeros(100, bool))])
    other = ScoreTrack("b", np.zeros(5), np.ones(5, bool), FrameClock(8000, 160, 200))
    with pytest.raises(MismatchError, match="b has 50 frames a second, others 100"):
        calibrate_detector([track(normal_scores(100)), other])
    with pytest.raises(MismatchError, match="two normal recordings named a"):
        calibrate_detector([track(normal_scores(100)), track(normal_scores(100))])


def test_scores_of_another_frame_rate_are_refused(detector: Detector) -> None:
    with pytest.raises(MismatchError, match="50 frames a second; needed: 100"):
        EventStream(detector, FrameClock(8000, 160, 200))


def test_scores_without_marks_are_refused(detector: Detector) -> None:
    with pytest.raises(FeatureError, match=r"\(3,\) scores and \(2,\) marks"):
        EventStream(detector, CLOCK, "a").push(np.zeros(3), np.ones(2, bool))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantile": 0.0}, "quantile=0.0"),
        ({"quantile": 0.1}, "quantile=0.1, release_quantile=0.02"),
        ({"release_quantile": 0.6}, "release_quantile=0.6"),
        ({"window": 0.0}, "window=0.0"),
        ({"min_duration": -1.0}, "min_duration=-1.0"),
        ({"merge_gap": float("nan")}, "merge_gap=nan"),
    ],
)
def test_settings_outside_their_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        DetectorSettings(**changes)


def test_few_windows_put_the_threshold_where_the_exponential_tail_has_it() -> None:
    few = np.linspace(-3.0, -1.0, 40)
    enter = Thresholds.of(few, n_independent=10, quantile=0.001, release_quantile=0.02).enter
    edge = np.quantile(few, TAIL)
    excess = np.mean(edge - few[few <= edge])
    assert enter == pytest.approx(edge - excess * np.log(TAIL / 0.001))
    assert enter < few[0]
