"""Tables of numbers in text: who recognizes one and who reads it agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiogmm.audio.matrix.matrix import read_matrix_blocks
from audiogmm.manifest import read_manifest

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.tsv"])
@pytest.mark.parametrize(
    "written",
    [
        {},
        {"delimiter": "  "},
        {"delimiter": "\t"},
        {"delimiter": ","},
        {"delimiter": ";"},
        {"delimiter": ",", "header": "a,b,c,d", "comments": ""},
        {"header": "a b c d"},
        {"header": "made by hand\na b c d"},
        {"header": "made by hand", "delimiter": ","},
    ],
)
def test_matrices_of_savetxt(tmp_path: Path, name: str, written: dict[str, str]) -> None:
    np.savetxt(tmp_path / name, X, fmt="%.9g", **written)
    manifest = read_manifest(tmp_path / name)
    assert manifest.format == "features"
    (entry,) = manifest
    np.testing.assert_array_equal(np.concatenate(list(read_matrix_blocks(entry, block=7))), X)


def test_the_index_of_pandas_is_left_out(tmp_path: Path) -> None:
    rows = (f"{i}," + ",".join(map(str, row)) for i, row in enumerate(X.tolist()))
    (tmp_path / "i.csv").write_text("\n".join([",a,b,c,d", *rows]) + "\n")
    (entry,) = read_manifest(tmp_path / "i.csv")
    notes: list[str] = []
    found = np.concatenate(list(read_matrix_blocks(entry, warn=notes.append)))
    assert notes == ["columns left out: '' (an index); --columns takes those that it names"]
    np.testing.assert_array_equal(found, X)
