"""What is wrong with a recording is said: the file, the time, what was needed."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decode import open_audio, probe
from audiogmm.audio.decoders.notices import AudioWarning, Notices
from audiogmm.errors import (
    AudioDataError,
    AudioFileError,
    AudioGMMError,
    ChoiceError,
    FeatureError,
    MismatchError,
)
from audiogmm.manifest import Entry

RATE = 16000


def sound(n_samples: int = RATE) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(n_samples) * 0.1).astype(np.float32)


def save(path: Path, samples: np.ndarray, **form: str) -> Path:
    soundfile.write(path, samples, RATE, **form)
    return path


def cut_off(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def refusal(path: Path | str, kind: type[AudioGMMError], full: bool = True, **cut: Any) -> str:
    with pytest.raises(kind) as caught:
        probe(Entry(str(path), id="a", **cut), full=full, warn=Notices())
    assert type(caught.value) is kind
    assert "; needed: " in str(caught.value)
    return str(caught.value)


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))


def test_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.wav", AudioFileError).startswith(f"{tmp_path}/no.wav is missing")
    assert "memory://no.wav is missing" in refusal("memory://no.wav", AudioFileError)
    assert "Protocol not known" in refusal("nowhere://a.wav", AudioFileError)


def test_empty_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert "a.wav is empty: 0 bytes" in refusal(tmp_path / "a.wav", AudioFileError)
    assert "is a folder" in refusal(tmp_path, AudioFileError)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.txt", "a.raw"])
def test_not_audio(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a letter to a friend\n" * 50)
    message = refusal(tmp_path / name, AudioFileError)
    assert f"{name} is not audio that can be read (libsndfile: " in message


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize("full", [True, False])
def test_truncated_wav_names_what_it_holds_and_what_it_promises(
    tmp_path: Path, subtype: str, full: bool
) -> None:
    path = save(tmp_path / "a.wav", sound(), subtype=subtype)
    data = path.read_bytes()
    n_bytes = (len(data) - data.index(b"data") - 8) // RATE
    path.write_bytes(data[: data.index(b"data") + 8 + 4000 * n_bytes])
    message = refusal(path, AudioFileError, full=full)
    assert "is truncated: it holds 0.250 s (4000 samples) of the 1.000 s (16000 samples)" in message


def test_a_single_missing_sample_is_seen(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", sound(), subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-1])
    assert "(15999 samples) of the 1.000 s (16000 samples)" in refusal(path, AudioFileError, full=False)


@pytest.mark.parametrize("container", ["AIFF", "AU", "NIST", "W64", "RF64"])
def test_truncated_others(tmp_path: Path, container: str) -> None:
    path = cut_off(save(tmp_path / "a.x", sound(), format=container, subtype="PCM_16"), 0.6)
    message = refusal(path, AudioFileError, full=False)
    assert "is truncated: it holds 0." in message
    assert "of the 1.000 s (16000 samples) that its header promises" in message


def test_truncated_and_damaged_flac(tmp_path: Path) -> None:
    path = cut_off(save(tmp_path / "a.flac", sound()), 0.6)
    message = refusal(path, AudioFileError)
    assert "a.flac is truncated or damaged: it decodes up to about 0." in message
    assert "promises 1.000 s" in message
    path = save(tmp_path / "b.flac", sound())
    data = bytearray(path.read_bytes())
    data[12000:12100] = bytes(100)
    path.write_bytes(data)
    assert "b.flac is truncated or damaged" in refusal(path, AudioFileError)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_truncated_ogg(tmp_path: Path, subtype: str) -> None:
    path = cut_off(save(tmp_path / "a.ogg", sound(), format="OGG", subtype=subtype), 0.8)
    assert "is truncated: its last page is cut off" in refusal(path, AudioFileError)


def test_lies_of_mp3_headers_are_let_go_with_a_warning(tmp_path: Path) -> None:
    path = cut_off(save(tmp_path / "a.mp3", sound(5 * RATE)), 0.5)
    notices = Notices()
    info = probe(Entry(str(path), id="a"), warn=notices)
    assert info.n_samples is not None
    assert RATE < info.n_samples < 4 * RATE
    assert f"a.mp3 holds {info.n_samples / RATE:.3f} s, and its header says 5.000 s" in notices.messages[0]


def test_truncated_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(tmp_path / "a.wav", sound(), subtype="PCM_16").read_bytes()
    standard_input(monkeypatch, data[: 44 + 2 * 4000])
    assert "standard input is truncated: it holds 0.250 s (4000 samples) of the 1.000 s" in refusal(
        "-", AudioFileError
    )
    standard_input(monkeypatch, data[:30])
    assert "standard input is truncated: it ends after 30 bytes, before its samples" in refusal(
        "-", AudioFileError
    )
    standard_input(monkeypatch, b"")
    assert "standard input is empty, or was read before" in refusal("-", AudioFileError)
    standard_input(monkeypatch, b"a letter")
    assert "standard input is not audio" in refusal("-", AudioFileError)


def test_wav_headers_that_make_no_sense(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"

    def riff(*chunks: bytes) -> None:
        path.write_bytes(b"RIFF\0\0\0\0WAVE" + b"".join(chunks))

    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 0, 8000, 16000, 2, 16)
    riff(b"data\x04\0\0\0abcd")
    assert "its samples come before their format" in refusal(path, AudioFileError)
    riff(form, b"data\x04\0\0\0abcd")
    assert "0 channels, 8000 Hz, 2 bytes a sample" in refusal(path, AudioFileError)
    riff(form.replace(b"\x01\0\0\0\x40", b"\x01\0\x01\0\x40", 1))
    assert "it ends after 36 bytes, before its samples" in refusal(path, AudioFileError)


def test_zero_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.aiff", "a.wav"):
        path = save(tmp_path / name, sound(0))
        assert f"{name} has zero length: a header and no samples" in refusal(path, AudioDataError)
    standard_input(monkeypatch, (tmp_path / "a.wav").read_bytes())
    assert "standard input has zero length" in refusal("-", AudioDataError)


def test_shorter_than_a_frame(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", sound(399))
    message = refusal(path, AudioDataError)
    assert (
        "399 samples (0.0249 s) are shorter than a frame; needed: at least 400 samples (0.025 s)" in message
    )
    assert refusal(path, AudioDataError, full=False) == message
    assert probe(Entry(str(save(path, sound(400))), id="a")).n_samples == 400


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_non_finite_samples_name_file_and_time(
    tmp_path: Path, value: float, word: str, subtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = sound(100_000)
    samples[80_000] = value
    path = save(tmp_path / "a.wav", samples, subtype=subtype)
    assert f"a.wav: the sample at 5.000000 s is {word}" in refusal(path, AudioDataError)
    assert f"a.wav: the sample at 5.000000 s is {word}" in refusal(path, AudioDataError, offset=4.5)
    assert probe(Entry(str(path), id="a", duration=4.9)).n_samples == 100_000  # it is not in this piece
    standard_input(monkeypatch, path.read_bytes())
    assert f"standard input: the sample at 5.000000 s is {word}" in refusal("-", AudioDataError)


def test_non_finite_samples_of_another_channel_do_not_matter(tmp_path: Path) -> None:
    samples = np.stack([sound(), sound()], axis=1)
    samples[100, 1] = np.nan
    path = save(tmp_path / "a.wav", samples, subtype="FLOAT")
    probe(Entry(str(path), id="a", channel=0))
    assert "in channel 1 is NaN" in refusal(path, AudioDataError)


def test_what_cannot_be_sound(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", sound() * np.float32(1e20), subtype="FLOAT")
    assert "not sound; needed: finite samples with full scale at 1.0" in refusal(path, AudioDataError)


def test_offsets_past_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.wav", sound())
    message = refusal(path, AudioDataError, offset=2.0)
    assert "its entry reaches to 2.000 s, and the recording ends at 1.000 s" in message
    assert "reaches to 1.011 s" in refusal(path, AudioDataError, full=False, offset=0.5, duration=0.511)
    probe(Entry(str(path), id="a", offset=0.5, duration=0.509))
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff" * 4
    standard_input(monkeypatch, bytes(data))
    assert "reaches to 1.500 s, and the recording ends at 1.000 s" in refusal(
        "-", AudioDataError, offset=0.5, duration=1.0
    )
    assert "less than one sample" in refusal(path, AudioDataError, duration=1e-6)


def test_channels_and_rates_that_are_not_there(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", sound())
    assert "has 1 channel, so there is no channel 1" in refusal(path, AudioFileError, channel=1)
    assert "has a sample rate of 16000 Hz; needed: 8000 Hz, as its entry says" in refusal(
        path, MismatchError, sample_rate=8000
    )
    assert "has 1 channel; needed: 2, as its entry says" in refusal(
        path, MismatchError, extra={"channels": 2}
    )
    with pytest.raises(ChoiceError, match="blocks of 0 samples"):
        open_audio(Entry(str(path), id="a"), block=0)


def test_clipped_and_silent_recordings_are_delivered_with_a_warning(tmp_path: Path) -> None:
    for subtype in ("PCM_16", "PCM_U8", "PCM_24", "FLOAT", "ULAW"):
        path = save(tmp_path / "loud.wav", (sound() * 20).clip(-1, 1), subtype=subtype)
        with (
            pytest.warns(AudioWarning, match=r"loud\.wav is clipped: \d\d\.\d % of its samples") as caught,
            open_audio(Entry(str(path), id="a"), block=1000) as audio,
        ):
            assert sum(map(len, audio)) == RATE
        assert len(caught) == 1
    path = save(tmp_path / "silent.wav", np.zeros(RATE, np.float32))
    with pytest.warns(AudioWarning, match=r"silent\.wav holds nothing but zeros: 1\.000 s"):
        probe(Entry(str(path), id="a"))


def test_the_clipped_share_does_not_depend_on_blocks(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", (sound() * 20).clip(-1, 1))
    said = []
    for block in (1, 2, 777, 65536):
        notices = Notices()
        with open_audio(Entry(str(path), id="a"), block=block, warn=notices) as audio:
            assert sum(map(len, audio)) == RATE
        said.append(notices.messages)
    assert len(set(said)) == 1


def test_a_few_peaks_at_full_scale_are_no_clipping(tmp_path: Path) -> None:
    samples = sound()
    samples[::100] = 1.0  # one in a hundred, but no three in a row
    probe(Entry(str(save(tmp_path / "a.wav", samples)), id="a"))
    samples = sound()
    samples[:12] = 1.0  # in a row, but fewer than one in a thousand
    probe(Entry(str(save(tmp_path / "a.wav", samples)), id="a"))
    samples[12:16] = 1.0
    notices = Notices()
    probe(Entry(str(save(tmp_path / "a.wav", samples)), id="a"), warn=notices)
    assert "is clipped: 0.1 %" in notices.messages[0]


def test_reads_that_fail_midway_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    path = save(tmp_path / "a.wav", sound(200_000))

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise ConnectionResetError("the line was cut")
            return super().read(size)

    monkeypatch.setenv("AUDIOGMM_PROTOCOLS", "https")
    monkeypatch.setattr(fsspec, "open", lambda *_: SimpleNamespace(open=lambda: Broken(path.read_bytes())))
    message = refusal("https://x/a.wav", AudioFileError)
    assert (
        "https://x/a.wav could not be fetched to its end: ConnectionResetError: the line was cut" in message
    )


def test_matrices_are_probed_too(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((20, 3)))
    info = probe(Entry(None, features_filepath=str(path), id="a"))
    assert (info.channels, info.n_samples) == (3, 20)
    np.save(path, np.full((20, 3), np.nan))
    with pytest.raises(FeatureError, match="row 0"):
        probe(Entry(None, features_filepath=str(path), id="a"))
    with pytest.raises(AudioFileError, match="is a feature matrix; needed: audio"):
        open_audio(Entry(None, features_filepath=str(path), id="a"))


def test_real_recordings_are_whole(data: Path) -> None:
    """No false alarm on any file of several corpora."""
    paths = [*sorted(data.glob("fsdd/*.wav"))[::40], *sorted(data.glob("librispeech_bg/*.flac"))[::20]]
    paths += [*sorted(data.glob("voices/*/*.wav"))[::30], *sorted(data.glob("scenes/*/*/*.wav"))[::15]]
    assert len(paths) > 80
    for path in paths:
        probe(Entry(str(path), id="a"), warn=Notices())
