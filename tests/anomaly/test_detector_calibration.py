"""Normal audio is calibrated by without what in it is not normal."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector, find_outliers
from audiogmm.anomaly.low_runs import NormalEvents
from tests.anomaly.tracks import HOUR, calm, track


def test_anomalies_in_normal_audio_are_left_out_and_named() -> None:
    scores = calm(HOUR // 4)
    spoilt = scores.copy()
    spoilt[30_000:30_100] -= 60
    spoilt[70_000:70_040] -= 45
    clean, robust = calibrate_detector([track(scores)]), calibrate_detector([track(spoilt)])
    naively = calibrate_detector([track(spoilt)], robust=False)
    places = [(id, int(start), int(end)) for id, start, end in robust.normal.anomalous]
    assert places == [("a", 299, 301), ("a", 699, 700)]
    assert "score so far below the rest that they count as anomalies" in robust.note
    assert "a at 299." in robust.note and "a at 699." in robust.note
    for rate in (8.0, 20.0):
        found = [d.with_settings(alarms_per_hour=rate).threshold for d in (clean, robust, naively)]
        assert found[1] == pytest.approx(found[0], abs=0.1)
        assert found[2] < found[0] - 0.2
    back = Detector.from_parts(robust.metadata(), robust.tensors())
    assert back.normal.anomalous == robust.normal.anomalous


def test_normal_audio_is_not_taken_for_anomalous() -> None:
    rng = np.random.default_rng(0)
    frames = np.arange(100)
    left_out = sum(
        find_outliers(NormalEvents(frames, frames, -rng.exponential(size=100))).any() for _ in range(2000)
    )
    assert left_out <= 8  # one in a thousand is promised


def test_a_few_events_are_too_few_to_call_one_anomalous() -> None:
    frames = np.arange(20)
    assert not find_outliers(NormalEvents(frames, frames, np.r_[np.zeros(19), -1e6])).any()
