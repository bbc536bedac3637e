"""A stream tells what `detect` finds, to the last bit and in any chunking; and all that was not heard."""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import replace
from itertools import pairwise
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
from audiogmm.audio.frontend.resample import Resampler
from audiogmm.errors import AudioDataError, ChoiceError, FrontEndError, MismatchError
from audiogmm.jobs.detect import detect
from audiogmm.jobs.info import info
from audiogmm.jobs.score import score
from audiogmm.jobs.stream import stream
from audiogmm.live.arrival import Back, Ended, Gap, Lost, Opened, Sound
from audiogmm.live.line import Line
from audiogmm.live.outlet import text_of
from audiogmm.live.source import WaitPolicy
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.session import StreamSession, run_sessions
from audiogmm.live.stream.settings import StreamSettings, parse_emit
from audiogmm.live.stream.sources import InputIdentity, StreamInputs
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.runs.progress import Silent
from tests.live.rooms import RATE, bursts, model, room, saved, with_whistles
from tests.live.streams import RoomClock, chunks

ALL = ("events", "clusters", "scores")


class Played:
    """A source that plays a list of arrivals."""

    def __init__(self, *arrivals: Any, name: str = "played", drops: bool = False) -> None:
        self.name, self.drops, self.queued = name, drops, 0.0
        self._arrivals = arrivals

    def arrivals(self, waiting: WaitPolicy) -> Any:
        for arrival in self._arrivals:
            if callable(arrival):
                arrival(waiting)
            elif isinstance(arrival, Exception):
                raise arrival
            else:
                yield arrival


def analysis(settings: StreamSettings, trained: Any = None) -> AnalysisPipeline:
    plan = StreamPlan.of(trained or model(), settings, Silent())
    return AnalysisPipeline(plan, InputIdentity("played", "a", "/a.wav"), dict, lambda _: None)


def told(analyzer: AnalysisPipeline, pieces: Any, rate: int = RATE) -> list[Line]:
    analyzer.begin(rate, 0.0)
    lines = [line for piece in pieces for line in analyzer.push(piece)]
    return lines + analyzer.flush()


def played(*arrivals: Any, how: StreamSettings | None = None, **source: Any) -> list[dict[str, Any]]:
    """The lines of a source that plays these arrivals."""
    return played_all([Played(*arrivals, **source)], how)


def played_all(sources: list[Any], how: StreamSettings | None = None) -> list[dict[str, Any]]:
    settings = how or StreamSettings(heartbeat=0)
    plan = StreamPlan.of(model(), settings, Silent())
    texts: list[str] = []

    def pipeline(session: StreamSession, identity: InputIdentity) -> AnalysisPipeline:
        return AnalysisPipeline(plan, identity, lambda: session.status, lambda _: None)

    both = [(source, InputIdentity(source.name, source.name, None)) for source in sources]
    run_sessions(both, pipeline, texts.append, lambda _: None, clock=RoomClock(), patience=5.0)
    return [json.loads(line) for line in "".join(texts).splitlines()]


def faster(samples: np.ndarray, times: int) -> np.ndarray:
    """The same sound at a rate so many times as high."""
    resampler = Resampler(RATE, times * RATE)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def rows(lines: list[Line], type: str) -> list[Any]:
    return [line for line in lines if line.type == type]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "a.wav"
    soundfile.write(path, with_whistles(14.0, (3.0, 6.0, 13.4)), RATE)
    return path


def test_closed_events_are_those_of_detect_to_the_last_bit(recording: Path, tmp_path: Path) -> None:
    texts: list[str] = []
    stream(saved(tmp_path), StreamInputs((str(recording),)), texts.append)
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
def test_any_chunking_tells_the_same_lines(seed: int, most: int) -> None:
    sound = with_whistles(4.0 if most == 1 else 14.0, (2.0, 2.9) if most == 1 else (3.0, 6.0, 13.4))
    how = StreamSettings(ALL, heartbeat=0.7, score_interval=0.3, cluster_window=0.2)
    whole = told(analysis(how), [sound])
    assert {line.type for line in whole} >= {"closed", "score", "heartbeat", "cluster"}
    cut = told(analysis(how), chunks(sound, np.random.default_rng(seed), most))
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


def test_the_latency_that_info_prints_is_that_of_the_whole_chain(tmp_path: Path) -> None:
    about = info(saved(tmp_path)).about["latency"]
    listener = make_pipeline(model())
    plan = StreamPlan.of(model(), StreamSettings(), Silent())
    frames = plan.frontend.latency.steady + listener.scorer.latency + listener.detector.latency
    assert about["steady_frames"] == frames
    assert about["steady_seconds"] == pytest.approx(plan.latency)


