"""Recordings inside other files are those recordings, and a wrong address is named."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decode import open_audio
from audiogmm.errors import AudioFileError
from audiogmm.manifest import Entry
from audiogmm.manifest.inside import ark_address, bytes_address, cell_address, gzip_address

RATE = 8000


def sound(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, 700 + 50 * seed).astype(np.int16)


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def read(address: str) -> np.ndarray:
    with open_audio(Entry(address, id="inside")) as stream:
        assert stream.info.sample_rate == RATE
        return np.concatenate(list(stream))


def assert_is(address: str, samples: np.ndarray) -> None:
    np.testing.assert_array_equal(read(address), samples / np.float32(32768))


def test_members_of_a_tar_archive(tmp_path: Path) -> None:
    path = tmp_path / "shard.tar"
    with tarfile.open(path, "w") as archive:
        for seed in (1, 2):
            content = wav(sound(seed))
            member = tarfile.TarInfo(f"{seed}.wav")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with tarfile.open(path) as archive:
        for seed, member in zip((1, 2), archive.getmembers(), strict=True):
            start = member.offset_data
            assert_is(bytes_address(str(path), start, start + member.size), sound(seed))
    with pytest.raises(AudioFileError, match=rf"the file has {path.stat().st_size} bytes"):
        read(bytes_address(str(path), 0, 10**9))


@pytest.mark.parametrize("kind", ["binary", "struct"])
def test_cells_of_a_table_in_any_row_group(tmp_path: Path, kind: str) -> None:
    pa = pytest.importorskip("pyarrow", reason="install the extra interop")
    pq = pytest.importorskip("pyarrow.parquet")
    cells: list[object] = [wav(sound(seed)) for seed in range(5)]
    if kind == "struct":
        cells = [{"bytes": cell, "path": f"{i}.wav"} for i, cell in enumerate(cells)]
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({"audio": cells, "label": list("abcde")}), path, row_group_size=2)
    for row in range(5):
        assert_is(cell_address(str(path), "audio", row), sound(row))
    with pytest.raises(AudioFileError, match="the table has 5 rows"):
        read(cell_address(str(path), "audio", 5))
    with pytest.raises(AudioFileError, match="holds no bytes"):
        read(cell_address(str(path), "label", 0))


def test_a_compressed_file_and_a_kaldi_archive(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.wav.gz", "wb") as file:
        file.write(wav(sound(3)))
    assert_is(gzip_address(str(tmp_path / "a.wav.gz")), sound(3))
    first = b"a " + wav(sound(1)) + b"b "
    (tmp_path / "wav.ark").write_bytes(first + wav(sound(2)))
    assert_is(ark_address(f"{tmp_path / 'wav.ark'}:2"), sound(1))
    assert_is(ark_address(f"{tmp_path / 'wav.ark'}:{len(first)}"), sound(2))
    with pytest.raises(AudioFileError, match="lies at byte 0"):
        read(ark_address(f"{tmp_path / 'wav.ark'}:0"))


@pytest.mark.parametrize("address", ["bytes://1-2::", "parquet://a/0::", "gzip://", "ark://:7"])
def test_a_file_that_is_missing(tmp_path: Path, address: str) -> None:
    place, mark, number = address.partition("://:")
    path = f"{place}://{tmp_path}/none:{number}" if mark else f"{address}{tmp_path}/none"
    with pytest.raises(AudioFileError, match="leads into a file that is missing"):
        read(path)
