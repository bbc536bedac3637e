"""`ag.stream` and `ag.learn`: what the commands do, from Python, whatever the sound comes as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import AudioDataError, ChoiceError, TrainingError
from audiogmm.jobs.stream import stream_to
from audiogmm.live.stream.sources import StreamInputs
from tests.live.rooms import RATE, model, room, saved, with_whistles
from tests.live.streams import chunks

SOUND = with_whistles(14.0, (3.0, 6.0, 13.4))
LEARNING = {"frontend": ag.FrontEnd.preset("ambient"), "n_components": 2, "cold_start": 2.0}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "a.wav"
    soundfile.write(path, SOUND, RATE, subtype="FLOAT")
    return path


def test_the_events_of_detect_from_every_source(path: Path) -> None:
    entry = ag.Entry(audio_filepath=str(path), id="a")
    expected = ag.detect(model(), entry)
    assert len(expected) >= 3
    assert list(ag.stream(model(), path)) == expected
    assert list(ag.stream(model(), entry)) == expected
    cut = chunks(SOUND, np.random.default_rng(1), 5000)
    spans = [(event.start, event.end, event.peak, event.reasons) for event in expected]
    for source, rate in ((SOUND, RATE), ((SOUND, RATE), None), (iter(cut), RATE)):
        found = ag.stream(model(), source, sample_rate=rate)
        assert [(event.start, event.end, event.peak, event.reasons) for event in found] == spans


def test_an_entry_keeps_its_clock(path: Path) -> None:
    piece = ag.Entry(audio_filepath=str(path), id="a", offset=5.0, duration=4.0)
    assert list(ag.stream(model(), piece)) == ag.detect(model(), piece)


def test_the_lines_of_the_command(path: Path, tmp_path: Path) -> None:
    from audiogmm.live.stream.settings import StreamSettings, parse_emit

    texts: list[str] = []
    settings = StreamSettings(parse_emit("all"), heartbeat=2.0)
    stream_to(saved(tmp_path), StreamInputs((str(path),)), texts.append, settings=settings)
    lines = [json.loads(line) for line in "".join(texts).splitlines()]
    assert list(ag.stream(saved(tmp_path), path, emit="all", heartbeat=2.0)) == lines
    some = list(ag.stream(model(), path, emit=["scores"], heartbeat=0))
    assert {line["type"] for line in some} == {"start", "score", "end"}


def test_an_event_comes_before_the_next_chunk_is_asked_for() -> None:
    asked = []

    def live() -> Any:
        for first in range(0, len(SOUND), 1600):
            asked.append(first / RATE)
            yield SOUND[first : first + 1600]

    found = ag.stream(model(), live(), sample_rate=RATE)
    first = next(found)
    assert first.end < asked[-1] < first.end + 3.0
    found.close()
    assert asked[-1] < 13.0


def test_what_goes_wrong_is_raised_after_what_was_found() -> None:
    def broken() -> Any:
        yield SOUND[: 8 * RATE]
        yield np.array([np.nan], np.float32)

    found = ag.stream(model(), broken(), sample_rate=RATE)
    assert [round(next(found).start) for _ in range(2)] == [3, 6]
    with pytest.raises(AudioDataError, match=r"samples: the sample at 8.000000 s is NaN"):
        list(found)

    def faulty() -> Any:
        yield SOUND[:RATE]
        raise ZeroDivisionError("of the caller")

    with pytest.raises(ZeroDivisionError, match="of the caller"):
        list(ag.stream(model(), faulty(), sample_rate=RATE))


def test_sources_that_cannot_be_are_refused_at_once() -> None:
    with pytest.raises(ChoiceError, match="no source; needed: a path, samples"):
        ag.stream(model())
    with pytest.raises(ChoiceError, match="a source and a device"):
        ag.stream(model(), SOUND, device="default")
    with pytest.raises(ChoiceError, match=r"samples without a sample rate.*sample_rate=16000"):
        ag.stream(model(), SOUND)
    with pytest.raises(ChoiceError, match="'even'"):
        ag.stream(model(), SOUND, sample_rate=RATE, emit="even")
    with pytest.raises(TypeError, match="did you mean 'quantile'"):
        ag.stream(model(), SOUND, sample_rate=RATE, quantil=0.1)
    with pytest.raises(ag.AudioGMMError, match=r"nowhere\.wav"):
        list(ag.stream(model(), "nowhere.wav"))


def test_a_model_learned_in_any_chunks_is_the_same(tmp_path: Path) -> None:
    sound = room(6.0)
    whole = ag.learn((sound, RATE), **LEARNING)
    assert whole.metadata.sample_rate == RATE
    cut = ag.learn(iter(chunks(sound, np.random.default_rng(2), 3000)), sample_rate=RATE, **LEARNING)
    assert cut.fingerprint == whole.fingerprint
    kept = ag.learn(sound, tmp_path / "a.agmm", sample_rate=RATE, **LEARNING)
    assert ag.load(tmp_path / "a.agmm").fingerprint == kept.fingerprint == whole.fingerprint
    assert ag.detect(whole, ag.Entry(audio_filepath=str(_write(tmp_path, sound)), id="b")) is not None
    with pytest.raises(ag.AudioGMMError, match=r"a.agmm exists already"):
        ag.learn(sound, tmp_path / "a.agmm", sample_rate=RATE)
    with pytest.raises(TrainingError, match="voiced frames"):
        ag.learn(np.zeros(800, np.float32), sample_rate=RATE)


def _write(folder: Path, sound: np.ndarray) -> Path:
    path = folder / "b.wav"
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    return path
