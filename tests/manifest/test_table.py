"""CSV lists as others have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.manifest import Entry, read_manifest, write_manifest


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


def test_a_table_has_no_formulas_and_reads_back(tmp_path: Path) -> None:
    entry = Entry("a.wav", id="a", speaker="=cmd()", extra={"note": "@x", "'=": "'=y", "n": -1.5, "t": "-2"})
    write_manifest([entry], tmp_path / "all.csv")
    cells = [cell for line in (tmp_path / "all.csv").read_text().splitlines() for cell in line.split(",")]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []
    (read,) = read_manifest(tmp_path / "all.csv")
    assert (read.speaker, read.extra) == (entry.speaker, entry.extra)
