"""Every format gives libsndfile's samples, in any blocks, from files, pipes and URLs."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.decode import open_audio, probe
from audiogmm.audio.decoders import source, wave_decoder
from audiogmm.audio.decoders.wave import read_header
from audiogmm.audio.decoders.wave_decoder import WaveDecoder
from audiogmm.errors import AudioFileError
from audiogmm.kernels.front_end.pcm import clipped, mix
from audiogmm.manifest import Entry
from tests.naive import pcm as naive

WAV = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"]
OTHERS = [
    ("WAVEX", "PCM_16"),
    ("WAVEX", "PCM_24"),
    ("WAVEX", "FLOAT"),
    ("RF64", "PCM_16"),
    ("WAV", "IMA_ADPCM"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("AIFF", "PCM_16"),
    ("AU", "ULAW"),
    ("CAF", "PCM_16"),
    ("W64", "PCM_16"),
    ("NIST", "PCM_16"),
]
FORMATS = [("WAV", subtype) for subtype in WAV] + OTHERS


def sound(n_samples: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(n_samples).uniform(-0.5, 0.5, (n_samples, channels)).astype(np.float32)


def save(folder: Path, container: str, subtype: str, n_samples: int = 9000, channels: int = 1) -> Path:
    path = folder / f"{container}-{subtype}.{container.lower()}"
    soundfile.write(path, sound(n_samples, channels), 16000, format=container, subtype=subtype)
    return path


def decoded(path: Path | str, block: int = 65536, **cut: Any) -> np.ndarray:
    with open_audio(Entry(str(path), id="a", **cut), block=block, warn=unheard) as audio:
        pieces = list(audio)
    assert all(piece.dtype == np.float32 and 0 < len(piece) <= block for piece in pieces)
    return np.concatenate(pieces)


def unheard(message: str) -> None:
    raise AssertionError(f"a warning: {message}")


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))


def flowing(path: Path, size: int = 0xFFFFFFFF) -> bytes:
    """A wav file as a program writes it that cannot go back to its header."""
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", size)
    data[4:8] = struct.pack("<I", size)
    return bytes(data)


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_samples_are_libsndfiles_in_any_blocks(tmp_path: Path, container: str, subtype: str) -> None:
    path = save(tmp_path, container, subtype)
    whole = soundfile.read(path, dtype="float32")[0]
    ours = decoded(path)
    assert decoded(path, block=777).tobytes() == ours.tobytes()
    if container == "MP3":  # soundfile.read seeks first, and an MP3 decoder remembers
        np.testing.assert_allclose(ours, whole, atol=1e-6)
    else:
        assert ours.tobytes() == whole.tobytes()
    info = probe(Entry(str(path), id="a"))
    assert (info.sample_rate, info.channels, info.n_samples) == (16000, 1, len(whole))


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_standard_input_gives_what_the_file_gives(
    tmp_path: Path, container: str, subtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, container, subtype, channels=1 if subtype == "IMA_ADPCM" else 2)
    standard_input(monkeypatch, path.read_bytes())
    assert decoded("-").tobytes() == decoded(path).tobytes()


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFDB])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "ULAW"])
def test_headers_without_a_length(
    tmp_path: Path, subtype: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, "WAV", subtype)
    whole = decoded(path)
    data = flowing(path, size)
    standard_input(monkeypatch, data)
    assert decoded("-").tobytes() == whole.tobytes()
    path.write_bytes(data)
    assert decoded(path).tobytes() == whole.tobytes()
    assert decoded(path, offset=0.25, duration=0.125).tobytes() == whole[4000:6000].tobytes()


def test_a_pipe_of_another_process(tmp_path: Path) -> None:
    """Through a real pipe, whose reads return what is there."""
    path = save(tmp_path, "WAV", "PCM_16", channels=2)
    script = (
        "import hashlib\n"
        "from audiogmm.audio.decode import open_audio\n"
        "from audiogmm.manifest import Entry\n"
        "with open_audio(Entry('-', id='a')) as audio:\n"
        "    print(hashlib.sha256(b''.join(piece.tobytes() for piece in audio)).hexdigest())"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    data = flowing(path)
    for start in range(0, len(data), 1001):
        process.stdin.write(data[start : start + 1001])
        process.stdin.flush()
    answer, _ = process.communicate()
    assert answer.decode().strip() == hashlib.sha256(decoded(path).tobytes()).hexdigest()


class Trickle(io.RawIOBase):
    """Gives as few bytes as it likes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = data, sizes

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._sizes.pop() if self._sizes else size)
        data, self._data = self._data[:size], self._data[size:]
        return data