def test_an_event_closes_within_the_latency_after_its_last_low_window() -> None:
    plan = StreamPlan.of(model(), StreamSettings(), Silent())
    lines = told(analysis(StreamSettings(heartbeat=0)), [with_whistles(8.0, (3.0,))])
    closed = rows(lines, "closed")[0]
    detector = plan.detection.detector  # type: ignore[union-attr]
    slack = detector.half / detector.frame_rate  # low windows reach so far past what made them low
    assert closed.time - closed.body["event"]["end"] <= plan.latency + slack


def test_scores_are_the_means_of_the_scores_of_frames(recording: Path) -> None:
    lines = told(
        analysis(StreamSettings(("scores",), heartbeat=2.0)), [with_whistles(14.0, (3.0, 6.0, 13.4))]
    )
    track = score(model(), Entry(audio_filepath=str(recording), id="a"))
    found = rows(lines, "score")
    expected = [track.scores[i : i + 100].mean() for i in range(0, len(track), 100)]
    np.testing.assert_allclose([line.body["score"] for line in found], expected, rtol=1e-12)
    assert [line.body["start"] for line in found] == [float(i) for i in range(14)]
    beats = [line.body["score"] for line in rows(lines, "heartbeat")]
    np.testing.assert_allclose(beats, [track.scores[i : i + 200].mean() for i in range(0, 1200, 200)])


def test_a_heartbeat_tells_how_far_how_loud_and_how_many(recording: Path) -> None:
    sound = with_whistles(14.0, (3.0, 6.0, 13.4))
    found = rows(told(analysis(StreamSettings(heartbeat=5.0)), [sound]), "heartbeat")
    assert [(line.time, line.body["frames"]) for line in found] == [(5.015, 500), (10.015, 1000)]
    for i, line in enumerate(found):
        part = sound[i * 5 * RATE : (i + 1) * 5 * RATE].astype(np.float64)
        assert line.body["level_db"] == pytest.approx(10 * np.log10(np.mean(part**2)), abs=1e-3)
        assert line.body["hours"] == pytest.approx(5 * (i + 1) / 3600)
    closed = [line.time for line in rows(told(analysis(StreamSettings(heartbeat=0)), [sound]), "closed")]
    assert [line.body["events"] for line in found] == [sum(t <= line.time for t in closed) for line in found]


def test_the_leading_component_is_told_when_it_changes() -> None:
    hiss = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE).astype(np.float32)
    sound = np.concatenate([room(4.0), hiss])
    plan = StreamPlan.of(model(), StreamSettings(("clusters",)), Silent())
    found = rows(
        told(analysis(StreamSettings(("clusters",), heartbeat=0)), [sound.astype(np.float32)]), "cluster"
    )
    stream = plan.frontend.stream(RATE)
    frames = np.concatenate([b.frames for b in stream.push(sound) + stream.flush()])
    posteriors = Evaluator(model().mixture).posteriors(frames)
    assert found[0].body["before"] is None
    for line in found:
        last = round((line.time - 0.025) * 100)
        window = posteriors[last - 49 : last + 1].mean(axis=0)
        assert line.body["component"] == window.argmax()
        assert line.body["posterior"] == pytest.approx(window.max())
        assert line.time - line.body["since"] == pytest.approx(0.515)
    times = [line.time for line in found]
    assert all(later - earlier >= 0.5 - 1e-9 for earlier, later in pairwise(times))


def test_silence_has_no_leading_component() -> None:
    trained = model("speech")
    sound = np.concatenate([room(6.0) * bursts(6.0), np.zeros(6 * RATE, np.float32)])
    found = rows(told(analysis(StreamSettings(("clusters",), heartbeat=0), trained), [sound]), "cluster")
    assert found[-1].body["component"] is None and found[-1].body["posterior"] is None


def test_a_gap_is_told_and_the_stages_start_anew_behind_it() -> None:
    before, behind = with_whistles(5.0, (2.0,)), with_whistles(5.0, (2.0,), seed=5)
    lines = played(
        Opened(0.0, RATE, 1, "RAW PCM_16"),
        Sound(before),
        Gap(5.0, 7.5, "it was not taken in time"),
        Sound(behind),
        Ended("enough"),
    )
    gap = next(line for line in lines if line["type"] == "gap")
    assert (gap["start"], gap["end"], gap["seconds"], gap["time"]) == (5.0, 7.5, 2.5, 7.5)
    closed = [line for line in lines if line["type"] == "closed"]
    first = [line.body for line in rows(told(analysis(StreamSettings(heartbeat=0)), [before]), "closed")]
    second = [line.body for line in rows(told(analysis(StreamSettings(heartbeat=0)), [behind]), "closed")]
    assert [line["event"]["start"] for line in closed] == [
        *(body["event"]["start"] for body in first),
        *(7.5 + body["event"]["start"] for body in second),
    ]
    numbers = [line["number"] for line in lines if line["type"] == "open"]
    assert numbers == list(range(len(numbers)))
    assert lines[-1] == {
        "type": "end",
        "input": "played",
        "time": 12.5,
        "reason": "enough",
        "frames": 996,
        "hours": 996 / 360000,
        "events": len(closed),
        "unheard": 2.5,
    }


