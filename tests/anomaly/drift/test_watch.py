"""The monitor beside a detector: verdicts of events, alarms that end, any chunks, and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.drift.baseline import DriftBaseline
from audiogmm.anomaly.drift.level_block import BlockCutter
from audiogmm.anomaly.drift.settings import DriftSettings
from audiogmm.anomaly.drift.watch import DriftWatch
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import read_events, write_events
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.pipeline import DetectionPipeline
from audiogmm.anomaly.scorer import LogLikelihoodScorer
from audiogmm.blocks import FrameBlock
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray

CLOCK = FrameClock(10, 1, 1)
MAP = BandMap(np.eye(2), np.zeros(2), np.array([[0.0, 50.0, 100.0], [50.0, 100.0, 150.0]]), True)


class FarFromZero:
    def log_likelihood(self, frames: np.ndarray) -> FloatArray:
        return np.asarray(-np.abs(frames).sum(axis=1), np.float64)


@pytest.fixture(scope="module")
def pipeline() -> DetectionPipeline:
    normal = sound(0, 3.0)
    scores = FarFromZero().log_likelihood(normal)
    detector = calibrate_detector([ScoreTrack("calm", scores, np.ones(len(scores), bool), CLOCK)])
    cutter = BlockCutter(MAP)
    blocks = cutter.push(FrameBlock(normal, np.ones(len(normal), bool), 0, CLOCK))
    baseline = DriftBaseline.learn([np.stack([one.levels for one in blocks])], MAP, DriftSettings())
    assert baseline is not None
    return DetectionPipeline(LogLikelihoodScorer(FarFromZero()), detector, drift=DriftWatch(baseline, MAP))


def sound(seed: int, hours: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (int(hours * 36000), 2)).astype(np.float32)


def run(pipeline: DetectionPipeline, frames: np.ndarray, size: int) -> list[Notice]:
    stream, notices = pipeline.open(CLOCK, "a"), []
    for first in range(0, len(frames), size):
        part = frames[first : first + size]
        notices += stream.push(FrameBlock(part, np.ones(len(part), bool), first, CLOCK))
    return notices + stream.flush()


def severe(notices: list[Notice]) -> list[Event]:
    """The events that lie far beyond the threshold, which a thousandth of normal windows is under, too."""
    return [notice.event for notice in notices if notice.is_event and (notice.event.severity or 0) > 2]


def test_an_alarm_without_end_becomes_a_change_for_good(pipeline: DetectionPipeline) -> None:
    frames = sound(1, 1.5)
    frames[18000:] += 8.0  # from half an hour on
    frames[45000:45050] += 20.0  # and a short sound in the changed state
    events = severe(run(pipeline, frames, 5000))
    assert [event.verdict for event in events] == ["changed", "transient"]
    assert events[0].change is not None and abs(events[0].change["since"] - 1800) < 15
    assert 7 < events[0].change["db"] < 9
    assert events[0].end - events[0].start < 500
    assert abs(events[1].start - 4500) < 3


def test_without_a_monitor_it_has_no_end(pipeline: DetectionPipeline) -> None:
    frames = sound(1, 1.0)
    frames[18000:] += 8.0
    plain = DetectionPipeline(pipeline.scorer, pipeline.detector)
    [event] = severe(run(plain, frames, 5000))
    assert event.verdict is None and event.end > 3590


def test_any_chunks_give_the_same_notices(pipeline: DetectionPipeline) -> None:
    frames = sound(2, 0.7)
    frames[10000:] += 6.0
    frames[20000:] += np.linspace(0, 20, len(frames) - 20000, dtype=np.float32)[:, None]
    whole = run(pipeline, frames, len(frames))
    assert {"change", "rising"} & {notice.kind for notice in whole}
    for size in (37, 1000, 4096):
        assert run(pipeline, frames, size) == whole


def test_a_change_goes_on_in_the_next_recording(pipeline: DetectionPipeline) -> None:
    frames = sound(3, 1.0)
    frames[9000:] += 8.0
    first = pipeline.open(CLOCK, "a")
    first.push(FrameBlock(frames, np.ones(len(frames), bool), 0, CLOCK))
    first.flush()
    assert first.drift is not None
    after = sound(4, 0.3) + np.float32(8.0)
    clock = FrameClock(10, 1, 1, 3600.0)
    block = FrameBlock(after, np.ones(len(after), bool), 0, clock)
    second = pipeline.open(clock, "b", state=first.drift.memory)
    assert severe(second.push(block) + second.flush()) == []


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_files_keep_verdicts(pipeline: DetectionPipeline, tmp_path: Path, suffix: str) -> None:
    change = {"bands": [[0, 150]], "db": 5.9, "since": 1800.0, "probability": 1.0}
    events = [
        Event("a.wav", "a", 0.0, 2.0, verdict="transient"),
        Event("a.wav", "a", 1800.0, 2280.0, time=1e9, end_time=1e9 + 480, verdict="changed", change=change),
    ]
    write_events(events, tmp_path / f"events{suffix}", judged=True)
    assert list(read_events(tmp_path / f"events{suffix}")) == events
