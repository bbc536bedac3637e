"""Standard input and pipes: wav of all kinds and lengths, raw samples, and all that may be wrong."""

from __future__ import annotations

import os
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiogmm.audio.decoders.wave_tail import cut_at_header
from audiogmm.errors import AudioDataError, AudioFileError
from audiogmm.live.arrival import Ended, Opened
from audiogmm.live.file import File
from audiogmm.live.pcm import Pcm
from audiogmm.live.pipe import Pipe
from audiogmm.live.source import WaitPolicy
from audiogmm.live.stop import Stop
from tests.live.streams import arrivals_of, noise, open_ended, others, set_standard_input, sound_of, wav

SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"]


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes, most: int = 5000, **how: Any) -> list[Any]:
    set_standard_input(monkeypatch, content, most)
    return arrivals_of(Pipe("-", **how))


@pytest.mark.parametrize("format", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_wav_gives_the_samples_of_its_file(
    monkeypatch: Any, tmp_path: Path, format: str, subtype: str
) -> None:
    content = wav(noise(3000, 2), 22050, format, subtype)
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    expected = arrivals_of(File(str(path)))
    found = piped(monkeypatch, content, most=700)
    assert others(found)[0] == Opened(0.0, 22050, 2, f"WAV {subtype}")
    np.testing.assert_array_equal(sound_of(found), sound_of(expected))
    assert others(found)[-1] == Ended("the input ended")


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF - 36])
@pytest.mark.parametrize("most", [1, 3, 4096])
def test_an_unknown_length_goes_to_the_end(monkeypatch: Any, size: int, most: int) -> None:
    samples = noise(2000)
    found = piped(monkeypatch, open_ended(wav(samples), size), most)
    np.testing.assert_array_equal(sound_of(found), samples[:, 0])


def test_channels_are_mixed_down_or_chosen(monkeypatch: Any) -> None:
    samples = noise(500, 3)
    mixed = sound_of(piped(monkeypatch, wav(samples)))
    np.testing.assert_allclose(mixed, samples.mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(sound_of(piped(monkeypatch, wav(samples), channel=2)), samples[:, 2])
    with pytest.raises(AudioFileError, match=r"standard input has 3 channels, so there is no channel 3"):
        piped(monkeypatch, wav(samples), channel=3)


@pytest.mark.parametrize("most", [1, 11, 5000])
@pytest.mark.parametrize("known", [True, False])
def test_a_stream_behind_another_of_the_same_format_goes_on(monkeypatch: Any, known: bool, most: int) -> None:
    parts = [noise(700, seed=1), noise(501, seed=2), noise(33, seed=3)]
    content = b"".join(wav(part) if known else open_ended(wav(part)) for part in parts)
    found = piped(monkeypatch, content, most)
    assert [type(arrival) for arrival in others(found)] == [Opened, Ended]
    np.testing.assert_array_equal(sound_of(found), np.concatenate(parts)[:, 0])


@pytest.mark.parametrize("known", [True, False])
def test_a_change_of_rate_or_channels_is_reported_with_its_time(monkeypatch: Any, known: bool) -> None:
    content = wav(noise(800), 16000) + wav(noise(441), 44100) + wav(noise(300, 2), 44100)
    if not known:
        content = b"".join(
            open_ended(part) for part in (wav(noise(800)), wav(noise(441), 44100), wav(noise(300, 2), 44100))
        )
    found = piped(monkeypatch, content)
    assert others(found)[:3] == [
        Opened(0.0, 16000, 1, "WAV PCM_16"),
        Opened(0.05, 44100, 1, "WAV PCM_16"),
        Opened(0.05 + 0.01, 44100, 2, "WAV PCM_16"),
    ]
    assert len(sound_of(found)) == 1541


def test_chunks_behind_the_samples_are_skipped(monkeypatch: Any) -> None:
    samples, more = noise(101), noise(50)
    odd = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    eight = wav(samples, subtype="PCM_U8")
    assert len(samples) % 2  # so that the samples end with a byte of padding
    found = piped(monkeypatch, eight + odd + odd + wav(more, subtype="PCM_U8") + b"xyz")
    assert len(sound_of(found)) == 151
    assert others(found)[-1].notes == (
        "standard input has 3 bytes behind the end that its header states; they are not read",
    )


@pytest.mark.parametrize(
    ("tail", "n_samples", "said"),
    [
        (b"\x01\x30" * 300, 1000, "has 600 bytes behind the end that its header states; they are not read"),
        (b"TAG" + bytes(125), 1000, None),
        (b"\x01\x30" * 40_000, 41_000, "goes on behind the end that its header states"),
        (b"\x01\x30" * 40_000 + b"LIST\x04\0\0\0INFO", 41_006, "goes on behind the end"),
    ],
)
@pytest.mark.parametrize("odd", [0, 1])
def test_what_follows_the_stated_end_is_what_a_file_makes_of_it(
    monkeypatch: Any, tmp_path: Path, tail: bytes, n_samples: int, said: str | None, odd: int
) -> None:
    """As after a crash, or where a size of 32 bits went round: behind a part of a sample, too."""
    content = bytearray(wav(noise(1000)) + tail)
    content[40:44] = struct.pack("<I", 2000 - odd)
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    expected, found = arrivals_of(File(str(path))), piped(monkeypatch, bytes(content), most=9000)
    np.testing.assert_array_equal(sound_of(found), sound_of(expected))
    if not odd:
        notes = others(found)[-1].notes
        assert len(sound_of(found)) == n_samples
        assert len(notes) == (said is not None)
        assert said is None or said in notes[0]


@pytest.mark.parametrize("left", [1, 2, 3])
def test_an_end_in_mid_sample_names_the_bytes_and_uses_the_rest(monkeypatch: Any, left: int) -> None:
    samples = noise(100, 2)
    content = open_ended(wav(samples)) + b"\x01\x02\x03"[:left]
    found = piped(monkeypatch, content)
    ended = others(found)[-1]
    assert len(sound_of(found)) == 100
    assert isinstance(ended, Ended) and ended.left_over == left
    assert ended.notes == (
        f"standard input ends in the middle of a sample, after {left} of its 4 bytes; all samples before it "
        "were used",
    )


def test_an_end_before_the_stated_length_is_reported(monkeypatch: Any) -> None:
    found = piped(monkeypatch, wav(noise(100))[:-40])
    ended = others(found)[-1]
    assert len(sound_of(found)) == 80
    assert isinstance(ended, Ended) and "after 160 of the 200 bytes" in ended.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "standard input is empty"),
        (b"RIF", "begins with b'RIF'"),
        (b"fLaC" + bytes(100), "is not a wav stream: it begins with b'fLaC"),
        (b"<html><body>not here</body></html>", "begins with b'<html><body>'"),
        (wav(noise(10))[:30], "it ends after 30 bytes, before its samples"),
        (wav(np.zeros((0, 1), np.float32)), "holds no sound"),
        (wav(noise(500), subtype="IMA_ADPCM"), "format 0x0011"),
    ],
)
def test_what_is_not_a_stream_of_sound_is_refused(monkeypatch: Any, content: bytes, said: str) -> None:
    with pytest.raises(AudioFileError, match="standard input") as refused:
        piped(monkeypatch, content)
    assert said in str(refused.value)


