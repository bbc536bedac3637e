"""The lines of scores, heartbeats and clusters."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.jobs.score import score
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.runs.progress import Silent
from tests.live.rooms import RATE, bursts, model, room, with_whistles
from tests.live.stream.analysis import analysis, lines_of, rows


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "a.wav"
    soundfile.write(path, with_whistles(14.0, (3.0, 6.0, 13.4)), RATE)
    return path


def test_scores_are_the_means_of_the_scores_of_frames(recording: Path) -> None:
    lines = lines_of(
        analysis(StreamSettings(("scores",), heartbeat=2.0)), [with_whistles(14.0, (3.0, 6.0, 13.4))]
    )
    track = score(model(), Entry(audio_filepath=str(recording), id="a"))
    found = rows(lines, "score")
    expected = [track.scores[i : i + 100].mean() for i in range(0, len(track), 100)]
    np.testing.assert_allclose([line.body["score"] for line in found], expected, rtol=1e-12)
    assert [line.body["start"] for line in found] == [float(i) for i in range(14)]
    beats = [line.body["score"] for line in rows(lines, "heartbeat")]
    np.testing.assert_allclose(beats, [track.scores[i : i + 200].mean() for i in range(0, 1200, 200)])


def test_a_heartbeat_has_the_position_the_level_and_the_totals(recording: Path) -> None:
    sound = with_whistles(14.0, (3.0, 6.0, 13.4))
    found = rows(lines_of(analysis(StreamSettings(heartbeat=5.0)), [sound]), "heartbeat")
    assert [(line.time, line.body["frames"]) for line in found] == [(5.015, 500), (10.015, 1000)]
    for i, line in enumerate(found):
        part = sound[i * 5 * RATE : (i + 1) * 5 * RATE].astype(np.float64)
        assert line.body["level_db"] == pytest.approx(10 * np.log10(np.mean(part**2)), abs=1e-3)
        assert line.body["hours"] == pytest.approx(5 * (i + 1) / 3600)
    closed = [line.time for line in rows(lines_of(analysis(StreamSettings(heartbeat=0)), [sound]), "closed")]
    assert [line.body["events"] for line in found] == [sum(t <= line.time for t in closed) for line in found]


def test_a_change_of_the_leading_component_is_reported() -> None:
    hiss = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE).astype(np.float32)
    sound = np.concatenate([room(4.0), hiss])
    plan = StreamPlan.of(model(), StreamSettings(("clusters",)), Silent())
    found = rows(
        lines_of(analysis(StreamSettings(("clusters",), heartbeat=0)), [sound.astype(np.float32)]), "cluster"
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
    found = rows(lines_of(analysis(StreamSettings(("clusters",), heartbeat=0), trained), [sound]), "cluster")
    assert found[-1].body["component"] is None and found[-1].body["posterior"] is None
