"""`info --verify` names each damaged file of every kind, and no whole one."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import ModelFileError
from audiogmm.jobs.integrity.verify_files import verify_files
from tests.cli.calls import Audiogmm

SCRIPTS = Path(__file__).parents[3] / "scripts"
GOLDEN = Path(__file__).parents[2] / "golden" / "v0_1"

OF_RUNS = ("kept_results", "moves")
"""Files that are there while a run goes on; the run that goes on checks them."""


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """A file of each kind."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    kinds: dict[str, Any] = importlib.import_module("check_bitflips").KINDS
    found = {}
    for kind, make in kinds.items():
        (tmp_path / "all" / kind).mkdir(parents=True)
        found[kind] = make(tmp_path / "all" / kind)[0]
    return found


def test_each_damaged_file_is_named(files: dict[str, Path], tmp_path: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("info", "--verify", tmp_path / "all")
    assert done.status == 0, done.out
    assert "0 files damaged" in done.out
    for kind, path in files.items():
        if kind in ("cache_database", *OF_RUNS):
            continue  # most of a database is empty
        whole = path.read_bytes()
        at = whole.index(b"means") if kind == "gallery" else len(whole) // 2
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 2]) + whole[at + 1 :])
        found = verify_files(tmp_path / "all")
        assert len(found.damaged) == 1, (kind, found)
        assert str(path if kind != "gallery" else path.parent) in found.damaged[0]
        path.write_bytes(whole)
    path.write_bytes(whole[:-60])
    done = audiogmm("info", "--verify", path, "--json")
    assert done.status == 1
    assert str(path) in done.json["damaged"][0]


def test_older_files_are_intact_and_others_are_counted(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "v0_1")
    found = verify_files(tmp_path / "v0_1")
    assert found.damaged == ()
    assert found.intact["model"] == 6
    assert found.intact["checkpoint, speaker or ledger entry"] == 12
    assert found.other > 0
    for file in filter(Path.is_file, GOLDEN.rglob("*")):
        assert (tmp_path / "v0_1" / file.relative_to(GOLDEN)).read_bytes() == file.read_bytes()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelFileError, match=r"notes\.txt is no file with checksums"):
        verify_files(tmp_path / "notes.txt")
