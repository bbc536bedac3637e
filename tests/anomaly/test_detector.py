"""The detector: thresholds from normal audio, kept in a model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.smoothing import smooth
from audiogmm.anomaly.stream import detect_events
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from tests.anomaly.tracks import normal_scores, restless, track


@pytest.fixture(scope="module")
def detector() -> Detector:
    return calibrate_detector([track(normal_scores(60_000))])


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
        "The threshold is an estimate: it rests on 29.4 s of normal audio; 500.0 s are needed. "
        "More normal audio: audiogmm calibrate MODEL NORMAL.jsonl -o CALIBRATED.agmm"
    )
    assert few.threshold <= few.windows[0]
    enough = few.with_settings(quantile=0.02, release_quantile=0.05)
    assert enough.note == ""
    assert enough.threshold == pytest.approx(np.quantile(few.windows, 0.02))


def test_recordings_do_not_flow_into_one_another() -> None:
    apart = calibrate_detector([track(np.full(100, -40.0), "a"), track(np.full(100, -80.0), "b")])
    assert set(np.unique(apart.windows)) == {-80.0, -40.0}


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
