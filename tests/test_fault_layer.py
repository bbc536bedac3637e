"""The layer of faults sees what changes files, and does what it is armed for."""

from __future__ import annotations

import errno
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.layer import Fault, LayerError, environment, layer, read_log

WRITERS = """
import pathlib, shutil, sqlite3, sys
import numpy, soundfile
from safetensors.numpy import save_file
here = pathlib.Path(sys.argv[1])
(here / "text").write_text("some words")
save_file({"a": numpy.zeros(4)}, here / "tensors")  # Rust
base = sqlite3.connect(here / "base"); base.execute("create table a (b)"); base.commit(); base.close()
soundfile.write(here / "sound.wav", numpy.zeros(100), 8000)
shutil.copyfile(here / "text", here / "copy")
(here / "folder").mkdir(); (here / "text").replace(here / "folder" / "text"); shutil.rmtree(here / "folder")
"""

CHANGES = (
    "write,pwrite64,ftruncate,fsync,fdatasync,unlink,unlinkat,mkdir,rmdir,rename,sendfile,copy_file_range"
)

OPEN_THRICE = """
import sys
for _ in range(3):
    try:
        open(sys.argv[1] + "/a", "w").close()
        print("well")
    except OSError as error:
        print(error.errno)
"""

WRITE_THRICE = """
import os, sys
file = os.open(sys.argv[1] + "/a", os.O_CREAT | os.O_WRONLY)
for _ in range(3):
    try:
        print(os.write(file, b"x" * 10))
    except OSError as error:
        print(error.errno)
"""

READ = """
import os, sys
file = os.open(sys.argv[1] + "/a", os.O_RDONLY)
try:
    print(len(os.read(file, 9000)), os.path.exists(sys.argv[1] + "/a"))
except OSError as error:
    print(error.errno)
"""


@pytest.fixture(scope="module", autouse=True)
def compiled() -> Iterator[Path]:
    try:
        yield layer()
    except LayerError as missing:
        pytest.skip(str(missing))


def run(code: str, folder: Path, fault: Fault, *before: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter with the layer, below a folder that is its first argument."""
    folder.mkdir(exist_ok=True)
    given = environment(fault, folder, folder.with_name("log"))
    command = [*before, sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


def test_it_counts_what_the_system_is_asked_for(tmp_path: Path) -> None:
    """Python, Rust, SQLite and libsndfile call through libc; strace sees what reaches the kernel."""
    if shutil.which("strace") is None:
        pytest.skip("strace is needed to count at the kernel: apt install strace")
    trace = tmp_path / "trace"
    options = ("-f", "-y", "-qq", "-o", str(trace), "-e", f"trace={CHANGES}")
    done = run(WRITERS, tmp_path / "files", Fault(), "strace", *options)
    if "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    below = [line for line in trace.read_text().splitlines() if str(tmp_path / "files") in line]
    kernel = Counter(found[1] for line in below if (found := re.match(r"\d+ +(\w+)\(", line)))
    calls = [call for call in read_log(tmp_path / "log") if call.kind == "change"]
    ours = Counter(call.name for call in calls)
    kernel["pwrite"] = kernel.pop("pwrite64")
    assert {name: ours[name] for name in kernel} == kernel
    assert {Path(call.path).name for call in calls} >= {"text", "base", "base-journal", "sound.wav", "copy"}


def test_a_call_fails_once(tmp_path: Path) -> None:
    done = run(OPEN_THRICE, tmp_path / "files", Fault.failing(3, "EDQUOT"))  # open, close; open
    assert done.stdout.split() == ["well", str(errno.EDQUOT), "well"]


def test_a_write_falls_short_and_a_disk_stays_full(tmp_path: Path) -> None:
    short, full = Fault(n=3, action="short"), Fault(n=3, action="full", argument=errno.ENOSPC)
    assert run(WRITE_THRICE, tmp_path / "one", short).stdout.split() == ["10", "5", "10"]
    assert run(WRITE_THRICE, tmp_path / "two", full).stdout.split() == ["10", "28", "28"]


def test_a_process_is_killed_before_the_call(tmp_path: Path) -> None:
    code = "import os, sys; os.mkdir(sys.argv[1] + '/a'); os.mkdir(sys.argv[1] + '/b')"
    assert run(code, tmp_path / "files", Fault(n=2, action="kill")).returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("action", "argument", "printed"),
    [
        ("fail", errno.ESTALE, "116"),
        ("short", 3, "3 True"),
        ("grow", 0, "8010 True"),
        ("cut", 4, "4 True"),
        ("stall", 1, "10 True"),
        ("vanish", 0, "10 False"),
    ],
)
def test_a_file_changes_while_it_is_read(tmp_path: Path, action: str, argument: int, printed: str) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_bytes(b"x" * 10)
    done = run(READ, tmp_path / "files", Fault("read", 2, action, argument))
    assert done.stdout.strip() == printed
