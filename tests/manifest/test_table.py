"""CSV lists as others have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.manifest import read_manifest


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("column", ["path", "file", "file_name", "wav", "filename", "audio_filepath"])
def test_columns_and_encodings_of_others(tmp_path: Path, column: str, encoding: str) -> None:
    (tmp_path / "metadata.csv").write_text(f"{column},label\nclips/ä.wav,x\n", encoding=encoding)
    (entry,) = read_manifest(tmp_path / "metadata.csv")
    assert (entry.path, entry.label, entry.extra) == (f"{tmp_path}/clips/ä.wav", "x", {})


def test_a_column_of_ours_goes_before(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("path\taudio_filepath\nsub\ta.wav\n")
    (entry,) = read_manifest(tmp_path / "a.tsv")
    assert (entry.path, entry.extra) == (f"{tmp_path}/a.wav", {"path": "sub"})
