"""What a disk refuses while rows are put into a file names that file."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import OutputError
from audiogmm.runs.growing_file import GrowingFile
from audiogmm.runs.journal import Journal


class Failing:
    """A file whose disk fails in one call."""

    def __init__(self, file: Any, call: str) -> None:
        self._file, self._call = file, call

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            if name == "close":
                self._file.close()
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return getattr(self._file, name)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def choose(call: str) -> None:
        opened = Path.open

        def failing_open(path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
            file = opened(path, mode, *given, **named)
            return Failing(file, call) if mode == "a+b" else file

        monkeypatch.setattr(Path, "open", failing_open)

    return choose


@pytest.mark.parametrize("call", ["truncate", "write", "close"])
def test_the_file_is_named(tmp_path: Path, failing: Any, call: str) -> None:
    failing(call)
    said = r"rows cannot be written: Stale file handle; .*mount the network"
    with pytest.raises(OutputError, match=said), GrowingFile(tmp_path / "rows") as file:
        file.cut(0)
        file.append(b"one")


def test_what_ended_the_run_is_raised_though_closing_fails_too(tmp_path: Path, failing: Any) -> None:
    failing("close")
    with pytest.raises(KeyboardInterrupt), GrowingFile(tmp_path / "rows"):
        raise KeyboardInterrupt


def test_a_journal_that_cannot_be_closed_becomes_no_ledger(
    tmp_path: Path, failing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing("close")
    said = r"out\.journal cannot be written: Stale file handle"
    with pytest.raises(OutputError, match=said), Journal(tmp_path / "out", key="one") as journal:
        journal.write({"id": "a"})
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["out.journal"]
    with Journal(tmp_path / "out", key="one", resume=True) as again:
        assert list(again.finished) == ["a"]
