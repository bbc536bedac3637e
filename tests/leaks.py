"""What a test leaves behind: threads, processes, open files, temporary files."""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

KEPT_FILES = ("pytest-of-", "org.chromium.", "pulse-", "pymp-", "dask-scratch-space", "sklearn_testing_")
"""Temporary files that live as long as a process, by the beginnings of their names."""

PATIENCE = 10.0
"""Seconds in which what is ending may end: a thread that was told to stop, a process that is being reaped."""

KEPT_PROCESSES = ("resource_tracker", "forkserver", "semaphore_tracker")
"""Helpers of multiprocessing that live as long as the process."""

KEPT_THREADS = ("Dask-", "Profile", "TCP-Executor", "asyncio_", "IO loop", "ThreadPoolExecutor")
"""Threads that a library keeps for later, by the beginnings of their names."""


def threads() -> set[str]:
    """Names of the threads that run."""
    return {
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.name.startswith(KEPT_THREADS)
    }


def processes() -> set[str]:
    """The children of this process, on a system that tells."""
    found = set()
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            try:
                command = (
                    Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
            if not any(kept in command for kept in KEPT_PROCESSES):
                found.add(f"process {pid} {command[:80]}")
    return found


def open_files() -> set[str]:
    """The regular files that are open, those of the interpreter and of compiled code left out."""
    found = set()
    for entry in Path("/proc/self/fd").glob("*"):
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        kept = ("/dev/", "/proc/", f"{sys.prefix}/")  # fonts, say, which matplotlib keeps open
        if target.startswith("/") and not target.startswith(kept) and Path(target).is_file():
            found.add(f"open file {target}")
    return found


def temporary_files() -> set[str]:
    """What lies in the folder of temporary files, but for those of pytest, a browser and multiprocessing."""
    names = [path.name for path in Path(tempfile.gettempdir()).iterdir()]
    return {f"temporary file {name}" for name in names if not name.startswith(KEPT_FILES)}


LOOKS: tuple[Callable[[], set[str]], ...] = (threads, processes, open_files, temporary_files)


def state() -> set[str]:
    """All that a test could leave behind, as it is now."""
    return set().union(*(look() for look in LOOKS))


def left_since(before: set[str]) -> list[str]:
    """What has come since, and stays although garbage is collected and it is waited for."""
    left = state() - before
    if left:
        gc.collect()
        until = time.monotonic() + PATIENCE
        while (left := state() - before) and time.monotonic() < until:
            time.sleep(0.02)
    return sorted(left)
