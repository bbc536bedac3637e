"""A file that was cut is refused, or warned about where it is used; a whole one is neither."""

from __future__ import annotations

import io
from pathlib import Path

import fsspec
import pytest

from audiogmm.audio.decode import probe
from audiogmm.audio.decoders.cut import refuse_cut
from audiogmm.audio.decoders.notices import Notices
from audiogmm.errors import AudioFileError
from audiogmm.manifest import Entry
from tests.audio.decoders.test_ffmpeg import encode, needs_ffmpeg, source

__all__ = ["source"]


def notices_of(path: Path | str) -> tuple[str, ...]:
    notices = Notices()
    probe(Entry(str(path), id="a"), warn=notices)
    return notices.messages


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options", "percent", "said"),
    [
        ("a.caf", [], 60, "it holds 48078 bytes of the 80130 that its header promises"),
        ("a.caf", [], 99, "that its header promises"),
        ("a.avi", ["-c:a", "libmp3lame"], 90, "that its header promises"),
        ("a.flv", ["-c:a", "aac", "-ar", "44100"], 99, "its last tag is cut off"),
        ("a.ts", ["-c:a", "mp2"], 90, "its last packet is cut off"),
    ],
)
def test_a_cut_file_is_refused(source: Path, name: str, options: list[str], percent: int, said: str) -> None:
    path = encode(source, name, *options)
    assert notices_of(path) == ()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * percent // 100])
    with pytest.raises(AudioFileError, match=f"is truncated: .*{said}"):
        probe(Entry(str(path), id="a"), warn=Notices())


@needs_ffmpeg
def test_a_caf_of_a_pipe_has_no_size(source: Path) -> None:
    path = encode(source, "a.caf")
    content = path.read_bytes()
    at = content.index(b"data") + 4
    path.write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])
    assert probe(Entry(str(path), id="a")).n_samples == 40_000


@needs_ffmpeg
def test_padding_behind_a_caf_is_no_cut(source: Path) -> None:
    path = encode(source, "a.caf")
    content = path.read_bytes()
    for padding in (b"\1", bytes(11), bytes(100_000)):
        path.write_bytes(content + padding)
        assert probe(Entry(str(path), id="a"), warn=Notices()).n_samples == 40_000
    reads: list[int] = []

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(self.tell())
            return super().read(size)

    refuse_cut(Counted(path.read_bytes()), path.stat().st_size, "a.caf")
    assert len(reads) < 10  # not one for each 12 bytes


@needs_ffmpeg
@pytest.mark.parametrize(
    ("options", "keep", "said"),
    [
        (["-b:a", "96k"], -50, "that its header promises"),
        (["-q:a", "4", "-write_xing", "0"], -50, "its last frame is cut off"),
        (["-q:a", "4", "-write_xing", "0", "-id3v2_version", "0"], -400, "its last frame is cut off"),
    ],
)
def test_an_mp3_that_was_cut_is_used_with_a_warning(
    source: Path, options: list[str], keep: int, said: str
) -> None:
    path = encode(source, "a.mp3", *options)
    content = path.read_bytes()
    assert notices_of(path) == ()
    path.write_bytes(content + b"TAG" + bytes(125))
    assert notices_of(path) == ()
    path.write_bytes(content[:keep])
    assert said in notices_of(path)[0]
    with fsspec.open("memory://cut.mp3", "wb") as file:
        file.write(content[:keep])
    assert said in notices_of("memory://cut.mp3")[0]


@needs_ffmpeg
def test_a_cut_ogg_on_standard_input_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import SimpleNamespace

    content = encode(source, "a.ogg").read_bytes()[:-20]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(content))))
    with pytest.raises(AudioFileError, match="its last page is cut off"):
        probe(Entry("-", id="a"))
