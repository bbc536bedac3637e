"""From entries to frames: rates, cuts, two passes, matrices, and what is refused."""

from __future__ import annotations

import dataclasses
import pickle
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decoders.notices import Notices
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError, ChoiceError, FrontEndError, MismatchError
from audiogmm.manifest import Entry

KALDI = FrontEnd.preset("kaldi")


def sound(seconds: float, rate: int) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(round(seconds * rate)) * 0.1).astype(np.float32)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(3.0, 16000), 16000)
    return path


def frames_of(recording: Recording) -> np.ndarray:
    return np.concatenate([block.frames for block in recording])


def test_frames_are_the_front_ends_own(wav: Path) -> None:
    recording = Recording(Entry(str(wav), id="a"), KALDI)
    samples = soundfile.read(wav, dtype="float32")[0]
    assert isinstance(recording, Shard)
    assert frames_of(recording).tobytes() == KALDI(samples, 16000).tobytes()
    assert frames_of(recording).tobytes() == frames_of(recording).tobytes()  # re-iterable


def test_a_cut_keeps_the_recordings_clock(wav: Path) -> None:
    blocks = list(Recording(Entry(str(wav), id="a", offset=1.0, duration=0.5), KALDI))
    assert sum(len(block) for block in blocks) == 48
    assert blocks[0].times[0] == 1.0125
    samples = soundfile.read(wav, dtype="float32", start=16000, frames=8000)[0]
    assert np.concatenate([block.frames for block in blocks]).tobytes() == KALDI(samples, 16000).tobytes()


def test_higher_rates_are_resampled_down_and_that_is_said_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.wav" for name in "ab"]
    for path in paths:
        soundfile.write(path, sound(1.0, 44100), 44100)
    notices = Notices()
    entries = [Entry(str(path), id=path.stem) for path in paths]
    chosen = [Recording(entry, KALDI, sample_rate=16000, warn=notices) for entry in entries]
    assert [sum(map(len, recording)) for recording in chosen] == [98, 98]
    assert notices.messages == ("audio at 44100 Hz is resampled to 16000 Hz",)


def test_lower_rates_are_refused_unless_upsampled(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(1.0, 8000), 8000)
    entry = Entry(str(path), id="a")
    with pytest.raises(MismatchError, match=r"a\.wav has a sample rate of 8000 Hz; needed: 16000 Hz or more"):
        list(Recording(entry, KALDI, sample_rate=16000))
    notices = Notices()
    blocks = list(Recording(entry, KALDI, sample_rate=16000, upsample=True, warn=notices))
    assert sum(map(len, blocks)) == 98
    assert blocks[0].clock.sample_rate == 16000
    assert notices.messages == ("audio at 8000 Hz is resampled to 16000 Hz: it has nothing above 4000 Hz",)


def test_two_sample_rates_are_refused(wav: Path) -> None:
    frontend = FrontEnd.preset("kaldi", sample_rate=8000)
    with pytest.raises(ChoiceError, match="16000 Hz, and a front end at 8000 Hz"):
        list(Recording(Entry(str(wav), id="a"), frontend, sample_rate=16000))


def test_utterance_normalisation_reads_twice(wav: Path) -> None:
    frames = frames_of(Recording(Entry(str(wav), id="a"), FrontEnd.preset("kaldi", cmvn="utterance")))
    assert np.abs(frames.mean(axis=0)).max() < 1e-3
    plain = frames_of(Recording(Entry(str(wav), id="a"), KALDI))
    np.testing.assert_allclose(frames, plain - plain.mean(axis=0, dtype=np.float64), atol=1e-3)


def test_utterance_normalisation_of_standard_input_is_refused(
    wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(wav.read_bytes())))
    with pytest.raises(FrontEndError, match="standard input; needed: a recording that can be read twice"):
        list(Recording(Entry("-", id="stdin"), FrontEnd.preset("kaldi", cmvn="utterance")))


def test_global_normalisation_needs_its_statistics(wav: Path) -> None:
    entry = Entry(str(wav), id="a")
    bare = dataclasses.replace(KALDI, cmvn="global")
    with pytest.raises(FrontEndError, match="no statistics"):
        list(Recording(entry, bare))
    ready = bare.with_global([1.0] * 13, [2.0] * 13)
    np.testing.assert_array_equal(
        frames_of(Recording(entry, ready)), ready(soundfile.read(wav, dtype="float32")[0], 16000)
    )


def test_shorter_than_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(0.02, 16000), 16000)
    with pytest.raises(
        AudioDataError, match=r"a\.wav is shorter than a frame; needed: at least 0\.025 seconds"
    ):
        list(Recording(Entry(str(path), id="a"), KALDI))


def test_rows_are_frames_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    matrix = np.random.default_rng(0).standard_normal((100, 4)).astype(np.float32)
    np.save(path, matrix)
    timed = Entry(None, features_filepath=str(path), id="a", frame_rate=50.0, offset=0.5, duration=1.0)
    (block,) = Recording(timed)
    np.testing.assert_array_equal(block.frames, matrix[25:75])
    assert block.voiced.all()
    assert block.times[0] == pytest.approx(0.51)
    (block,) = Recording(Entry(None, features_filepath=str(path), id="a"))
    assert block.clock.start(7) == 7.0


def test_audio_without_a_front_end(wav: Path) -> None:
    with pytest.raises(FrontEndError, match=r"a\.wav is audio, and there is no front end"):
        list(Recording(Entry(str(wav), id="a")))


def test_recordings_travel_to_workers(wav: Path) -> None:
    original = Recording(Entry(str(wav), id="a"), KALDI, sample_rate=8000, warn=Notices())
    copy = pickle.loads(pickle.dumps(original))
    assert copy == original
    assert frames_of(copy).tobytes() == frames_of(original).tobytes()
