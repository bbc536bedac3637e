"""The lock under which kernels are compiled: one process at a time, so that each is compiled once."""

from __future__ import annotations

import contextlib
import logging
from multiprocessing import parent_process
from pathlib import Path
from typing import IO, Any

from audiogmm.system import lock_file

LOCK = "audiogmm-compiling.lock"
"""A file in the folder that keeps the machine code."""

ONCE = "compiling, the first time for each kind of work (up to 20 s)"
AT_EVERY_START = (
    "compiling (up to 20 s), at every start: no folder can be written; try NUMBA_CACHE_DIR=FOLDER"
)


class CompileLock:
    """The right of this process to compile: from the first kernel that is not kept to the end.

    Kernels that a kernel calls are compiled under the same lock. It is used under numba's compiler lock, so
    that a process takes it once at a time.

    Examples
    --------
    >>> import tempfile
    >>> folder, lock = tempfile.TemporaryDirectory(), CompileLock()
    >>> with lock, lock:
    ...     lock.acquire(folder.name), lock.acquire(folder.name)
    (True, False)
    >>> folder.cleanup()
    """

    def __init__(self) -> None:
        self._depth = 0
        self._file: IO[Any] | None = None

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._file is not None:
            self._file.close()
            self._file = None

    def acquire(self, folder: str) -> bool:
        """Wait for the processes that compile into a folder; return whether the lock was taken now.

        False, too, where it has the lock already, and where the folder takes no lock.
        """
        if self._file is not None or self._depth == 0:
            return False
        with contextlib.suppress(OSError):
            Path(folder).mkdir(parents=True, exist_ok=True)
            file = Path(folder, LOCK).open("ab")  # noqa: SIM115 - closed on exit
            try:
                lock_file(file, wait=True)
            except BaseException:
                file.close()
                raise
            self._file = file
            return True
        return False


COMPILE_LOCK = CompileLock()
"""Of this process."""

_ANNOUNCED: set[str] = set()


def announce(message: str = ONCE) -> None:
    """Say once in a process why nothing seems to happen, to the logger `audiogmm` (on standard error).

    Worker processes leave it to the process that started them.

    Examples
    --------
    >>> announce.__name__
    'announce'
    """
    if message not in _ANNOUNCED and parent_process() is None:
        _ANNOUNCED.add(message)
        logging.getLogger("audiogmm").warning(message)
