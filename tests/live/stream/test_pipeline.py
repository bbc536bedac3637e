"""Pipelines: the events of `detect` to the last bit, in any chunking, within their latency and memory."""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.learning.assembly import make_pipeline
from audiogmm.anomaly.scorer import NO_SCORES, FrameScores
from audiogmm.errors import FrontEndError
from audiogmm.jobs.detect import detect
from audiogmm.jobs.info import info
from audiogmm.jobs.stream import stream_to
from audiogmm.live.outlet import text_of
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import InputIdentity, StreamInputs
from audiogmm.manifest import Entry
from audiogmm.runs.progress import Silent
from tests.live.rooms import RATE, model, saved, with_whistles
from tests.live.stream.analysis import ALL, analysis, lines_of, rows
from tests.live.streams import chunks


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "a.wav"
    soundfile.write(path, with_whistles(14.0, (3.0, 6.0, 13.4)), RATE)
    return path


def test_closed_events_are_those_of_detect_to_the_last_bit(recording: Path, tmp_path: Path) -> None:
    texts: list[str] = []
    stream_to(saved(tmp_path), StreamInputs((str(recording),)), texts.append)
    lines = [json.loads(line) for line in "".join(texts).splitlines()]
    expected = detect(model(), Entry(audio_filepath=str(recording), id="a"))
    assert len(expected) >= 3
    assert [line["event"] for line in lines if line["type"] == "closed"] == [e.to_dict() for e in expected]
    kinds = [line["type"] for line in lines]
    assert kinds[0] == "start" and kinds[-1] == "end" and kinds.count("heartbeat") == 1
    assert lines[-1]["events"] == len(expected) and lines[-1]["frames"] == 1398
    for number in {line["number"] for line in lines if "number" in line}:
        life = [line["type"] for line in lines if line.get("number") == number]
        assert life in (["open", "confirmed", "closed"], ["open", "dropped"])


@settings(max_examples=12)
@given(seed=st.integers(0, 2**20), most=st.sampled_from([1, 7, 160, 1999, 30000, 200000]))
def test_any_chunking_gives_the_same_lines(seed: int, most: int) -> None:
    sound = with_whistles(4.0 if most == 1 else 14.0, (2.0, 2.9) if most == 1 else (3.0, 6.0, 13.4))
    how = StreamSettings(ALL, heartbeat=0.7, score_interval=0.3, cluster_window=0.2)
    whole = lines_of(analysis(how), [sound])
    assert {line.type for line in whole} >= {"closed", "score", "heartbeat", "cluster"}
    cut = lines_of(analysis(how), chunks(sound, np.random.default_rng(seed), most))
    assert [text_of(line.row("a")) for line in cut] == [text_of(line.row("a")) for line in whole]


def test_a_notice_comes_with_the_push_that_completes_its_latency() -> None:
    """By frame counts: a whistle's closing needs the frames that `info` counts, and not one more."""
    sound = with_whistles(8.0, (3.0,))
    analyzer = analysis(StreamSettings(heartbeat=0))
    analyzer.begin(RATE, 0.0)
    came: dict[str, tuple[float, int]] = {}
    for at in range(0, len(sound), 160):
        for line in analyzer.push(sound[at : at + 160]):
            came[line.type] = line.time, at + 160
    plan = StreamPlan.of(model(), StreamSettings(), Silent())
    ahead = plan.frontend.latency.steady
    clock = plan.frontend.clock(RATE)
    assert set(came) == {"open", "confirmed", "closed"}
    for time, n_samples in came.values():
        frame = round((time * RATE - clock.length) / clock.hop)  # the last that had to be scored
        needed = clock.first_sample(frame + ahead) + clock.length
        assert needed <= n_samples < needed + 160


def test_the_latency_that_info_prints_is_that_of_all_stages(tmp_path: Path) -> None:
    about = info(saved(tmp_path)).about["latency"]
    listener = make_pipeline(model())
    plan = StreamPlan.of(model(), StreamSettings(), Silent())
    frames = plan.frontend.latency.steady + listener.scorer.latency + listener.detector.latency
    assert about["steady_frames"] == frames
    assert about["steady_seconds"] == pytest.approx(plan.latency)


def test_an_event_closes_within_the_latency_after_its_last_low_window() -> None:
    plan = StreamPlan.of(model(), StreamSettings(), Silent())
    lines = lines_of(analysis(StreamSettings(heartbeat=0)), [with_whistles(8.0, (3.0,))])
    closed = rows(lines, "closed")[0]
    detector = plan.detection.detector  # type: ignore[union-attr]
    slack = detector.half / detector.frame_rate  # low windows reach so far past what made them low
    assert closed.time - closed.body["event"]["end"] <= plan.latency + slack