def test_an_event_that_a_gap_cuts_off_is_closed_before_it() -> None:
    cut = with_whistles(5.0, (2.0,))[: round(2.5 * RATE)]
    lines = played(Opened(0.0, RATE, 1, ""), Sound(cut), Gap(2.5, 3.0, "late"), Sound(room(1.0)), Ended("."))
    kinds = [line["type"] for line in lines]
    assert kinds.index("open") < kinds.index("closed") < kinds.index("gap")


def test_a_lost_device_is_told_with_what_was_not_heard() -> None:
    lines = played(
        Opened(0.0, RATE, 1, "USB"),
        Sound(room(2.0)),
        Lost(2.0, "the device stopped"),
        Back(12.0, 10.0),
        Opened(12.0, 48000, 2, "USB"),
        Sound(faster(room(2.0), 3)),
        Ended("enough"),
        drops=True,
    )
    lines = [line for line in lines if "event" not in line]
    assert [line["type"] for line in lines] == ["start", "lost", "back", "start", "end"]
    assert lines[2] == {
        "type": "back",
        "input": "played",
        "time": 12.0,
        "start": 2.0,
        "end": 12.0,
        "seconds": 10.0,
    }
    assert lines[3]["sample_rate"] == 48000
    assert (lines[4]["unheard"], lines[4]["time"]) == (10.0, 14.0)


def test_a_stall_is_told_with_the_time_of_the_room() -> None:
    lines = played(
        Opened(0.0, RATE, 1, ""),
        Sound(room(1.0)),
        lambda waiting: waiting.idle(7.25),
        Ended("enough"),
        how=StreamSettings(heartbeat=10.0),
    )
    beat = next(line for line in lines if line["type"] == "heartbeat")
    assert (beat["stalled"], beat["wall"], beat["time"]) == (7.25, "day one, 100 s", 1.0)
    assert beat["frames"] == 96  # two more wait for their deltas


def test_what_was_heard_before_a_failure_is_told(tmp_path: Path) -> None:
    error = AudioDataError("the sample at 4.0 s is NaN")
    with pytest.raises(AudioDataError, match="is NaN"):
        played(Opened(0.0, RATE, 1, ""), Sound(room(2.0)), error)
    good = Played(Opened(0.0, RATE, 1, ""), Sound(room(2.0)), Ended("enough"), name="good")
    bad = Played(Opened(0.0, RATE, 1, ""), Sound(with_whistles(3.0, (2.0,))), error, name="bad")
    lines = played_all([good, bad])
    ended = {line["input"]: line for line in lines if line["type"] == "end"}
    assert ended["good"]["reason"] == "enough" and "error" not in ended["good"]
    assert ended["bad"]["error"] == "the sample at 4.0 s is NaN"
    assert [line["input"] for line in lines if line["type"] == "closed"] == ["bad"]


def test_an_error_that_nobody_foresaw_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        played(Opened(0.0, RATE, 1, ""), ZeroDivisionError())


def test_a_rate_that_is_too_low_is_refused_unless_upsampled() -> None:
    low = [Opened(0.0, 8000, 1, ""), Sound(room(2.0)[::2].copy()), Ended("enough")]
    with pytest.raises(MismatchError, match="played has a sample rate of 8000 Hz; needed: 16000 Hz"):
        played(*low)
    lines = played(*low, how=StreamSettings(heartbeat=0.5, upsample=True))
    beats = [line for line in lines if line["type"] == "heartbeat"]
    assert len(beats) == 3 and lines[-1]["frames"] == 198


def test_a_change_of_rate_begins_a_new_stretch() -> None:
    lines = played(
        Opened(0.0, RATE, 1, ""),
        Sound(room(2.0)),
        Opened(2.0, 32000, 1, ""),
        Sound(faster(with_whistles(4.0, (1.0,)), 2)),
        Ended("enough"),
    )
    starts = [(line["time"], line["sample_rate"]) for line in lines if line["type"] == "start"]
    assert starts == [(0.0, RATE), (2.0, 32000)]
    closed = [line["event"] for line in lines if line["type"] == "closed"]
    assert any(event["start"] < 3.2 and event["end"] > 3.6 for event in closed)


