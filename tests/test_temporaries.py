"""What a killed run left is removed by the next one, and nothing of a run that goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audiogmm.files import replacing
from audiogmm.temporaries import owner_mark, sweep

pytestmark = pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs /proc")

RUN = """
import sys, tempfile, time
from pathlib import Path
from audiogmm.files import replacing
from audiogmm.temporaries import temporary_prefix
folder = Path(sys.argv[1])
Path(tempfile.mkdtemp(prefix=temporary_prefix(), dir=folder), "spool").write_text("frames")
with replacing(folder / "out.npz") as file, replacing(folder / "results") as made:
    file.write_text("half")
    made.mkdir()
    (made / "inner").write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that has written three temporaries, and waits."""
    command = [sys.executable, "-c", RUN, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
            yield process
        finally:
            process.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with running(tmp_path) as process:
        left = names(tmp_path)
        assert len(left) == 3
        sweep.cache_clear()
        sweep(tmp_path)
        assert names(tmp_path) == left  # it goes on
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert names(tmp_path) == left
    sweep.cache_clear()
    with replacing(tmp_path / "out.npz") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == ["out.npz"]


@pytest.mark.parametrize(
    ("field", "other", "gone"),
    [
        ("machine", "00000000", False),
        ("boot", "00000000", True),
        ("space", "1", False),
        ("process", str(2**22 + 1), True),  # above the largest that Linux has
        ("start", "1", True),  # the number is another process' now
    ],
)
def test_what_is_not_proven_dead_is_left(tmp_path: Path, field: str, other: str, gone: bool) -> None:
    marks = owner_mark().split("-")
    marks[1 + ["machine", "boot", "space", "process", "start"].index(field)] = other
    path = tmp_path / f".out.{'-'.join(marks)}.part.npz"
    path.write_text("half")
    if field == "boot":  # one that was written since then may be of a machine with the same name
        sweep.cache_clear()
        sweep(tmp_path)
        assert path.exists()
        before = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - 60
        os.utime(path, (before, before))
    mine = tmp_path / f".out.{owner_mark()}.part.npz"
    for kept in (mine, tmp_path / ".out.run-me.part", tmp_path / "run-0-0-0-0-0-0"):
        kept.write_text("kept")
    sweep.cache_clear()
    sweep(tmp_path)
    assert path.exists() != gone
    assert len(names(tmp_path)) == 3 + (not gone)
