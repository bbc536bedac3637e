"""Metrics against their naive twin and scikit-learn; loudness as the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection.frame_metrics import (
    EventCounts,
    LabeledTrack,
    compare_events,
    evaluate_frames,
    frame_auc,
    frame_truth,
    partial_auc,
    score_loudness,
)
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock, Segment
from tests.naive import scores as naive

CLOCK = FrameClock(8000, 80, 200)

labelled = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=60)


@settings(max_examples=50, deadline=None)
@given(frames=labelled)
def test_auc_is_the_share_of_pairs_in_order(frames: list[tuple[int, bool]]) -> None:
    scores, truth = np.array([s for s, _ in frames], float), np.array([t for _, t in frames])
    assume(0 < truth.sum() < len(truth))
    assert frame_auc(scores, truth) == pytest.approx(naive.auc(scores, truth))


@settings(max_examples=50, deadline=None)
@given(frames=labelled, max_fpr=st.sampled_from([0.05, 0.1, 0.5, 1.0]))
def test_partial_auc_is_scikit_learns(frames: list[tuple[int, bool]], max_fpr: float) -> None:
    from sklearn.metrics import roc_auc_score

    scores, truth = np.array([s for s, _ in frames], float), np.array([t for _, t in frames])
    assume(0 < truth.sum() < len(truth))
    expected = roc_auc_score(truth, -scores, max_fpr=None if max_fpr == 1 else max_fpr)
    assert partial_auc(scores, truth, max_fpr) == pytest.approx(expected)


def test_frames_of_one_kind_have_no_auc() -> None:
    with pytest.raises(ChoiceError, match="0 anomalous frames among 3"):
        frame_auc(np.zeros(3), np.zeros(3, bool))
    with pytest.raises(ChoiceError, match="max_fpr=0"):
        partial_auc(np.zeros(2), np.array([True, False]), 0)


def test_truth_is_by_frame_centres_on_the_recordings_clock() -> None:
    clock = FrameClock(8000, 80, 200, offset=10.0)
    truth = frame_truth(clock, 100, [Segment(10.2, 10.3), Segment(10.25, 10.4)])
    centers = clock.center(np.arange(100))
    np.testing.assert_array_equal(truth, (centers >= 10.2) & (centers < 10.4))


def test_sites_are_judged_apart() -> None:
    """Scores of one site lie far above the other's: pooled, site alone would separate them."""
    recordings = []
    for site, level in (("loud", 0.0), ("quiet", -500.0)):
        scores = np.full(1000, level)
        scores[400:600] -= 10
        scored = ScoreTrack(site, scores, np.ones(1000, bool), CLOCK)
        recordings.append(LabeledTrack(scored, (Segment(4.0, 6.0),), site))
    results = evaluate_frames(recordings)
    assert [(r.site, r.n_frames, r.n_anomalous) for r in results] == [
        ("loud", 1000, 200),
        ("quiet", 1000, 200),
    ]
    assert all(r.auc > 0.99 and r.pauc > 0.9 for r in results)


def test_windows_without_voice_are_not_judged() -> None:
    voiced = np.ones(1000, bool)
    voiced[:500] = False
    (result,) = evaluate_frames(
        [LabeledTrack(ScoreTrack("a", np.zeros(1000), voiced, CLOCK), (Segment(6, 7),))]
    )
    assert result.n_frames == 525


def test_events_are_matched_with_a_collar() -> None:
    truth = [Segment(1.0, 2.0), Segment(5.0, 6.0)]
    found = [Segment(2.1, 2.2), Segment(8.0, 9.0), Segment(0.9, 1.1)]
    assert compare_events(found, truth, collar=0.25) == EventCounts(3, 2, 2, 1)
    assert compare_events(found, truth, collar=0.0) == EventCounts(3, 1, 2, 1)
    total = compare_events(found, truth) + compare_events([], [Segment(0, 1)])
    assert (total.precision, total.recall) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert total.f1 == pytest.approx(4 / 9)


def test_nothing_found_where_there_is_nothing_is_perfect() -> None:
    assert compare_events([], []).f1 == 1.0
    assert compare_events([Segment(0, 1)], []).precision == 0.0
    assert compare_events([], [Segment(0, 1)]).f1 == 0.0


def test_loudness_is_the_level_of_each_frame() -> None:
    rng = np.random.default_rng(0)
    samples = (rng.normal(size=4000) * np.linspace(0.01, 0.1, 4000)).astype(np.float32)
    track = score_loudness(samples, CLOCK)
    assert len(track) == CLOCK.n_frames(4000)
    for i in range(len(track)):
        frame = samples[80 * i : 80 * i + 200].astype(np.float64)
        assert track.scores[i] == pytest.approx(-10 * np.log10(np.mean(frame**2)))
    assert score_loudness(np.zeros(400, np.float32), CLOCK).scores.tolist() == [120.0] * 3
    assert len(score_loudness(np.zeros(10, np.float32), CLOCK)) == 0
