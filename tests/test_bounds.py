"""What a small file may not do: ask for gigabytes."""

from __future__ import annotations

import dataclasses
import gzip
import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.frontend.settings import FrontEndSettings
from audiogmm.audio.matrix.matrix import read_matrix_blocks
from audiogmm.errors import AudioGMMError, FeatureError, ManifestError, ModelFileError
from audiogmm.lines import LONGEST_LINE
from audiogmm.manifest import Entry, read_manifest
from audiogmm.manifest.inside import lhotse_address, lhotse_record
from audiogmm.mixture import container
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.scoring.track_file import read_track
from audiogmm.training.ledger import Ledger
from audiogmm.verification.trials import TrialList

MIB = 1 << 20


@contextmanager
def memory_below(most: int) -> Iterator[None]:
    """No more bytes at once inside than these."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "settings",
    [
        {"n_fft": 1 << 33},
        {"n_fft": 1 << 20, "n_mels": 4000},
        {"n_mels": 10**9, "feature": "logmel"},
        {"n_mfcc": 10**8, "n_mels": 10**9},
        {"deltas": 10**6},
        {"delta_window": 10**8},
        {"frame_length": 1e9},
        {"frame_length": 1e5},
        {"vad_window": 1e12},
        {"vad_before": 1e9},
        {"cmvn": "sliding", "cmvn_window": 1e9},
        {"cmvn": "sliding", "cmvn_window": 80000.0},
        {"sample_rate": 4_290_000_000},
    ],
    ids=str,
)
def test_settings_of_a_front_end_that_take_gigabytes_are_refused(settings: dict[str, Any]) -> None:
    stored = FrontEnd.preset("speech", sample_rate=16000).to_dict() | settings
    with memory_below(MIB), pytest.raises(AudioGMMError, match=r"needed: at most [\d,.e]+"):
        FrontEndSettings.from_dict(stored).sizes(16000)


def test_large_settings_of_use_are_taken() -> None:
    """Ultrasound, music with fine bands, and a day of normalization."""
    ambient = FrontEndSettings.preset("ambient")
    for settings, transform in (
        ({"sample_rate": 1_000_000, "frame_length": 0.1}, 131_072),
        ({"n_fft": 65536, "n_mels": 256, "feature": "logmel"}, 65536),
        ({"cmvn": "sliding", "cmvn_window": 3600.0}, 2048),
        ({"vad_window": 600.0}, 2048),
    ):
        large = dataclasses.replace(ambient, **settings)  # type: ignore[arg-type]
        assert large.sizes(large.sample_rate or 48000)[2] == transform


@pytest.mark.parametrize("name", ["m.jsonl.gz", "m.csv.gz", "wav.scp.gz"])
def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    head = {"m.jsonl.gz": b'{"audio_filepath": "', "m.csv.gz": b'audio_filepath\n"'}.get(name, b"a ")
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(120):
            file.write(bytes(MIB).replace(b"\0", b"a"))
    assert path.stat().st_size < MIB
    with memory_below(5 * LONGEST_LINE), pytest.raises(ManifestError, match=re.escape(name)) as caught:
        list(read_manifest(str(path)))
    assert "a line of more than 16 MiB; needed: lines of text" in str(caught.value)


def test_a_line_without_end_ends_a_list_of_trials(tmp_path: Path) -> None:
    path = tmp_path / "trials.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"model,audio_filepath\nann,a.wav\nann,")
        file.write(b"a" * (2 * LONGEST_LINE))
    trials = TrialList(str(path), on_error=lambda line, error: None)
    with pytest.raises(ManifestError, match="a line of more than 16 MiB"):
        list(trials)


def test_a_record_in_an_address_is_unpacked_as_far_as_a_line() -> None:
    address = lhotse_address("a", {"id": "a" * (2 * LONGEST_LINE)})
    with memory_below(3 * LONGEST_LINE), pytest.raises(ValueError, match="more than 16 MiB"):
        lhotse_record(address)
    with pytest.raises(ValueError, match="cut off"):
        lhotse_record(lhotse_address("a", {"id": "b" * 99})[:-8])


def test_a_packed_track_does_not_unpack_to_any_size(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    n = 10_000_000
    np.savez_compressed(path, scores=np.zeros(n), voiced=np.zeros(n, bool))
    with memory_below(MIB), pytest.raises(FeatureError, match=r"a\.npz .*90,000,\d+ bytes in an archive of"):
        read_track(path)


def test_a_ledger_does_not_make_any_number_of_components(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.put("a", SufficientStats.measure(np.ones((4, 2)), origin=np.zeros(2), covariance_type="diag"))
    file = ledger._file("a")
    document, arrays = container.read(file)
    file.write_bytes(container.pack(arrays, document | {"n_components": 1 << 40}))
    with (
        memory_below(MIB),
        pytest.raises(ModelFileError, match=r"1,099,511,627,776 components of 2 features"),
    ):
        ledger.entry("a")


@pytest.mark.parametrize(
    "header",
    [
        b'{"__metadata__":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        b'{"a":{"dtype":"F64","shape":[0],"data_offsets":[0,"x"]}}',
        b'{"a":{"dtype":"F64","shape":[0],"data_offsets":[0,1.5]}}',
        b'{"a":{"dtype":"F64","shape":[0],"data_offsets":[0,' + b"9" * 10_000 + b"]}}",
        b'{"a":[0,1]}',
        b'{"a":null}',
    ],
    ids=["deep", "text", "fraction", "large", "list", "null"],
)
def test_a_hostile_header_of_a_model_is_refused(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.agmm").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelFileError, match=r"a\.agmm is .*safetensors"):
        container.read(tmp_path / "a.agmm")


def test_settings_are_a_short_text(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(".".join(["a"] * 100_000) + " = 1")  # takes tomllib hours
    with pytest.raises(AudioGMMError, match=r"a\.toml .*200003 characters"):
        FrontEnd.from_toml(tmp_path / "a.toml")


def test_a_row_of_a_matrix_has_a_limit(tmp_path: Path) -> None:
    """Of 40 million numbers that take hundreds of bytes, and of as many as a header likes."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    wide = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(4 << 20, np.float32)), 2 << 20)
    table = pa.table({"x": wide.cast(pa.list_(pa.float32()))})
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    with (tmp_path / "a.npy").open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (1, 1 << 40)}
        np.lib.format.write_array_header_1_0(file, header)
    for name in ("a.parquet", "a.npy"):
        with (
            memory_below(MIB),
            pytest.raises(FeatureError, match=r"has rows of [\d,]+ numbers; needed: at most"),
        ):
            list(read_matrix_blocks(Entry(None, features_filepath=str(tmp_path / name), id="a")))


def test_wide_rows_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("audiogmm.audio.matrix.columns.LARGEST_WINDOW", 40)
    matrix = np.arange(200, dtype=np.float32).reshape(20, 10)
    np.save(tmp_path / "a.npy", matrix)
    blocks = list(read_matrix_blocks(Entry(None, features_filepath=str(tmp_path / "a.npy"), id="a")))
    assert [len(block) for block in blocks] == [4] * 5
    np.testing.assert_array_equal(np.concatenate(blocks), matrix)