def test_an_hour_of_digital_silence_is_one_event_and_no_failure() -> None:
    """A dead microphone is news where no activity detector says what to listen to."""
    second = np.zeros(60 * RATE, np.float32)
    analyzer = analysis(StreamSettings(heartbeat=600.0))
    lines = told(analyzer, (second for _ in range(60)))
    closed = rows(lines, "closed")
    assert len(closed) == 1 and closed[0].body["event"]["end"] == pytest.approx(3600, abs=1)
    assert [line.body["level_db"] for line in rows(lines, "heartbeat")] == [None] * 5
    assert analyzer.totals["frames"] == 359998


def test_an_hour_of_silence_is_nothing_where_an_activity_detector_listens() -> None:
    trained = model("speech")
    lines = told(analysis(StreamSettings(heartbeat=0), trained), [np.zeros(60 * RATE, np.float32)] * 60)
    assert lines == []


def test_an_uncalibrated_model_can_tell_scores_but_no_events() -> None:
    plain = replace(model().metadata, detector=None)
    bare = replace(model(), metadata=plain, tensors={})
    with pytest.raises(MismatchError, match="no scores of normal audio"):
        analysis(StreamSettings(), bare)
    lines = told(analysis(StreamSettings(("scores",), heartbeat=0), bare), [room(2.0)])
    assert [line.type for line in lines] == ["score", "score"]


def test_a_detector_of_another_front_end_is_refused() -> None:
    metadata = replace(model().metadata, frontend=model().metadata.frontend | {"hop_length": 0.02})
    with pytest.raises(MismatchError, match="50 frames a second; needed: 100"):
        analysis(StreamSettings(), replace(model(), metadata=metadata))


def test_a_model_without_a_front_end_is_refused() -> None:
    with pytest.raises(MismatchError, match="frames of your own"):
        analysis(StreamSettings(), replace(model(), metadata=replace(model().metadata, frontend=None)))


def test_a_front_end_that_needs_the_whole_recording_is_refused() -> None:
    settings = model("speech").metadata.frontend | {"cmvn": "utterance"}
    trained = replace(model("speech"), metadata=replace(model("speech").metadata, frontend=settings))
    analyzer = analysis(StreamSettings(("scores",)), trained)
    with pytest.raises(FrontEndError, match="cmvn = 'utterance'"):
        analyzer.begin(RATE, 0.0)


@pytest.mark.parametrize("text", ["noise", "", "events,,x"])
def test_what_cannot_be_told_is_refused(text: str) -> None:
    with pytest.raises(ChoiceError, match="some of events, clusters, speakers, scores"):
        parse_emit(text)


def test_inputs_are_named_once_and_are_sound(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"audio_filepath": "a.wav"}\n')
    with pytest.raises(ChoiceError, match="- is named twice"):
        StreamInputs(("-", "-")).open(RATE)
    with pytest.raises(ChoiceError, match=r"m.jsonl is not a recording \(jsonl\)"):
        StreamInputs((str(manifest),)).open(RATE)
    with pytest.raises(ChoiceError, match="no input"):
        StreamInputs(()).open(RATE)
    names = [source.name for source, _ in StreamInputs(("-",), ("3", "default", "USB")).open(RATE)]
    assert names == ["-", "device:3", "device", "device:USB"]


def test_a_scorer_that_lags_gives_the_same_in_any_chunking(monkeypatch: Any) -> None:
    """Scores may come later than their frames: nothing but the last of them comes with the flush."""
    plan = StreamPlan.of(model(), StreamSettings(ALL, heartbeat=1.0, score_interval=0.5), Silent())
    assert plan.detection is not None
    lagging = replace(plan.detection, scorer=Lagging(plan.detection.scorer, 37))
    plan = replace(plan, detection=lagging, scorer=lagging.scorer)
    sound = with_whistles(6.0, (3.0,))

    def lines(pieces: Any) -> list[str]:
        heard = told(AnalysisPipeline(plan, InputIdentity("a", "a", None), dict, lambda _: None), pieces)
        return [text_of(line.row("a")) for line in heard if line.type != "cluster"]

    whole = lines([sound])
    assert lines(chunks(sound, np.random.default_rng(0), 3000)) == whole
    plain = told(analysis(StreamSettings(("events", "scores"), heartbeat=1.0, score_interval=0.5)), [sound])
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