@pytest.mark.parametrize("subtype", WAV)
@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 50), max_size=60), block=st.integers(1, 300), channels=st.integers(1, 3))
def test_pipes_leave_no_trace_of_their_chunks(
    tmp_path_factory: pytest.TempPathFactory, subtype: str, sizes: list[int], block: int, channels: int
) -> None:
    file = io.BytesIO()
    soundfile.write(file, sound(400, channels), 8000, format="WAV", subtype=subtype)
    whole = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32", always_2d=True)[0]
    stream = Trickle(file.getvalue(), sizes)
    header = read_header(stream, "a.wav")
    assert header is not None
    assert (header.subtype, header.n_samples, header.sample_rate) == (subtype, 400, 8000)
    reader = WaveDecoder(stream, header, None, ExitStack())
    pieces = []
    while len(piece := reader.read(block)):
        assert len(piece) <= block
        pieces.append(piece * np.float32(2.0**-15) if piece.dtype == np.int16 else piece)
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_g711_is_the_standards() -> None:
    codes = np.arange(256, dtype=np.uint8).tobytes()
    for tag, twin in ((6, naive.alaw), (7, naive.mulaw)):
        header = (
            b"RIFF\0\0\0\0WAVEfmt "
            + struct.pack("<IHHIIHH", 16, tag, 1, 8000, 8000, 1, 8)
            + b"data\xff\xff\xff\xff"
        )
        stream = io.BytesIO(header + codes)
        found = read_header(stream, "a.wav")
        assert found is not None
        decoder = WaveDecoder(stream, found, None, ExitStack())
        assert decoder.read(256)[:, 0].tolist() == [twin(code) for code in range(256)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 1000), st.booleans())
def test_kernels_against_loops(n_samples: int, channels: int, seed: int, integers: bool) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-1.6, 1.6, (n_samples, channels)).clip(-1, 1).astype(np.float32)
    scale, ceiling = 1.0, 1.0
    if integers:
        samples, scale, ceiling = (samples * 32767).astype(np.int16), 2.0**-15, 32767.0
    mono = np.empty(n_samples, np.float32)
    mix(samples, 0, channels, np.float32(scale), mono)
    assert mono.tolist() == naive.mix(samples, scale)
    for cut in (0, n_samples // 2, n_samples):
        runs = np.zeros(channels, np.int64)
        found = sum(clipped(part, 0, channels, ceiling, runs) for part in np.split(samples, [cut]))
        assert found == naive.clipped(samples, ceiling)


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_24"), ("WAV", "FLOAT")])
def test_channels(tmp_path: Path, container: str, subtype: str) -> None:
    path = save(tmp_path, container, subtype, channels=3)
    whole = soundfile.read(path, dtype="float32")[0]
    for channel in range(3):
        assert decoded(path, channel=channel).tobytes() == whole[:, channel].tobytes()
    total = (whole[:, 0] + whole[:, 1] + whole[:, 2]) / np.float32(3)
    assert decoded(path, block=1000).tobytes() == total.tobytes()


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
)
def test_cuts(tmp_path: Path, container: str, subtype: str) -> None:
    path = save(tmp_path, container, subtype, n_samples=40_000)
    whole = decoded(path)
    assert decoded(path, offset=1.0, duration=0.5).tobytes() == whole[16000:24000].tobytes()
    assert decoded(path, offset=2.4).tobytes() == whole[38400:].tobytes()
    assert len(decoded(path, offset=2.0, duration=0.509)) == 8000  # 9 ms past the end are clipped


def test_a_cut_of_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "WAV", "PCM_16", n_samples=40_000)
    standard_input(monkeypatch, flowing(path))
    assert decoded("-", offset=1.0, duration=0.5).tobytes() == decoded(path)[16000:24000].tobytes()


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")])
def test_urls(tmp_path: Path, container: str, subtype: str) -> None:
    import fsspec

    path = save(tmp_path, container, subtype)
    url = f"memory://{container}.{subtype}"
    with fsspec.open(url, "wb") as file:
        file.write(path.read_bytes())
    assert decoded(url, offset=0.1, block=500).tobytes() == decoded(path, offset=0.1).tobytes()
    assert decoded(f"file://{path}").tobytes() == decoded(path).tobytes()


def test_long_files_are_sought_not_read_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "FLAC", "PCM_16", n_samples=200_000)
    reads: list[int] = []
    original = soundfile.SoundFile.read

    def counting(self: Any, *args: Any, **kwargs: Any) -> Any:
        out = original(self, *args, **kwargs)
        reads.append(len(out))
        return out

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    decoded(path, offset=12.0, duration=0.01)
    assert sum(reads) == 160


def test_long_wavs_are_sought_not_read_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "WAV", "PCM_16", n_samples=200_000)
    read: list[int] = []
    original = wave_decoder._Bytes.read

    def counting(self: Any, size: int = -1) -> bytes:
        read.append(size)
        return original(self, size)

    monkeypatch.setattr(wave_decoder._Bytes, "read", counting)
    decoded(path, offset=12.0, duration=0.01)
    assert sum(read) == 320


def test_many_threads(tmp_path: Path) -> None:
    paths = [save(tmp_path, container, subtype) for container, subtype in FORMATS]
    alone = [decoded(path, block=500).tobytes() for path in paths]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda path: decoded(path, block=500).tobytes(), paths * 3))
    assert together == alone * 3


def test_what_is_kept_of_standard_input_is_bounded_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, "FLAC", "PCM_16")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    standard_input(monkeypatch, path.read_bytes())
    with open_audio(Entry("-", id="a")) as audio:
        assert len(list(folder.iterdir())) == 1
        assert sum(map(len, audio)) == 9000
    assert list(folder.iterdir()) == []
    stream = io.BytesIO(bytes(100))
    with (
        pytest.raises(AudioFileError, match=r"holds more than 64 bytes .* ffmpeg"),
        source.copy_to_disk(b"head", stream, "standard input", limit=64),
    ):
        pass
    assert list(folder.iterdir()) == []