def test_an_hour_of_digital_silence_is_one_event_and_no_failure() -> None:
    """A dead microphone is news where no activity detector says what to listen to."""
    second = np.zeros(60 * RATE, np.float32)
    analyzer = analysis(StreamSettings(heartbeat=600.0))
    lines = lines_of(analyzer, (second for _ in range(60)))
    closed = rows(lines, "closed")
    assert len(closed) == 1 and closed[0].body["event"]["end"] == pytest.approx(3600, abs=1)
    assert [line.body["level_db"] for line in rows(lines, "heartbeat")] == [None] * 5
    assert analyzer.totals["frames"] == 359998


def test_an_hour_of_silence_is_nothing_behind_an_activity_detector() -> None:
    trained = model("speech")
    lines = lines_of(analysis(StreamSettings(heartbeat=0), trained), [np.zeros(60 * RATE, np.float32)] * 60)
    assert lines == []


def test_a_front_end_that_needs_the_whole_recording_is_refused() -> None:
    settings = model("speech").metadata.frontend | {"cmvn": "utterance"}
    trained = replace(model("speech"), metadata=replace(model("speech").metadata, frontend=settings))
    analyzer = analysis(StreamSettings(("scores",)), trained)
    with pytest.raises(FrontEndError, match="cmvn = 'utterance'"):
        analyzer.begin(RATE, 0.0)


def test_a_scorer_that_lags_gives_the_same_in_any_chunking(monkeypatch: Any) -> None:
    """Scores may come later than their frames: nothing but the last of them comes with the flush."""
    plan = StreamPlan.of(model(), StreamSettings(ALL, heartbeat=1.0, score_interval=0.5), Silent())
    assert plan.detection is not None
    lagging = replace(plan.detection, scorer=Lagging(plan.detection.scorer, 37))
    plan = replace(plan, detection=lagging, scorer=lagging.scorer)
    sound = with_whistles(6.0, (3.0,))

    def lines(pieces: Any) -> list[str]:
        heard = lines_of(AnalysisPipeline(plan, InputIdentity("a", "a", None), dict, lambda _: None), pieces)
        return [text_of(line.row("a")) for line in heard if line.type != "cluster"]

    whole = lines([sound])
    assert lines(chunks(sound, np.random.default_rng(0), 3000)) == whole
    plain = lines_of(
        analysis(StreamSettings(("events", "scores"), heartbeat=1.0, score_interval=0.5)), [sound]
    )
    events = [json.loads(line)["event"]["start"] for line in whole if '"closed"' in line]
    assert events == [line.body["event"]["start"] for line in rows(plain, "closed")]


class Lagging:
    """A scorer whose scores come some frames late."""

    def __init__(self, scorer: Any, latency: int) -> None:
        self.scorer, self.latency = scorer, latency

    def open(self, id: str) -> Any:
        return LaggingStream(self.scorer.open(id), self.latency)


class LaggingStream:
    def __init__(self, stream: Any, latency: int) -> None:
        self.stream, self.latency, self.held = stream, latency, NO_SCORES

    def push(self, block: Any) -> FrameScores:
        new = self.stream.push(block)
        scores = np.concatenate([self.held.scores, new.scores])
        voiced = np.concatenate([self.held.voiced, new.voiced])
        ready = max(0, len(scores) - self.latency)
        self.held = FrameScores(scores[ready:], voiced[ready:])
        return FrameScores(scores[:ready], voiced[:ready])

    def flush(self) -> FrameScores:
        held, self.held = self.held, NO_SCORES
        return held


def test_memory_does_not_grow_with_the_length_of_a_stream() -> None:
    """Forty minutes against eight, by all that can be reached: a byte a frame would be 192 kB."""
    analyzer = analysis(StreamSettings(ALL))
    analyzer.begin(RATE, 0.0)
    minute = with_whistles(60.0, (20.0, 40.0))

    def held(minutes: int) -> int:
        for _ in range(minutes):
            for at in range(0, len(minute), 16000):
                analyzer.push(minute[at : at + 16000])
        return reached(analyzer)

    early, late = held(8), held(32)
    assert early > 1000 and late - early < 1000


def reached(thing: object) -> int:
    """Bytes of all objects and arrays that can be reached from one, but for what modules and classes hold."""
    seen: set[int] = set()
    waiting, total = [thing], 0
    while waiting:
        one = waiting.pop()
        while isinstance(one, np.ndarray) and one.base is not None:
            one = one.base
        if id(one) in seen or isinstance(one, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting += gc.get_referents(one)
    return total
