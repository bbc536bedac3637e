"""The lines of speakers: what `identify` says of the same frames, where it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.live.line import Line
from audiogmm.live.outlet import text_of
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.manifest import Entry
from audiogmm.mixture.store import Model
from audiogmm.runs.progress import Silent
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from tests.live.rooms import RATE, model
from tests.live.streams import chunks


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four voices, of whom two are enrolled in `known`."""
    folder = tmp_path_factory.mktemp("voices")
    write_corpus(folder, make_speakers(count=4, train=4, test=1, duration=5.0))
    entries = list(ag.read_manifest(folder / "train.jsonl"))
    ubm = ag.train(entries, ag.FrontEnd.preset("speech"), n_components=8, passes=8, speakers="no")
    ubm.save(folder / "ubm.agmm")
    known = [e for e in entries if e.speaker in ("speaker_0", "speaker_1")]
    ag.enroll(ubm, known, folder / "known")
    return folder


def says(folder: Path, speaker: str) -> np.ndarray:
    """Five seconds of a voice that was not trained on."""
    entry = next(e for e in ag.read_manifest(folder / "test.jsonl") if e.speaker == speaker)
    samples, rate = soundfile.read(entry.path, dtype="float32")
    assert rate == RATE
    return np.asarray(samples)


def lines_of(folder: Path, pieces: Any, trained: Model | None = None, **how: Any) -> list[Line]:
    settings = StreamSettings(("speakers",), heartbeat=0, gallery=folder / "known", **how)
    plan = StreamPlan.of(trained or ag.load(folder / "ubm.agmm"), settings, Silent())
    listening = AnalysisPipeline(plan, InputIdentity("a", "a", None), dict, lambda _: None)
    listening.begin(RATE, 0.0)
    return [line for piece in pieces for line in listening.push(piece)] + listening.flush()


def test_a_change_of_speaker_is_reported(voices: Path) -> None:
    quiet = 1e-5 * np.random.default_rng(0).standard_normal(8 * RATE).astype(np.float32)
    sound = np.concatenate([says(voices, "speaker_0"), quiet, says(voices, "speaker_1")])
    lines = lines_of(voices, [sound], speaker_window=2.0, known=1.0)
    outcomes = [(line.body["heard"], line.body["speaker"]) for line in lines]
    assert outcomes[0] == ("speaker", "speaker_0")
    assert ("nothing", None) in outcomes
    assert outcomes[-1] == ("speaker", "speaker_1")
    assert lines[-1].time > 13.0
    for line in lines:
        assert line.time - line.body["since"] == pytest.approx(2.015)


def test_a_window_is_identified_as_a_recording_of_it_is(voices: Path, tmp_path: Path) -> None:
    sound = says(voices, "speaker_1")
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    gallery = ag.Gallery(voices / "known")
    (expected,) = ag.identify(gallery, [Entry(audio_filepath=str(tmp_path / "a.wav"), id="a")])
    seconds = 4.75  # 475 frames; the recording has 498
    (line,) = lines_of(voices, [sound[: 475 * 160 + 3 * 400]], speaker_window=seconds)
    cut = sound[: 475 * 160 + 240]
    soundfile.write(tmp_path / "b.wav", cut, RATE)
    (expected,) = ag.identify(gallery, [Entry(audio_filepath=str(tmp_path / "b.wav"), id="b")])
    found = {c["speaker"]: c for c in line.body["candidates"]}
    assert line.body["voiced_seconds"] == pytest.approx(expected.voiced_seconds, abs=0.05)
    for candidate in expected.candidates:
        assert found[candidate.speaker]["llr"] == pytest.approx(candidate.llr, rel=0.02, abs=0.05)
    assert line.body["speaker"] == expected.speaker


@pytest.mark.parametrize("most", [100, 4000, 100000])
def test_any_chunking_gives_the_same_lines_of_speakers(voices: Path, most: int) -> None:
    sound = np.concatenate([says(voices, "speaker_0"), says(voices, "speaker_3")])
    whole = lines_of(voices, [sound], speaker_window=1.5)
    cut = lines_of(voices, chunks(sound, np.random.default_rng(most), most), speaker_window=1.5)
    assert whole
    assert [text_of(line.row("a")) for line in cut] == [text_of(line.row("a")) for line in whole]


def test_a_gallery_of_another_front_end_has_frames_of_its_own(voices: Path) -> None:
    sound = np.concatenate([says(voices, "speaker_0"), says(voices, "speaker_1")])
    expected = lines_of(voices, [sound])
    found = lines_of(voices, [sound], model("ambient"))
    assert [text_of(line.row("a")) for line in found] == [text_of(line.row("a")) for line in expected]


def test_speakers_need_a_gallery_and_a_gallery_speakers(voices: Path) -> None:
    with pytest.raises(ChoiceError, match="--gallery DIR"):
        StreamSettings(("speakers",))
    with pytest.raises(ChoiceError, match="--emit with speakers in it"):
        StreamSettings(gallery=voices / "known")
