"""Columns of tables: chosen by name, left out where they are no features, and no others are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audiogmm.audio.matrix import parquet
from audiogmm.audio.matrix.columns import ColumnChoice
from audiogmm.audio.matrix.matrix import read_matrix_blocks
from audiogmm.errors import FeatureError
from audiogmm.manifest import Entry

N = 20
TABLE: dict[str, Any] = {
    "id": np.arange(N),
    "when": [f"2024-05-01T10:00:{i:02}" for i in range(N)],
    "site": ["north, hall 2"] * N,
    "rpm": np.linspace(900, 1100, N),
    "temp": np.linspace(40, 41, N),
}


def save_csv(folder: Path) -> Path:
    path = folder / "a.csv"
    rows = zip(*TABLE.values(), strict=True)
    lines = [
        ",".join(f'"{cell}"' if isinstance(cell, str) else repr(float(cell)) for cell in row) for row in rows
    ]
    path.write_text("\n".join([",".join(TABLE), *lines]))
    return path


def save_parquet(folder: Path) -> Path:
    when = pa.array(np.array(TABLE["when"], "datetime64[s]"))
    pq.write_table(pa.table(TABLE | {"when": when}), folder / "a.parquet", row_group_size=7)
    return folder / "a.parquet"


SAVERS = [save_csv, save_parquet]


def read(path: Path, notes: list[str] | None = None, **chosen: Any) -> np.ndarray:
    take = (lambda _: None) if notes is None else notes.append
    entry = Entry(None, features_filepath=str(path), id="a")
    return np.concatenate(list(read_matrix_blocks(entry, 8, ColumnChoice.of(**chosen), take)))


def expected(*names: str) -> np.ndarray:
    return np.column_stack([TABLE[name] for name in names]).astype(np.float32)


@pytest.mark.parametrize("save", SAVERS)
def test_columns_come_in_the_order_of_their_names(tmp_path: Path, save: Any) -> None:
    np.testing.assert_array_equal(read(save(tmp_path), columns="temp,rpm"), expected("temp", "rpm"))
    np.testing.assert_array_equal(read(save(tmp_path), columns=["id"]), expected("id"))


@pytest.mark.parametrize("save", SAVERS)
def test_an_index_and_times_are_left_out_and_that_is_said(tmp_path: Path, save: Any) -> None:
    notes: list[str] = []
    np.testing.assert_array_equal(read(save(tmp_path), notes, exclude="site"), expected("rpm", "temp"))
    assert notes == ["columns left out: 'id' (an index), 'when' (times); --columns takes those that it names"]
    notes.clear()
    np.testing.assert_array_equal(read(save(tmp_path), notes, columns="rpm"), expected("rpm"))
    assert notes == []


@pytest.mark.parametrize("save", SAVERS)
def test_text_is_named_with_the_option_that_helps(tmp_path: Path, save: Any) -> None:
    with pytest.raises(FeatureError, match=r"column 'site' holds .*try: --exclude site, or --id-column site"):
        read(save(tmp_path))
    np.testing.assert_array_equal(read(save(tmp_path), id_column="site"), expected("rpm", "temp"))


@pytest.mark.parametrize("save", SAVERS)
@pytest.mark.parametrize("option", ["columns", "exclude", "id_column"])
def test_missing_columns_are_named(tmp_path: Path, save: Any, option: str) -> None:
    with pytest.raises(FeatureError, match="has no column 'rpn'; it has columns 'id', 'when', 'site', 'rpm'"):
        read(save(tmp_path), **{option: "rpn"})


def test_columns_without_names_have_numbers(tmp_path: Path) -> None:
    matrix = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "a.npy", matrix)
    np.savetxt(tmp_path / "b.csv", matrix, delimiter=",")
    for name in ("a.npy", "b.csv"):
        np.testing.assert_array_equal(read(tmp_path / name, columns="2,0"), matrix[:, [2, 0]])
        np.testing.assert_array_equal(read(tmp_path / name, exclude="1"), matrix[:, [0, 2]])
        with pytest.raises(FeatureError, match="has no column '3'; it has columns '0', '1', '2'"):
            read(tmp_path / name, columns="3")
        learned = ColumnChoice(("x", "y", "z"), of_model=True)
        assert learned.find(name, [*map(_unnamed, range(3))])[0] == (0, 1, 2)


def _unnamed(_: int) -> Any:
    from audiogmm.audio.matrix.columns import Column

    return Column("")


def test_lines_of_another_length_are_found_in_columns_that_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,"x,y",3\n4,z,5,6\n')
    with pytest.raises(FeatureError, match="line 3: 4 cells, and 3 in the first line"):
        read(path, exclude="b")


def test_the_index_of_pandas_in_parquet(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.0, 2.0]}, index=pandas.Index([7, 8], name="machine"))
    frame.to_parquet(tmp_path / "a.parquet")
    notes: list[str] = []
    np.testing.assert_array_equal(read(tmp_path / "a.parquet", notes), [[1], [2]])
    assert notes == ["columns left out: 'machine' (an index); --columns takes those that it names"]


def test_a_wide_parquet_is_read_by_the_wanted_column_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, n = tmp_path / "wide.parquet", 400_000
    random = np.random.default_rng(0)
    table = pa.table({f"c{i}": random.normal(size=n) for i in range(10)})
    pq.write_table(table, path, row_group_size=n, compression="none", use_dictionary=False)
    reads: list[int] = []
    original = parquet.open_source

    def counting(*given: Any) -> Any:
        stream = original(*given)
        monkeypatch.setattr(stream, "read", _counted(stream.read, reads), raising=False)
        return stream

    monkeypatch.setattr(parquet, "open_source", counting)
    rows = sum(map(len, read_matrix_blocks(_entry(path), 8192, ColumnChoice(("c7",)))))
    assert rows == n
    assert sum(reads) < 8 * n * 1.2  # 3.2 MB of 32 MB
    assert max(reads) <= 2 << 20  # nor its whole column at once


def _entry(path: Path) -> Entry:
    return Entry(None, features_filepath=str(path), id="a")


def _counted(read: Any, reads: list[int]) -> Any:
    def counted(size: int = -1) -> bytes:
        data: bytes = read(size)
        reads.append(len(data))
        return data

    return counted
