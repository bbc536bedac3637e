"""Temporary files: their names say whose they are, and those of a process that is gone are removed.

A process that is killed removes nothing. The next run that writes in the same folder does it, if it can prove
that the process has ended: the same machine, and since then started again, or without that process. A file
of another machine or another container, or where there is no ``/proc``, is left alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

INTENT = ".moves"
"""The end of the name of a file that says what is to be renamed, see `moves`."""

_PROC = Path("/proc")
_NAME = re.compile(
    r"^(?:\..*\.|audiogmm-)run-(?P<machine>\w{8})-(?P<boot>\w{8})-(?P<space>\d+)-(?P<process>\d+)"
    r"-(?P<start>\d+)-"
)


def owner_mark() -> str:
    """Return a part of a file name that says which process of which machine made it, and a random end."""
    return f"{_owner(os.getpid())}{secrets.token_hex(6)}"


def temporary_prefix(folder: str | None = None) -> str:
    """Return how the name of a file in the temporary folder begins; what dead runs left there is removed."""
    sweep(Path(folder or tempfile.gettempdir()))
    return f"audiogmm-{_owner(os.getpid())}"


@lru_cache(maxsize=4096)
def sweep(folder: Path) -> None:
    """Remove temporary files in a folder whose process has provably ended: once a process and folder.

    Where a run that was cut off had decided to rename some, see `moves`, none is removed.
    """
    with suppress(OSError), os.scandir(folder) as scanned:
        entries = list(scanned)
        if any(entry.name.endswith(INTENT) for entry in entries):
            return
        for entry in entries:
            if (found := _NAME.match(entry.name)) and _is_left(found, entry.stat(follow_symlinks=False)):
                remove(Path(entry.path))


def remove(path: Path) -> None:
    """Remove a file or a folder with all that it holds, if it is there; never raises an `OSError`."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_left(name: re.Match[str], about: os.stat_result) -> bool:
    """Return whether the process that a name speaks of has ended, as far as can be proven."""
    own = _NAME.match(f"audiogmm-{_owner(os.getpid())}")
    if own is None or own["machine"] != name["machine"]:
        return False
    if own["boot"] != name["boot"]:  # a machine with the same name would have written since this one started
        return about.st_mtime < time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return own["space"] == name["space"] and _start_of(int(name["process"])) != name["start"]


@lru_cache(maxsize=16)
def _owner(process: int) -> str:
    """Return the mark of a process; empty where the system does not tell."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        space = "".join(filter(str.isdigit, str((_PROC / "self/ns/pid").readlink())))
        start = _start_of(process)
    except OSError:
        return ""
    machine = socket.gethostname()
    with suppress(OSError):
        machine += Path("/etc/machine-id").read_text()
    return f"run-{_short(machine)}-{_short(boot)}-{space}-{process}-{start}-"


def _start_of(process: int) -> str | None:
    """Return when a process was started, in ticks since the machine was; None if there is none."""
    try:
        return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=4).hexdigest()
