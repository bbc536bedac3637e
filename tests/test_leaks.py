"""The watch over what tests leave behind can fail."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests import leaks


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PATIENCE", 0.05)


def test_a_thread_is_seen_and_its_end() -> None:
    before, stop = leaks.state(), threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten")
    thread.start()
    assert leaks.left_since(before) == ["thread forgotten"]
    stop.set()
    thread.join()
    assert leaks.left_since(before) == []


def test_a_process_is_seen() -> None:
    before = leaks.state()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (left,) = leaks.left_since(before)
        assert left.startswith(f"process {process.pid}")
    assert leaks.left_since(before) == []


def test_an_open_file_and_a_temporary_file_are_seen(tmp_path: Path) -> None:
    before = leaks.state()
    file = (tmp_path / "a").open("w")
    assert leaks.left_since(before) == [f"open file {tmp_path / 'a'}"]
    file.close()
    kept = Path(tempfile.mkdtemp())
    assert leaks.left_since(before) == [f"temporary file {kept.name}"]
    kept.rmdir()
    assert leaks.left_since(before) == []