def test_a_terminal_is_not_a_stream_of_sound(monkeypatch: Any) -> None:
    set_standard_input(monkeypatch, b"")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    with pytest.raises(AudioFileError, match="standard input is a terminal"):
        arrivals_of(Pipe("-"))


def test_a_sample_that_is_not_a_number_is_refused(monkeypatch: Any) -> None:
    samples = noise(100)
    samples[50] = np.inf
    with pytest.raises(AudioDataError, match=r"the sample at 0.003125 s is infinite"):
        piped(monkeypatch, wav(samples, subtype="FLOAT"))


def test_raw_samples_need_no_header(monkeypatch: Any) -> None:
    values = np.arange(-50, 50, dtype=">i2")
    found = piped(monkeypatch, values.tobytes() + b"\x00", most=7, raw=Pcm.parse("s16be:8000:1"))
    assert others(found)[0] == Opened(0.0, 8000, 1, "RAW PCM_16")
    np.testing.assert_array_equal(sound_of(found), values.astype(np.float32) / 32768)
    assert others(found)[-1].left_over == 1
    with pytest.raises(AudioFileError, match="holds no sound: 1 bytes"):
        piped(monkeypatch, b"\x00", raw=Pcm.parse("s16be:8000:1"))


@given(st.binary(max_size=60), st.integers(0, 40))
def test_a_header_is_found_and_nothing_is_lost_before_it(noise: bytes, cut: int) -> None:
    header = b"RIFF\x00\x01\x02\x03WAVE"
    data = noise + header + b"fmt "
    sound, rest, there = cut_at_header(data)
    assert (sound, rest, there) == (noise, header + b"fmt ", True)
    first = data[: min(cut, len(noise) + 11)]  # the header may arrive in two pieces
    sound, rest, there = cut_at_header(first)
    assert not there and sound + rest == first and len(rest) <= 11
    again, rest, there = cut_at_header(rest + data[len(first) :])
    assert (sound + again, there) == (noise, True)


def test_a_named_pipe_waits_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    samples = noise(30000)
    writer = threading.Thread(target=lambda: path.write_bytes(wav(samples)))
    stop, began = Stop(), threading.Event()

    def idle(_: float) -> None:
        if not began.is_set():
            began.set()
            writer.start()

    found = list(Pipe(str(path)).arrivals(WaitPolicy(stop, idle, 0.001)))
    writer.join()
    stop.close()
    assert began.is_set()
    np.testing.assert_array_equal(sound_of(found), samples[:, 0])


def test_a_stop_ends_a_pipe_that_waits(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    stop = Stop()
    with open(path, "r+b", buffering=0) as writer:  # noqa: PTH123 - opened for both, so that it does not wait
        writer.write(open_ended(wav(noise(100))))
        arrivals = Pipe(str(path)).arrivals(WaitPolicy(stop, lambda _: stop.set("enough"), 0.001))
        found = list(arrivals)
    stop.close()
    assert len(sound_of(found)) == 100
    assert others(found)[-1] == Ended("enough")


def test_a_pipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be opened: No such file"):
        arrivals_of(Pipe(str(tmp_path / "none")))


def test_a_file_that_is_cut_short_is_used_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(noise(100))[:-40])
    found = arrivals_of(File(str(path)))
    assert len(sound_of(found)) == 80
    assert others(found)[-1].reason.startswith("the input ended after 80 of the 100 samples")
