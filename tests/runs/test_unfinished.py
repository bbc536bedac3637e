"""A run that was stopped may replace its own outputs; another may not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from audiogmm.errors import OutputError
from audiogmm.runs.unfinished import unfinished
from audiogmm.temporaries import sweep


def begin(outputs: list[Path], written: int, kept: bool = False, **given: bool) -> None:
    """A run that is stopped after it wrote some of its outputs."""
    with (
        pytest.raises(MemoryError),
        unfinished(outputs, resume=given.pop("resume", False), force=False) as run,
    ):
        if kept:
            run.part("all").write_text("state")
        for output in outputs[:written]:
            output.write_text("new")
        raise MemoryError


@pytest.mark.parametrize("written", [1, 2])
def test_only_the_run_that_goes_on_replaces_what_is_there(tmp_path: Path, written: int) -> None:
    outputs = [tmp_path / "table.csv", tmp_path / "m.agmm"]
    begin(outputs, written)
    with (
        pytest.raises(OutputError, match=r"table\.csv exists already"),
        unfinished(outputs, resume=False, force=False),
    ):
        pass
    with unfinished(outputs, resume=True, force=False) as run:
        assert run.goes_on
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in outputs[:written]}
    with pytest.raises(OutputError, match="exists already"), unfinished(outputs, resume=True, force=False):
        pass  # that run has ended


def test_a_run_that_changed_nothing_leaves_nothing(tmp_path: Path) -> None:
    outputs = [tmp_path / "m.agmm"]
    begin(outputs, 0)
    assert list(tmp_path.iterdir()) == []
    outputs[0].write_text("precious")
    with pytest.raises(MemoryError), unfinished(outputs, resume=False, force=True):
        raise MemoryError
    with pytest.raises(OutputError, match="exists already"), unfinished(outputs, resume=True, force=False):
        pass
    assert outputs[0].read_text() == "precious"


def test_a_new_run_removes_what_an_earlier_one_kept(tmp_path: Path) -> None:
    outputs = [tmp_path / "m.agmm"]
    begin(outputs, 0, kept=True)
    with unfinished(outputs, resume=True, force=False) as run:
        assert [file.read_text() for file in run.kept] == ["state"]
        run.part("turn1").write_text("state")
    begin(outputs, 0, kept=True)
    with unfinished(outputs, resume=False, force=False) as run:
        assert run.kept == [] and not run.goes_on


def test_one_run_at_a_time_keeps_its_state_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    same = [tmp_path / "m.agmm"], [tmp_path / "other" / "m.agmm"]
    with (
        unfinished(same[0], tmp_path / "kept", resume=False, force=False),
        pytest.raises(OutputError, match=r"another run is writing .*m\.agmm\.checkpoint"),
        unfinished(same[1], tmp_path / "kept", resume=False, force=False),
    ):
        pass


def test_what_a_killed_run_was_writing_is_removed(tmp_path: Path) -> None:
    outputs, kept = [tmp_path / "m.agmm"], tmp_path / "kept"
    with pytest.raises(MemoryError), unfinished(outputs, kept, resume=False, force=False) as run:
        run.part("all").write_text("state")
        raise MemoryError
    code = "import sys; from audiogmm.temporaries import owner_mark; print(owner_mark())"
    mark = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    (kept / f".m.agmm.{mark.strip()}.part").write_text("half a state")
    sweep.cache_clear()
    with unfinished(outputs, kept, resume=True, force=False):
        pass
    assert list(kept.iterdir()) == []
