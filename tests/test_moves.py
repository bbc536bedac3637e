"""Several outputs are one transaction, at whatever call it is cut off."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audiogmm.checksum import sealed
from audiogmm.errors import OutputError
from audiogmm.files import exclusive, refuse_overwrite, replacing, together
from audiogmm.moves import finish_moves, move_together
from audiogmm.system import lock_file
from audiogmm.temporaries import sweep
from tests.faults.layer import LayerError, environment, quick_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def place() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


def rows_after(folder: Path, action: str, error: int = 0) -> list[dict[str, Any]]:
    """Outputs in two folders, with a fault at each call in turn; what was left of them each time."""
    try:
        given = environment()
    except LayerError as missing:
        pytest.skip(str(missing))
    command = [sys.executable, "-m", "tests.faults.outputs", str(folder / "files"), action, str(error)]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_kill_at_any_call_leaves_all_of_the_old_or_all_of_the_new(place: Path) -> None:
    rows = rows_after(place, "kill")
    assert len(rows) > 50 and {row["status"] for row in rows} == {-9}
    assert [row for row in rows if row["contents"] not in (["old"], ["new"]) or row["hidden"]] == []
    # nothing of the new before it is decided, nothing of the old after
    states = [row["contents"][0] for row in rows]
    assert states == sorted(states, reverse=True) and set(states) == {"old", "new"}


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_failure_of_any_call_is_named_and_leaves_the_old_or_is_done_again(place: Path, error: str) -> None:
    rows = rows_after(place, "fail", getattr(errno, error))
    assert len(rows) > 50
    for row in rows:
        assert row["contents"] == (["new"] if row["status"] == 0 else ["old"]), row
        assert not row["hidden"]
        said = f"cannot be written: {os.strerror(getattr(errno, error))}; needed"
        assert row["status"] == 0 or (said in row["said"] and str(place / "files") in row["said"])


def decided(folder: Path) -> None:
    """Leave the state of a run that was killed when it had decided, and before it renamed."""
    for name in ("a", "b"):
        (folder / f".{name}.part").write_text("new")
        (folder / name).write_text("old")
    moves = [[".a.part", "a"], [".b.part", "b"]]
    about = {"format": "audiogmm moves 1", "moves": moves, "first": ".x.moves", "others": []}
    (folder / ".x.moves").write_text(json.dumps(sealed(about)))


def test_the_next_writer_and_whoever_locks_complete_it(tmp_path: Path) -> None:
    for number, complete in enumerate(
        (
            lambda folder: refuse_overwrite(folder / "c", force=False),
            lambda folder: exclusive(folder / "c").__enter__(),
            finish_moves,
        )
    ):
        (folder := tmp_path / str(number)).mkdir()
        decided(folder)
        complete(folder)
        assert (folder / "a").read_text() == (folder / "b").read_text() == "new"
        assert names(folder)[-2:] == ["a", "b"] and ".x.moves" not in names(folder)


def test_what_is_decided_is_not_swept(tmp_path: Path) -> None:
    decided(tmp_path)
    dead = tmp_path / ".a.run-00000000-00000000-0-0-0-x.part"
    dead.write_text("half")
    sweep.cache_clear()
    sweep(tmp_path)
    assert len(names(tmp_path)) == 6


def test_a_run_that_is_at_it_is_left_alone(tmp_path: Path) -> None:
    decided(tmp_path)
    with (tmp_path / ".x.moves").open("r+b") as file:
        assert lock_file(file, wait=False)
        finish_moves(tmp_path)
        assert (tmp_path / "a").read_text() == "old"
    finish_moves(tmp_path)
    assert (tmp_path / "a").read_text() == "new"


def test_files_that_name_each_other_hold_nobody_up(tmp_path: Path) -> None:
    for name in ("x", "y"):
        other = f".{'y' if name == 'x' else 'x'}.moves"
        about = {"format": "audiogmm moves 1", "moves": [], "first": other, "others": []}
        (tmp_path / f".{name}.moves").write_text(json.dumps(sealed(about)))
    finish_moves(tmp_path, wait=True)
    assert names(tmp_path) == [".x.moves", ".y.moves"]


@pytest.mark.parametrize(
    "change",
    [
        {"moves": [[".a.part", "../elsewhere"], [".b.part", "b"]]},
        {"moves": [["../.a.part", "a"], [".b.part", "b"]]},
        {"moves": [["notes", "a"], [".b.part", "b"]]},
        {"moves": [[".a.part", "a", "b"]]},
        {"moves": [[".a.part", 1]]},
        {"moves": None},
        {"format": "audiogmm moves 2"},
        {"first": "../.x.moves"},
        {"first": 3},
    ],
)
def test_a_file_from_elsewhere_moves_nothing(tmp_path: Path, change: dict[str, Any]) -> None:
    (folder := tmp_path / "folder").mkdir()
    decided(folder)
    (folder / "notes").write_text("mine")
    about = json.loads((folder / ".x.moves").read_text()) | change
    (folder / ".x.moves").write_text(json.dumps(sealed(about)))
    finish_moves(folder)
    assert names(tmp_path) == ["folder"]
    assert names(folder) == [".a.part", ".b.part", "a", "b", "notes"]
    assert (folder / "a").read_text() == (folder / "b").read_text() == "old"


def test_a_damaged_file_moves_nothing(tmp_path: Path) -> None:
    decided(tmp_path)
    content = (tmp_path / ".x.moves").read_text().replace('"b"', '"c"')
    (tmp_path / ".x.moves").write_text(content)
    finish_moves(tmp_path)
    assert names(tmp_path) == [".a.part", ".b.part", "a", "b"]


def test_a_failed_block_leaves_the_old_files_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), together():
        for name in ("a", "b"):
            with replacing(tmp_path / name, force=True) as temporary:
                temporary.write_text("new")
        raise KeyboardInterrupt
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


def test_a_transaction_in_another_is_a_part_of_it(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), together():
        with together(), replacing(tmp_path / "a") as temporary:
            temporary.write_text("new")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_what_is_written_inside_an_output_is_there_at_once(tmp_path: Path) -> None:
    with together(), replacing(tmp_path / "folder") as temporary:
        with replacing(temporary / "model") as inner:
            inner.write_text("inner")
        assert (temporary / "model").read_text() == "inner"
    assert (tmp_path / "folder" / "model").read_text() == "inner"


def test_a_rename_that_fails_for_good_is_left_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / f".{name}.part").write_text("new")
    rename = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if Path(target).name == "b":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    moves = [(tmp_path / ".a.part", tmp_path / "a"), (tmp_path / ".b.part", tmp_path / "b")]
    called: list[str] = []
    with pytest.raises(OSError, match="Input/output"):
        move_together(moves, lambda: called.append("decided"))
    assert called == ["decided"] and (tmp_path / ".b.part").exists()
    monkeypatch.undo()
    finish_moves(tmp_path)
    assert names(tmp_path) == ["a", "b"]


def test_an_output_that_is_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("old")
    with pytest.raises(OutputError, match="b exists already"), together():
        for name in ("a", "b"):
            with replacing(tmp_path / name) as temporary:
                temporary.write_text("new")
    assert names(tmp_path) == ["b"]
