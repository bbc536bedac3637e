"""Feature matrices: the same rows in any blocks, and errors that name the cell."""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.matrix.matrix import expand_archive, format_of, read_matrix_blocks
from audiogmm.errors import FeatureError
from audiogmm.manifest import Entry

MATRIX = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)


def entry_of(path: Path | str, **cut: Any) -> Entry:
    return Entry(None, features_filepath=str(path), id="a", **cut)


def rows_of(path: Path | str, block: int = 8192, **cut: Any) -> np.ndarray:
    blocks = list(read_matrix_blocks(entry_of(path, **cut), block))
    for rows in blocks:
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        assert 0 < len(rows) <= block
    return np.concatenate(blocks)


def refusal(path: Path | str, **cut: Any) -> str:
    with pytest.raises(FeatureError) as caught:
        list(read_matrix_blocks(entry_of(path, **cut)))
    return str(caught.value)


def save_npy(path: Path, matrix: np.ndarray) -> Path:
    np.save(path.with_suffix(".npy"), matrix)
    return path.with_suffix(".npy")


def save_fortran(path: Path, matrix: np.ndarray) -> Path:
    return save_npy(path, np.asfortranarray(matrix))


def save_csv(path: Path, matrix: np.ndarray) -> Path:
    path = path.with_suffix(".csv")
    path.write_text("\n".join(",".join(map(repr, row)) for row in matrix.tolist()) + "\n")
    return path


def save_table(path: Path, matrix: np.ndarray) -> Path:
    path = path.with_suffix(".tsv")
    lines = ["\t".join(map(repr, row)) for row in matrix.tolist()]
    path.write_bytes("\r\n".join(["\ufeffx\ty\tz", "", *lines]).encode())
    return path


def save_parquet(path: Path, matrix: np.ndarray) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = path.with_suffix(".parquet")
    columns = {f"c{i}": column for i, column in enumerate(matrix.T)}
    pq.write_table(pa.table(columns), path, row_group_size=7)
    return path


def save_lists(path: Path, matrix: np.ndarray) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = path.with_suffix(".parquet")
    pq.write_table(pa.table({"embedding": list(matrix)}), path, row_group_size=16)
    return path


def save_ark(path: Path, matrix: np.ndarray) -> Path:
    import kaldiio

    path = path.with_suffix(".ark")
    kaldiio.save_ark(str(path), {"utt": matrix})
    return path


def save_vectors(path: Path, matrix: np.ndarray) -> Path:
    import kaldiio

    path = path.with_suffix(".ark")
    kaldiio.save_ark(str(path), {f"utt{i:03}": row for i, row in enumerate(matrix)})
    return path


def save_text_ark(path: Path, matrix: np.ndarray) -> Path:
    path = path.with_suffix(".ark")
    rows = "\n".join("  " + " ".join(map(repr, row)) for row in matrix.tolist())
    path.write_text(f"utt  [\n{rows} ]\n")
    return path


WRITERS = [
    save_npy,
    save_fortran,
    save_csv,
    save_table,
    save_parquet,
    save_lists,
    save_ark,
    save_vectors,
    save_text_ark,
]


