"""A wav is heard whole, and a file and a pipe of the same bytes give the same samples."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiogmm.audio.decode import open_audio, probe
from audiogmm.audio.decoders import wave_decoder
from audiogmm.audio.decoders.notices import Notices
from audiogmm.errors import AudioFileError
from audiogmm.manifest import Entry

TONE = np.sin(2 * np.pi * 440 * np.arange(40_000) / 16000) * 0.25
PCM16 = np.round(TONE * 32767).astype("<i2").tobytes()
LOW = np.round(TONE * (2**23 - 1)).astype("<i4")
GUID = bytes.fromhex("000000001000800000aa00389b71")


def form(bits: int, align: int, tag: int = 1, order: str = "<") -> bytes:
    return struct.pack(order + "HHIIHH", tag, 1, 16000, 16000 * align, align, bits)


def extensible(bits: int, align: int, valid: int) -> bytes:
    return form(bits, align, 0xFFFE) + struct.pack("<HHIH", 22, valid, 4, 1) + GUID


def wav(fmt: bytes, data: bytes, size: int | None = None, magic: bytes = b"RIFF", tail: bytes = b"") -> bytes:
    order = ">" if magic == b"RIFX" else "<"
    size = len(data) if size is None else size
    head = b"WAVEfmt " + struct.pack(order + "I", len(fmt)) + fmt + b"data" + struct.pack(order + "I", size)
    return magic + struct.pack(order + "I", 4) + head + data + tail


def both(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, tuple[str, ...]]:
    """Samples and warnings, alike by file and by pipe."""
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
    found = []
    for name in (str(path), "-"):
        notices = Notices()
        with open_audio(Entry(name, id="a"), block=1000, warn=notices) as audio:
            samples = np.concatenate(list(audio))
        said = tuple(text.replace(str(path), "*").replace("standard input", "*") for text in notices.messages)
        found.append((samples, said))
    assert found[0][0].tobytes() == found[1][0].tobytes()
    assert found[0][1] == found[1][1]
    assert probe(Entry(str(path), id="a"), full=False).n_samples == len(found[0][0])
    piece = Entry(str(path), id="a", offset=1.9, duration=0.3)
    with open_audio(piece, warn=Notices()) as audio:
        assert np.concatenate(list(audio)).tobytes() == found[0][0][30400:35200].tobytes()
    return found[0]


HIGH = (LOW << 8).astype("<i4")
LAYOUTS = {
    "24 in 4 at the high end": wav(extensible(24, 4, 24), HIGH.tobytes()),
    "24 valid of 32": wav(extensible(32, 4, 24), HIGH.tobytes()),
    "24 in 4 at the high end, tag 1": wav(form(24, 4), HIGH.tobytes()),
    "arecord -f S24_LE": wav(form(24, 4), LOW.tobytes()),
    "arecord -f S24_LE, sign cut off": wav(form(24, 4), (LOW & 0xFFFFFF).astype("<i4").tobytes()),
    "24 packed": wav(form(24, 3), LOW.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
    "align too wide": wav(form(16, 4), PCM16),
    "align 0": wav(form(16, 0), PCM16),
    "12 in 2": wav(form(12, 2), PCM16),
    "RIFX": wav(form(16, 2, order=">"), np.frombuffer(PCM16, "<i2").byteswap().tobytes(), magic=b"RIFX"),
    "RIFX 24 low": wav(form(24, 4, order=">"), LOW.byteswap().tobytes(), magic=b"RIFX"),
    "BW64": b"BW64\xff\xff\xff\xffWAVEds64"
    + struct.pack("<IQQQI", 28, 80_072, 80_000, 40_000, 0)
    + b"fmt \x10\0\0\0"
    + form(16, 2)
    + b"data\xff\xff\xff\xff"
    + PCM16,
    **{
        f"open end {size:#x}": wav(form(16, 2), PCM16, size)
        for size in (0, 0x7FFFF000, 0x80000000, 0x7FFFFF00, 0xFFFFFFFF)
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_of_every_layout(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, said = both(tmp_path, LAYOUTS[layout], monkeypatch)
    np.testing.assert_allclose(samples, TONE, atol=2 / 32767)
    assert said == ()


def test_24_bits_of_unknown_place_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = (LOW >> 14 << 8).astype(
        "<i4"
    )  # low bytes empty, high bytes the sign alone: either end is possible
    _, said = both(tmp_path, wav(form(24, 4), quiet.tobytes()), monkeypatch)
    assert said == ("* does not show where its 24 bits are in 4 bytes: the low end is taken",)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100\0", ()),
        (b"TAG" + bytes(125), ()),
        (b"\x01\x80" * 300, ("* has 600 bytes behind the end that its header states; they are not read",)),
        (bytes(512), ("* has 512 zeros behind the end that its header states; they are not read",)),
    ],
)
def test_what_follows_the_samples_is_no_sound(
    tmp_path: Path, tail: bytes, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in (PCM16, PCM16 + b"\0"):
        fmt = form(16, 2) if len(data) % 2 == 0 else form(8, 1)
        pad = b"\0" * (len(data) % 2)
        samples, said = both(tmp_path, wav(fmt, data, tail=pad + tail), monkeypatch)
        assert (len(samples), said) == ((40_000 if not pad else 80_001), words)


def test_two_wavs_in_one_file_are_one_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = wav(form(16, 2), PCM16, tail=b"LIST\x04\0\0\0INFO")
    samples, said = both(tmp_path, first + wav(form(16, 2), PCM16), monkeypatch)
    np.testing.assert_allclose(samples, np.r_[TONE, TONE], atol=2 / 32767)
    assert said == ()
    samples, said = both(tmp_path, first + wav(form(8, 1), PCM16), monkeypatch)
    assert len(samples) == 40_000
    assert said == (
        "* is followed by a second wav of another format (PCM_U8, 1 channels, 16000 Hz), which is not read",
    )
    (tmp_path / "a.wav").write_bytes(first + wav(form(16, 2), PCM16)[:-20_000])
    with pytest.raises(AudioFileError, match=r"is truncated: it holds 4\.375 s"):
        probe(Entry(str(tmp_path / "a.wav"), id="a"), full=False)


@pytest.mark.parametrize("size", [0, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("odd", [b"", b"\1"])
def test_two_wavs_of_pipes_are_one_recording(
    tmp_path: Path, size: int, odd: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `(ffmpeg -f wav -; ffmpeg -f wav -) > a.wav` writes them, the first perhaps cut in a sample."""
    part = wav(form(16, 2), PCM16, size)
    samples, said = both(tmp_path, part + odd + part, monkeypatch)
    np.testing.assert_allclose(samples, np.r_[TONE, TONE], atol=2 / 32767)
    assert said == ()


