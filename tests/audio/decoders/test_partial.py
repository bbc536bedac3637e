"""MP3 of unknown length and chained Ogg are heard whole, or a warning says that they are not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import soundfile

from audiogmm.audio.decode import probe
from audiogmm.audio.decoders import partial
from audiogmm.audio.decoders.notices import Notices
from audiogmm.manifest import Entry
from tests.audio.decoders.test_ffmpeg import encode, needs_ffmpeg, source

__all__ = ["source"]


def length(path: Path) -> int | None:
    return probe(Entry(str(path), id="a"), warn=Notices()).n_samples


@pytest.mark.parametrize("kind", ["mp3", "ogg", "opus"])
@needs_ffmpeg
def test_two_recordings_in_one_file(source: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode(source, f"a.{kind}", "-b:a", "96k")
    once = length(path)
    assert once is not None
    path.write_bytes(path.read_bytes() * 4)
    whole = length(path)
    assert whole is not None
    assert abs(whole / once - 4) < 0.2  # with the padding of each MP3
    monkeypatch.setenv("PATH", "/nonexistent")
    notices = Notices()
    probe(Entry(str(path), id="a"), warn=notices)
    assert "some of it may be missing; install ffmpeg to hear it all" in notices.messages[0]


@needs_ffmpeg
def test_mp3_of_variable_rate_without_its_length(source: Path) -> None:
    sweep = ["-f", "lavfi", "-i", "sine=frequency=1000:duration=5:sample_rate=16000"]
    options = [*sweep, "-filter_complex", "concat=n=2:v=0:a=1", "-q:a", "4", "-write_xing", "0"]
    path = encode(source, "a.mp3", *options)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-"]
    theirs = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    assert length(path) == len(theirs) // 2 > 110_000


@needs_ffmpeg
def test_chained_ogg_by_url_is_whole(source: Path) -> None:
    content = encode(source, "a.ogg").read_bytes() * 2
    path = source.parent / "two.ogg"
    path.write_bytes(content)
    with fsspec.open("memory://two.ogg", "wb") as file:
        file.write(content)
    urls = ("memory://two.ogg", path.as_uri())
    assert [probe(Entry(url, id="a")).n_samples for url in urls] == [length(path)] * 2


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.flac", []),
        ("a.m4a", ["-c:a", "alac"]),
        ("a.aiff", []),
        ("a.caf", []),
        ("a.w64", []),
        ("a.wav", ["-c:a", "adpcm_ima_wav"]),
        ("a.flv", ["-ar", "44100", "-c:a", "aac"]),
    ],
)
def test_a_second_recording_that_is_not_read_is_named(source: Path, name: str, options: list[str]) -> None:
    path = encode(source, name, *options)
    notices = Notices()
    probe(Entry(str(path), id="a"), warn=notices)
    assert notices.messages == ()
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() * 2)
    probe(Entry(str(path), id="a"), warn=notices)
    assert f"holds a second recording from byte {size} on" in notices.messages[0]


def test_a_second_recording_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).normal(size=8000) / 9, 8000)
    passes: list[int] = []
    search = re.search

    def counted(*args: Any) -> Any:
        passes.append(len(args[1]))
        return search(*args)

    monkeypatch.setattr(partial.re, "search", counted)
    for _ in range(3):
        assert partial.second_note(str(path)) == ()
    assert len(passes) == 1
    path.write_bytes(path.read_bytes() * 2)  # another file by now
    notes = [partial.second_note(str(path)) for _ in range(2)]
    assert notes[0] == notes[1] and "holds a second recording from byte" in notes[0][0]
    assert len(passes) == 2


@needs_ffmpeg
def test_a_short_mp3_behind_another_is_heard(source: Path) -> None:
    path = encode(source, "a.mp3", "-b:a", "32k")
    once = length(path)
    assert once is not None and path.stat().st_size < 1 << 16
    path.write_bytes(path.read_bytes() * 2)
    assert (length(path) or 0) >= 2 * once


@needs_ffmpeg
def test_mp3_in_a_wav_is_whole(source: Path) -> None:
    path = encode(source, "a.wav", "-c:a", "libmp3lame")
    assert (length(path) or 0) >= 40_000
