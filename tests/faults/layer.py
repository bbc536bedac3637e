"""The layer below libc (`layer.c`): compiled when it is needed, armed for one run with one fault."""

from __future__ import annotations

import atexit
import ctypes
import errno
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ACTIONS = ("pass", "fail", "short", "kill", "stop", "vanish", "grow", "cut", "stall", "full")
KINDS = ("change", "read")
SOURCE = Path(__file__).with_name("layer.c")

WRITING = ("ENOSPC", "EDQUOT", "EIO", "EACCES", "EROFS", "ESTALE")
READING = ("EIO", "ESTALE", "ETIMEDOUT")
POSSIBLE = {  # of the others, which a call can give
    "open": ("ENOSPC", "EDQUOT", "EIO", "EACCES", "EROFS", "ESTALE", "EMFILE"),
    "close": ("EIO", "ENOSPC", "EDQUOT", "ESTALE"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT", "EROFS", "ESTALE"),
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT", "EROFS", "ESTALE"),
    "write": ("ENOSPC", "EDQUOT", "EIO", "EFBIG", "ESTALE", "EINTR"),
}


@dataclass(frozen=True)
class Fault:
    """What happens at the n-th call: an action of `ACTIONS`, with an error, a length or milliseconds."""

    kind: str = "change"
    n: int = 0
    action: str = "pass"
    argument: int = 0

    @classmethod
    def failing(cls, n: int, error: str, kind: str = "change") -> Fault:
        """Let the n-th call fail once with the error of this name."""
        return cls(kind, n, "fail", getattr(errno, error))

    def __str__(self) -> str:
        if self.action in ("fail", "full"):
            return f"{errno.errorcode[self.argument]} at {self.kind} {self.n}" + " and after" * (
                self.action == "full"
            )
        return f"{self.action} at {self.kind} {self.n}"


class Call(NamedTuple):
    """A call that was counted."""

    kind: str
    n: int
    name: str
    path: str


@functools.cache
def layer() -> Path:
    """Compile the layer once a process; raise `LayerError` where that cannot be done."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        raise LayerError("the layer of faults needs Linux and a C compiler: apt install gcc")
    folder = Path(tempfile.mkdtemp(prefix="pytest-of-faults-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = folder / "layer.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(made), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LayerError(f"the layer of faults cannot be compiled: {done.stderr.strip()}")
    return made


class LayerError(Exception):
    """There is no layer of faults on this system; the message says why."""


def environment(
    fault: Fault | None = None, folder: Path | None = None, log: Path | None = None
) -> dict[str, str]:
    """Return the environment of a process with the layer, armed where there is a fault."""
    found = os.environ | {"LD_PRELOAD": str(layer())}
    if fault is not None:
        numbers = (KINDS.index(fault.kind), fault.n, ACTIONS.index(fault.action), fault.argument)
        found["FAULTS"] = "|".join(map(str, (folder, *numbers, log or "")))
    return found


def arm(fault: Fault, folder: str, log: str = "") -> None:
    """Arm the layer that this process was started with."""
    library = ctypes.CDLL(None)
    kind, action = KINDS.index(fault.kind), ACTIONS.index(fault.action)
    longs = map(ctypes.c_long, (kind, fault.n, action, fault.argument))
    library.faults_arm(os.fsencode(folder), *longs, os.fsencode(log))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Yield a folder in memory, where the system has one: waiting for a disk a thousand times takes long."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pytest-of-faults-", dir=place) as folder:
        yield Path(folder).resolve()


def read_log(path: Path) -> list[Call]:
    """Return the calls that were counted, in their order."""
    calls = []
    for line in path.read_text(errors="surrogateescape").splitlines() if path.exists() else ():
        kind, n, name, where = line.split(" ", 3)
        calls.append(Call(KINDS[int(kind)], int(n), name.removesuffix("64"), where))
    return calls
