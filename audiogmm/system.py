"""What differs between Linux, macOS and Windows: the one place that asks which of them it is.

Tests replace `name` to read what the package does elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_WINDOWS_DEADLOCK = 36
"""What Windows calls a lock that was not to be had in ten seconds; its number is not in `errno` elsewhere."""


def name() -> str:
    """Return ``posix`` (Linux, macOS and their like) or ``nt`` (Windows).

    Examples
    --------
    >>> name() in ("posix", "nt")
    True
    """
    return os.name


def is_windows() -> bool:
    """Return whether this is Windows.

    Examples
    --------
    >>> is_windows() == (name() == "nt")
    True
    """
    return name() == "nt"


def with_slashes(path: str) -> str:
    """Return a path as manifests have it: with slashes, which Windows takes, too.

    Examples
    --------
    >>> with_slashes("a/b.wav")
    'a/b.wav'
    """
    return path.replace("\\", "/") if is_windows() else path


def is_absolute(path: str) -> bool:
    """Return whether a path with slashes needs no folder before it: on Windows, with a drive or a share.

    Examples
    --------
    >>> is_absolute("/data/a.wav"), is_absolute("a.wav")
    (True, False)
    """
    return path.startswith("/") or (is_windows() and path[1:3] == ":/" and path[0].isalpha())


def special_kind(mode: int) -> str | None:
    """Return what a file of this mode is that has no end or would wait for one: None for files and folders.

    Examples
    --------
    >>> special_kind(os.stat("/dev/null").st_mode), special_kind(os.stat(".").st_mode)
    ('a device', None)
    """
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else None


def native_name(path: str) -> str | bytes:
    """Return a file name as C libraries take it: bytes, which need not be text; on Windows, text.

    Examples
    --------
    >>> native_name("a.wav") in (b"a.wav", "a.wav")
    True
    """
    return path if is_windows() else os.fsencode(path)


def activation() -> str | None:
    """Return the command that activates this process' virtual environment; None if none needs it.

    Examples
    --------
    >>> activation() is None or "activate" in activation()
    True
    """
    if sys.prefix == sys.base_prefix or os.environ.get("VIRTUAL_ENV") == sys.prefix:
        return None
    return f'"{sys.prefix}\\Scripts\\activate"' if is_windows() else f'. "{sys.prefix}/bin/activate"'


def lock_file(file: IO[Any], *, wait: bool) -> bool:
    """Lock an open file against other processes and other openings of it, until it is closed.

    Parameters
    ----------
    file : file object
        Opened for writing.
    wait : bool
        Wait until the process that has it gives it back.

    Returns
    -------
    bool
        Whether it is locked now; False if another has it. True where the system has no such locks.

    Raises
    ------
    OSError
        If the file system takes no locks.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file, open(file.name, "ab") as again:
    ...     lock_file(file, wait=False), lock_file(again, wait=False)
    (True, False)
    """
    if is_windows():
        return _lock_on_windows(file, wait)
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _lock_on_windows(file: IO[Any], wait: bool) -> bool:
    """Lock the first byte of a file: Windows locks ranges, for ten seconds of attempts at a time."""
    import importlib

    msvcrt: Any = importlib.import_module("msvcrt")
    file.seek(0)
    while True:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK, _WINDOWS_DEADLOCK):
                raise
            if wait:
                continue
            return False
        return True


def resident_bytes() -> int | None:
    """Return the resident memory of this process and all that it started, bytes; None where it is not told.

    A page that several processes share counts for each.

    Examples
    --------
    >>> found = resident_bytes()
    >>> found is None or found > 1_000_000
    True
    """
    total, waiting = 0, [os.getpid()]
    try:
        size = os.sysconf("SC_PAGE_SIZE")
        _pages(waiting[0])
    except (AttributeError, OSError, ValueError):  # no /proc
        return None
    while waiting:
        process = waiting.pop()
        with suppress(OSError):  # it has ended
            total += size * _pages(process)
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
    return total


def _pages(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1])
