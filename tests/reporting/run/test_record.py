"""The record of a run: what it says, that it is found again, and that nothing else is taken for one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from audiogmm.checksum import sealed
from audiogmm.errors import ManifestError
from audiogmm.reporting.run.record import RunRecord, record_path


def record(folder: Path, **changes: Any) -> RunRecord:
    settings: dict[str, Any] = {
        "model": "room.agmm",
        "source": "today.jsonl",
        "fingerprint": "0" * 64,
        "detector": {"threshold": -60.0},
        "model_path": str(folder / "room.agmm"),
        "source_path": str(folder / "today.jsonl"),
        "recordings": 3,
        "events": 2,
        "seconds": 30.5,
    }
    return RunRecord(**(settings | changes))


def test_it_is_read_back(tmp_path: Path) -> None:
    path = record(tmp_path).write(tmp_path / "events.jsonl")
    assert path == record_path(tmp_path / "events.jsonl") == tmp_path / "events.jsonl.run.json"
    read = RunRecord.read(path)
    assert read == record(tmp_path)
    assert read.path == path
    record(tmp_path, recordings=4).write(tmp_path / "events.jsonl")
    assert RunRecord.read(path).recordings == 4


def test_a_later_version_may_say_more(tmp_path: Path) -> None:
    path = record(tmp_path).write(tmp_path / "events.jsonl")
    path.write_text(json.dumps(sealed(json.loads(path.read_text()) | {"weather": "rain"})))
    assert RunRecord.read(path) == record(tmp_path)


def test_files_are_found_after_the_folder_has_moved(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "room.agmm").write_text("")
    path = record(there).write(there / "events.jsonl")
    assert RunRecord.read(path).find("model") == there / "room.agmm"
    assert RunRecord.read(path).find("source") is None
    shutil.move(there, tmp_path / "elsewhere")
    moved = RunRecord.read(tmp_path / "elsewhere" / "events.jsonl.run.json")
    assert moved.find("model") == tmp_path / "elsewhere" / "room.agmm"
    assert record(there, source="-", source_path=None).find("source") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "format 'list'"),
        ("{}", "format None"),
        ('{"format": "audiogmm run 3"}', "format 'audiogmm run 3', not 'audiogmm run 2'"),
        ('{"format": "audiogmm run 2"}', "is damaged: its content does not have its checksum"),
        ('{"format": "audiogmm run 1"}', "missing 4 required"),
    ],
)
def test_nothing_else_is_taken_for_one(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "events.jsonl.run.json"
    path.write_text(content)
    with pytest.raises(ManifestError, match=rf"events\.jsonl\.run\.json.*{said}"):
        RunRecord.read(path)


@pytest.mark.parametrize(
    ("name", "value"), [("recordings", "3"), ("seconds", None), ("detector", []), ("events", True)]
)
def test_a_value_of_another_kind_is_named(tmp_path: Path, name: str, value: object) -> None:
    path = record(tmp_path).write(tmp_path / "events.jsonl")
    path.write_text(json.dumps(sealed(json.loads(path.read_text()) | {name: value})))
    with pytest.raises(ManifestError, match=f"{name} is "):
        RunRecord.read(path)
    with pytest.raises(ManifestError, match=r"gone\.run\.json does not exist"):
        RunRecord.read(tmp_path / "gone.run.json")
