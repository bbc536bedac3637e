"""What libsndfile cannot read: whole, aligned, and never more than the one file."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decode import open_audio, probe
from audiogmm.audio.decoders.notices import Notices
from audiogmm.errors import AudioFileError
from audiogmm.manifest import Entry

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt install ffmpeg")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    samples = np.convolve(rng.normal(0, 0.5, 40_000), np.hanning(9) / 4, "same").clip(-0.9, 0.9)
    soundfile.write(tmp_path / "source.wav", samples, 16000, subtype="PCM_16")
    return tmp_path / "source.wav"


def encode(source: Path, name: str, *options: str) -> Path:
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(source.parent / name)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return source.parent / name


def decoded(path: Path | str) -> np.ndarray:
    with open_audio(Entry(str(path), id="a"), block=3000, warn=Notices()) as audio:
        return np.concatenate(list(audio))


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options", "extra"),
    [
        ("a.m4a", ["-c:a", "alac"], 0),
        ("a.mka", ["-c:a", "flac"], 0),
        ("a.oga", ["-c:a", "flac", "-f", "ogg"], 0),
        ("a.wv", [], 0),
        ("a.tta", [], 0),
        ("a.m4a", ["-c:a", "aac", "-b:a", "128k"], 0),
        ("a.mov", ["-c:a", "aac", "-b:a", "128k"], 0),
        ("a.mka", ["-c:a", "ac3", "-ar", "48000"], None),
    ],
)
def test_samples_are_the_sources(source: Path, name: str, options: list[str], extra: int | None) -> None:
    path = encode(source, name, "-metadata", "description=audio: field notes", *options)
    ours, theirs = decoded(path), soundfile.read(source)[0]
    if extra is None:
        assert abs(len(ours) / 48000 - 2.5) < 0.05
        return
    assert len(ours) == len(theirs)
    if "aac" in options:
        assert np.corrcoef(ours, theirs)[0, 1] > 0.95  # aligned to the sample
    else:
        np.testing.assert_array_equal(ours, theirs.astype(np.float32))


@needs_ffmpeg
def test_pieces_and_pipes_are_the_whole_files(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(source, "a.m4a", "-c:a", "alac")
    whole = decoded(path)
    with open_audio(Entry(str(path), id="a", offset=0.5, duration=0.25), warn=Notices()) as audio:
        assert np.concatenate(list(audio)).tobytes() == whole[8000:12000].tobytes()
    monkeypatch.setattr(
        sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(path.read_bytes())))
    )
    assert decoded("-").tobytes() == whole.tobytes()
    import fsspec

    with fsspec.open("memory://a.m4a", "wb") as file:
        file.write(path.read_bytes())
    assert decoded("memory://a.m4a").tobytes() == whole.tobytes()


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [("a.m4a", ["-movflags", "+faststart"]), ("b.m4a", []), ("a.webm", []), ("a.aac", []), ("a.wma", [])],
)
def test_truncated_files_are_refused(source: Path, name: str, options: list[str]) -> None:
    path = encode(source, name, *options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(AudioFileError, match=r"truncated|ffmpeg says"):
        probe(Entry(str(path), id="a"), warn=Notices())


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.wav", "a.m4a", "a.mp3"])
@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile source.wav\n",
        "#EXTM3U\n#EXTINF:5,\nsource.wav\n",
        "<?xml version='1.0'?><MPD/>",
    ],
)
def test_playlists_are_not_followed(source: Path, name: str, content: str) -> None:
    path = source.parent / name
    path.write_text(content * 20)
    with pytest.raises(AudioFileError, match="is not audio"):
        probe(Entry(str(path), id="a"))


@needs_ffmpeg
def test_closing_early_ends_ffmpeg(source: Path) -> None:
    path = encode(source, "a.mka", "-c:a", "flac")
    with open_audio(Entry(str(path), id="a"), block=10, warn=Notices()) as audio:
        next(iter(audio))
        process = audio._decoder._process  # type: ignore[attr-defined]
    assert process.returncode is not None


def test_without_ffmpeg_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x1cftypM4A " + bytes(300) + b"mp4a")
    with pytest.raises(AudioFileError, match=r"is AAC in MPEG-4, which needs ffmpeg.*try: install ffmpeg"):
        probe(Entry(str(path), id="a"))
    path.write_bytes(b"data")
    with pytest.raises(AudioFileError, match="is not audio"):
        probe(Entry(str(path), id="a"))