def test_sound_behind_a_stated_end_that_is_too_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a program leaves it that crashed before it wrote its header again."""
    samples, said = both(tmp_path, wav(form(16, 2), PCM16, 2000), monkeypatch)
    np.testing.assert_allclose(samples, TONE, atol=2 / 32767)
    assert said == ("* goes on behind the end that its header states; what follows is read as sound",)


@pytest.mark.parametrize("width", [2, 3])
def test_a_wav_over_4_gib_is_read_to_its_end(tmp_path: Path, width: int) -> None:
    path, sound = tmp_path / "a.wav", PCM16[:30_000]
    size = (1 << 32) // width * width + 30_000
    with path.open("wb") as file:
        file.write(wav(form(8 * width, width), sound, size & 0xFFFFFFFF))
        file.truncate(44 + size)
        file.seek(44 + size - 30_000)
        file.write(sound + b"LIST\x04\0\0\0INFO")
    entry = Entry(str(path), id="a", offset=(size // width - 5000) / 16000)
    assert probe(entry, full=False).n_samples == size // width
    with open_audio(entry, warn=Notices()) as audio:
        samples = np.concatenate(list(audio))
    expected = np.frombuffer(sound[-5000 * width :], np.uint8).reshape(-1, width)[:, -2:]
    np.testing.assert_allclose(samples, expected.copy().view("<i2")[:, 0] / 32768, atol=1 / 32768)


def test_an_open_end_is_searched_once_for_all_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, searches = tmp_path / "a.wav", []
    path.write_bytes(wav(form(16, 2), PCM16, 0xFFFFFFFF))
    find = wave_decoder._Bytes._find_wav

    def counted(self: wave_decoder._Bytes, size: int) -> int | None:
        searches.append(size)
        return find(self, size)

    monkeypatch.setattr(wave_decoder._Bytes, "_find_wav", counted)
    for offset in (0.0, 1.0, 2.0):
        assert probe(Entry(str(path), id="a", offset=offset, duration=0.5)).n_samples == 40_000
    assert searches == [80_000]