@pytest.mark.parametrize("save", WRITERS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_rows_in_any_blocks(
    tmp_path_factory: pytest.TempPathFactory, save: Callable[[Path, np.ndarray], Path], data: st.DataObject
) -> None:
    path = save(tmp_path_factory.mktemp("m") / "a", MATRIX)
    block = data.draw(st.integers(1, 60))
    first = data.draw(st.integers(0, 49))
    n = data.draw(st.integers(1, 50 - first))
    np.testing.assert_array_equal(rows_of(path, block), MATRIX)
    np.testing.assert_array_equal(rows_of(path, block, offset=first, duration=n), MATRIX[first : first + n])


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", "int8", "<u4", "bool"])
def test_npy_of_any_real_numbers(tmp_path: Path, dtype: str) -> None:
    matrix = (MATRIX * 10).astype(dtype)
    np.testing.assert_array_equal(rows_of(save_npy(tmp_path / "a", matrix), 7), matrix.astype(np.float32))


def test_seconds_where_rows_have_a_rate(tmp_path: Path) -> None:
    path = save_npy(tmp_path / "a", MATRIX)
    cut = rows_of(path, frame_rate=10.0, offset=1.0, duration=2.0)
    np.testing.assert_array_equal(cut, MATRIX[10:30])


def test_formats_are_known_by_content_too(tmp_path: Path) -> None:
    for save, kind in ((save_npy, "npy"), (save_csv, "csv"), (save_parquet, "parquet"), (save_ark, "ark")):
        path = save(tmp_path / kind, MATRIX)
        bare = path.rename(tmp_path / f"{kind}-without-a-suffix")
        assert format_of(str(bare)) == kind
        np.testing.assert_array_equal(rows_of(bare), MATRIX)


def test_urls(tmp_path: Path) -> None:
    import fsspec

    for save in (save_npy, save_csv, save_parquet, save_ark):
        path = save(tmp_path / "a", MATRIX)
        with fsspec.open(f"memory://{path.name}", "wb") as file:
            file.write(path.read_bytes())
        np.testing.assert_array_equal(rows_of(f"memory://{path.name}", 7, offset=9), MATRIX[9:])


def test_npy_is_read_in_windows_not_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_npy(tmp_path / "a", np.zeros((100_000, 4), np.float32))
    largest = 0
    original = np.empty

    def watching(shape: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        nonlocal largest
        largest = max(largest, int(np.prod(shape)))
        return original(shape, *args, **kwargs)

    monkeypatch.setattr(np, "empty", watching)
    assert sum(map(len, read_matrix_blocks(entry_of(path), 100))) == 100_000
    assert largest == 400


@pytest.mark.parametrize("save", WRITERS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_cells_that_are_not_finite_are_named(
    tmp_path: Path, save: Callable[[Path, np.ndarray], Path], value: float
) -> None:
    if save is save_text_ark and value != value:
        value = np.inf
    matrix = MATRIX.copy()
    matrix[17, 1] = value
    message = refusal(save(tmp_path / "a", matrix))
    row = {save_csv: "line 18", save_table: "line 20"}.get(save, "row 17 (counted from 0)")
    column = {save_csv: "column 2", save_table: "column 'y'", save_parquet: "column 'c1'"}
    assert row in message
    assert column.get(save, "column 1 (counted from 0)") in message
    assert str(value) in message


def test_numbers_beyond_float32(tmp_path: Path) -> None:
    assert "row 0 (counted from 0), column 1 (counted from 0) is 1e+300" in refusal(
        save_npy(tmp_path / "a", np.array([[1.0, 1e300]]))
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n", "line 3, column 'b': 'x'"),
        ("1,2\n3,\n", "line 2, column 2: ''"),
        ("1,2\n3,4,5\n", "line 2: 3 cells, and 2 in the first line"),
        ("1,x\n3,4\n", "line 1, column 2: 'x'"),
        ("1,2\n\n3,nan\n", "line 3, column 2: nan"),
        ("a,b\n", "has no rows"),
        ("\n\n", "has no rows"),
    ],
)
def test_csv_cells_and_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert message in refusal(path)


def test_csv_quotes_and_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('"the x";"the y"\n"1.5"; 2e3\n-3;.5')
    np.testing.assert_array_equal(rows_of(path), [[1.5, 2000], [-3, 0.5]])
    path.write_bytes(b"1,2\n\xff\xfe,3\n")
    assert "is not text" in refusal(path)


def test_npy_that_is_none(tmp_path: Path) -> None:
    path = save_npy(tmp_path / "a", MATRIX)
    path.write_bytes(path.read_bytes()[:-5])
    assert "a.npy is truncated: 595 bytes of the 600 (50 x 3 float32)" in refusal(path)
    path.write_bytes(b"something else")
    assert "is not an .npy file" in refusal(path)
    assert "shape (50,); needed: real numbers of shape (n_rows, n_columns); try: reshape(-1, 1)" in refusal(
        save_npy(tmp_path / "b", MATRIX[:, 0])
    )
    path = tmp_path / "c.npy"
    np.save(path, np.array([[{}]], object), allow_pickle=True)
    assert "holds object of shape (1, 1)" in refusal(path)  # never unpickled
    assert "is missing" in refusal(tmp_path / "no.npy")
    (tmp_path / "empty.npy").touch()
    assert "is empty: 0 bytes" in refusal(tmp_path / "empty.npy")
    assert "has no rows" in refusal(save_npy(tmp_path / "d", MATRIX[:0]))


@pytest.mark.parametrize("save", WRITERS)
def test_cuts_past_the_end(tmp_path: Path, save: Callable[[Path, np.ndarray], Path]) -> None:
    path = save(tmp_path / "a", MATRIX)
    assert "has 2 rows of those that its entry asks for: rows 48 up to 51" in refusal(
        path, offset=48, duration=3
    )
    assert "has 0 rows of those that its entry asks for: from row 50 on" in refusal(path, offset=50)


def test_parquet_that_is_none(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0, None], "y": [1, 2, 3]}), path)
    assert "row 2 (counted from 0), column 'x' is null" in refusal(path)
    pq.write_table(pa.table({"x": [1.0, 2.0], "name": ["a", "b"]}), path)
    assert "column 'name' holds string" in refusal(path)
    pq.write_table(pa.table({"e": [[1.0, 2.0], [3.0]]}), path)
    assert "the lists in column 'e' differ in length" in refusal(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "is not a whole Parquet file" in refusal(path)


def test_missing_extras_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet, ark = save_parquet(tmp_path / "a", MATRIX), save_text_ark(tmp_path / "b", MATRIX)
    original = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in ("pyarrow", "kaldiio"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "pyarrow is not installed; needed: pyarrow; try: pip install 'audiogmm[interop]'" in refusal(
        parquet
    )
    assert "kaldiio is not installed; needed: kaldiio; try: pip install 'audiogmm[interop]'" in refusal(ark)


@pytest.mark.parametrize("compression", [None, 2, 3, 5])
def test_archives_give_a_recording_for_each_matrix(tmp_path: Path, compression: int | None) -> None:
    import kaldiio

    path = tmp_path / "a.ark"
    matrices = {f"spk/utt {i}".replace(" ", "-"): MATRIX[: 10 + i] for i in range(3)}
    kaldiio.save_ark(str(path), matrices, scp=str(tmp_path / "a.scp"), compression_method=compression)
    entries = list(expand_archive(entry_of(path)))
    assert [entry.id for entry in entries] == ["a-spk--utt-0", "a-spk--utt-1", "a-spk--utt-2"]
    assert [entry.extra["utterance"] for entry in entries] == list(matrices)
    offsets = [line.split()[1] for line in (tmp_path / "a.scp").read_text().splitlines()]
    assert [entry.features_filepath for entry in entries] == offsets
    for entry, matrix in zip(entries, kaldiio.load_ark(str(path)), strict=True):
        np.testing.assert_array_equal(np.concatenate(list(read_matrix_blocks(entry, 4))), matrix[1])
        assert list(expand_archive(entry)) == [entry]
    message = refusal(path)
    assert "holds 3 members, 3 of them matrices" in message
    assert f"try: name one of them: {offsets[0]}" in message


def test_text_archives_of_several(tmp_path: Path) -> None:
    path = tmp_path / "a.ark"
    path.write_text("u1  [\n  1 2\n  3 4 ]\nu2  [\n  5 6 ]\n")
    entries = list(expand_archive(entry_of(path)))
    assert [rows_of(str(entry.features_filepath)).tolist() for entry in entries] == [
        [[1.0, 2.0], [3.0, 4.0]],
        [[5.0, 6.0]],
    ]


def test_single_matrices_and_vectors_stay_one_entry(tmp_path: Path) -> None:
    for save in (save_npy, save_ark, save_vectors):
        entry = entry_of(save(tmp_path / "a", MATRIX))
        assert list(expand_archive(entry)) == [entry]


def test_archives_that_are_none(tmp_path: Path) -> None:
    path = save_ark(tmp_path / "a", MATRIX)
    path.write_bytes(path.read_bytes()[:-1])
    assert "a.ark is truncated: it ends in the middle of utt" in refusal(path)
    path.write_bytes(b"utt \0BPKLcos\nsystem\n(S'true'\ntR.")
    assert "holds a value of the type" in refusal(path)  # never unpickled
    path.write_bytes(b"utt \0BFM \4" + struct.pack("<i", 3))
    assert "is truncated in the header of a matrix" in refusal(path)
    path.write_bytes(b"x" * 10_000)
    assert "no key in its first bytes" in refusal(path)
    path.write_bytes(b"utt [ 1 2 3")
    assert "a [ without its ]" in refusal(path)
