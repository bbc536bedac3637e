"""What libsndfile cannot read: whole, aligned, and never more than the one file."""

from __future__ import annotations

import io
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decode import open_audio, probe
from audiogmm.audio.decoders import ffmpeg
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


PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile source.wav\nfile {url}\n",
    "m3u8": "#EXTM3U\n#EXTINF:5,\nsource.wav\n#EXTINF:5,\n{url}\n",
    "mpd": "<?xml version='1.0'?><MPD><BaseURL>{url}</BaseURL></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\na=control:{url}\n",
    "xspf": "<?xml version='1.0'?><playlist xmlns='http://xspf.org/ns/0/'><track><location>{url}</location>"
    "</track></playlist>",
    "mp3 with a playlist in it": "ID3\x03\0\0\0\0\0\0#EXTM3U\n#EXTINF:5,\n{url}\n",
    "mp4 with a playlist in it": "\0\0\0\x10ftypM4A \0\0\0\0#EXTM3U\n#EXTINF:5,\n{url}\n",
}


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """What ffmpeg and ffprobe opened since the last call: system calls, as strace writes them."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace: apt install strace")
    log = tmp_path / "log"
    log.mkdir()
    (tmp_path / "bin").mkdir()
    for program in ("ffmpeg", "ffprobe"):
        wrapper = tmp_path / "bin" / program
        wrapper.write_text(
            f"#!/bin/sh\nexec strace -f -qq -e trace=open,openat,socket,connect -o {log}/$$ "
            f'{shutil.which(program)} "$@"\n'
        )
        wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def read() -> str:
        calls = "".join(path.read_text() for path in log.iterdir())
        shutil.rmtree(log)
        log.mkdir()
        return calls

    yield read


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A server that nobody should call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.wav", "a.m4a", "a.mp3"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_playlists_are_not_followed(
    source: Path, name: str, kind: str, opened: Callable[[], str], canary: socket.socket
) -> None:
    path = source.parent / name
    url = f"http://127.0.0.1:{canary.getsockname()[1]}/a.wav"
    path.write_bytes((PLAYLISTS[kind].format(url=url) * 20).encode())
    with pytest.raises(AudioFileError, match="is not audio"):
        probe(Entry(str(path), id="a"))
    calls = opened()
    assert "source.wav" not in calls and "AF_INET" not in calls
    assert (f'"{path}"' in calls) == ("in it" in kind)  # ffmpeg sees only what begins as a container


@needs_ffmpeg
def test_mov_whose_samples_lie_in_another_file_opens_none(source: Path, opened: Callable[[], str]) -> None:
    path = encode(source, "a.mov", "-c:a", "pcm_s16le")
    content = path.read_bytes()
    at = content.index(b"dref") - 4
    old = int.from_bytes(content[at : at + 4], "big")
    alias = bytes(10) + b"\x03abc" + bytes(24) + bytes(12) + b"\x0asource.wav" + bytes(53) + bytes(16)
    alias += struct.pack(">HH", 1, 1) + bytes(16) + struct.pack(">HH", 2, 12) + b"x:source.wav"
    alias += struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    data = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    grown = bytearray(content[:at] + data + content[at + old :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):  # the boxes around it
        place = grown.index(box) - 4
        size = int.from_bytes(grown[place : place + 4], "big") + len(data) - old
        grown[place : place + 4] = size.to_bytes(4, "big")
    path.write_bytes(grown)
    opened()
    with suppress(AudioFileError):
        probe(Entry(str(path), id="a"), warn=Notices())
    calls = opened()
    assert f'"{path}"' in calls and "source.wav" not in calls
    command = ["ffprobe", "-v", "error", "-enable_drefs", "1", str(path)]
    subprocess.run(command, check=False, capture_output=True)  # what we do not ask for would open it
    assert "source.wav" in opened()


@needs_ffmpeg
@pytest.mark.parametrize("program", ["ffprobe", "ffmpeg"])
def test_a_program_that_does_not_answer_is_ended(
    source: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(source, "a.mka")
    folder = source.parent / "bin"
    folder.mkdir()
    (folder / program).write_text("#!/bin/sh\nexec sleep 60\n")
    (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(ffmpeg, "_PATIENCE", 3.0)  # of a loaded machine, too
    with pytest.raises(AudioFileError, match=rf"a\.mka: {program} gave nothing for 3 s, and was ended"):
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
