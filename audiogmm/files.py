"""Write beside the final name, rename into place: half a file is never seen."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from audiogmm.errors import AudioGMMError, OutputError
from audiogmm.moves import Move, close_quietly, finish_moves, move, move_together, sync, sync_all
from audiogmm.system import is_windows, lock_file
from audiogmm.temporaries import owner_mark, remove, sweep

_DISK = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EFBIG: "write to a file system that holds larger files",
    errno.EROFS: "write to another folder: this file system is read-only",
    errno.EIO: "check the disk, or write to another one",
    errno.ESTALE: "mount the network disk again, or write to another one",
    errno.ETIMEDOUT: "check the network disk, or write to another one",
}
"""Failures that only writing has, wherever inside the block they surface, and what helps."""

_LONGEST_NAME = 255  # bytes in a file name, on every common file system

_TOGETHER: ContextVar[tuple[list[Move], ExitStack] | None] = ContextVar("outputs of one run", default=None)


@contextmanager
def replacing(path: str | os.PathLike[str], *, force: bool = False, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when the block ends well.

    Nothing exists yet at the temporary path: the block makes a file or a folder there. It has the suffix
    of the final name, since some writers choose their format, or append a suffix, by it. Whatever ends
    the block early, Ctrl-C and a full disk included, the temporary is removed and what was at `path`
    stays as it was. What a killed run left in the folder is removed, too, see `temporaries`. Missing parent
    folders are made; symbolic links are followed; a device or a pipe, such as ``/dev/stdout``, is written
    to directly.

    A folder takes the place of a missing or an empty one as a whole. With `force`, its files are renamed
    one by one into a folder that holds something already, and what else lies there is left alone.

    Parameters
    ----------
    path : path-like
        Final name of a file or a folder.
    force : bool
        Replace what is there.
    durable : bool
        Have it on the disk before it is renamed, and the new name before the block is left: what a power
        failure leaves is the old file or the new one. For one file of many, False, and `settle` their folder
        at the end: until then a power failure leaves the old file or the new one, or half of the new one
        where there was none.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        If `path` exists (and not `force`), its folder cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "notes.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [(file.name, file.read_text()) for file in folder.iterdir()]
    [('notes.txt', 'whole')]
    """
    path = Path(path)
    refuse_overwrite(path, force)
    final = Path(os.path.realpath(path))
    if final.exists() and not final.is_file() and not final.is_dir():
        with _naming(path, final):
            yield final
        return
    with _naming(path, final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
    sweep(final.parent)
    temporary = final.parent / _temporary_name(final.name)
    with ExitStack() as stack, _naming(path, temporary, replaced=True):
        stack.callback(remove, temporary)  # a no-op once moved
        waiting = _TOGETHER.get() if durable else None
        outer = _TOGETHER.set(None)
        try:
            yield temporary
        finally:
            _TOGETHER.reset(outer)
        if durable or final.is_file():
            sync_all(temporary)
        if waiting:
            waiting[0].append((temporary, final))
            waiting[1].push(stack.pop_all())
        elif durable:
            _put([(temporary, final)], stack)
        else:
            move(temporary, final)


def _put(moves: Sequence[Move], temporaries: ExitStack) -> None:
    """Move outputs to their places; they are no longer removed with `temporaries` once it is decided."""
    try:
        move_together(moves, temporaries.pop_all)
    except OSError as error:
        named = [final for temporary, final in moves if str(temporary) in (error.filename, error.filename2)]
        raise unwritable((named or [moves[0][1]])[0], error) from error


@contextmanager
def together() -> Iterator[None]:
    """Let all durable outputs that `replacing` writes inside the block appear at its end, or none.

    A run that is killed, or a power failure, leaves all of the old files or, once it is decided, all of the
    new ones: the next run that writes in one of their folders, or `finish_moves`, does the rest. Until
    the end of the block nothing of it can be read under its final name. What other threads write is not held.

    Raises
    ------
    OutputError
        If one of them cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with together():
    ...     for name in ("events.jsonl", "events.jsonl.run.json"):
    ...         with replacing(folder / name) as temporary:
    ...             _ = temporary.write_text("whole")
    ...     (folder / "events.jsonl").exists()
    False
    >>> sorted(file.name for file in folder.iterdir())
    ['events.jsonl', 'events.jsonl.run.json']
    """
    if _TOGETHER.get() is not None:  # a part of a larger one
        yield
        return
    moves: list[Move] = []
    with ExitStack() as stack:
        outer = _TOGETHER.set((moves, stack))
        try:
            yield
        finally:
            _TOGETHER.reset(outer)
        if moves:
            _put(moves, stack)


@contextmanager
def exclusive(path: str | os.PathLike[str], of: Path | None = None) -> Iterator[None]:
    """Keep the output `path` to this run until the block ends: another process or thread is refused.

    The lock is a hidden file beside it, which a run that was killed may leave; that holds nobody up. Where
    the system has no such locks, nothing is done.

    Parameters
    ----------
    path : path-like
    of : Path, optional
        The output that `path` belongs to, which the message names.

    Raises
    ------
    OutputError
        If another run has it, or its folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> model = Path(tempfile.mkdtemp()) / "room.agmm"
    >>> with exclusive(model), exclusive(model):
    ...     pass
    Traceback (most recent call last):
    ...
    audiogmm.errors.OutputError: another run is writing ...room.agmm; needed: one run for each output; ...
    """
    refuse_overwrite(path, force=True)
    final = Path(os.path.realpath(path))
    if final.exists() and not final.is_file() and not final.is_dir():  # a device or a pipe is nobody's
        yield
        return
    lock = final.with_name(f".{final.name[-200:]}.lock")
    with _naming(Path(path), lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = lock.open("ab")
            if not lock_file(file, wait=False):
                file.close()
                raise OutputError(
                    f"another run is writing {of or path}",
                    needed="one run for each output",
                    remedy="wait for that run, or name another output",
                )
            with suppress(FileNotFoundError):
                if os.path.samestat(lock.stat(), os.fstat(file.fileno())):
                    break
            file.close()  # its last holder has just removed it
    try:
        finish_moves(final.parent)
        yield
    finally:
        if is_windows():  # which removes no open file, nor one that another run has opened
            close_quietly(file)
        remove(lock)  # what stays holds nobody up
        close_quietly(file)
        with suppress(OSError):  # as are the names of all that the run removed, such as its journal
            sync(lock.parent)


def refuse_overwrite(path: str | os.PathLike[str], force: bool) -> None:
    """Raise if `path` must not, or cannot, be written: to be asked before the work, not after it.

    An empty folder may be filled.

    Parameters
    ----------
    path : path-like
        Name of the file or the folder to be written.
    force : bool
        Allow `path` to exist.

    Raises
    ------
    OutputError
        If `path` exists and not `force`; if its folder cannot be written, or is no folder.

    Examples
    --------
    >>> refuse_overwrite(__file__, force=False)
    Traceback (most recent call last):
    ...
    audiogmm.errors.OutputError: ...files.py exists already; needed: ...; try: another name, or --force
    """
    path = Path(path)
    _finish_once(Path(os.path.realpath(path)).parent)
    with _naming(path, path):
        if not force and _holds_something(path):
            raise OutputError(
                f"{path} is a folder that is not empty" if path.is_dir() else f"{path} exists already",
                needed="a new file or an empty folder, so that nothing is lost",
                remedy="another name, or --force",
            )
        if path.exists() and not path.is_dir() and not path.is_file():
            return
        folder = path if path.is_dir() else path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
    if not folder.is_dir():
        raise OutputError(
            f"{path} cannot be written: {folder} is a file", needed="a folder", remedy="another name"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"{path} cannot be written: no permission to write in the folder {folder.resolve()}",
            needed="a folder that you may write",
            remedy=f"another folder, or chmod u+w {folder}",
        )


def refuse_folder(path: str | os.PathLike[str]) -> None:
    """Raise if a file is to be written where a folder is: to be asked before the work.

    Raises
    ------
    OutputError
        If `path` is a folder.
    """
    if Path(path).is_dir():
        raise OutputError(f"{path} is a folder", needed="the name of a file", remedy="another name")


def settle(path: Path) -> None:
    """Have a file, or a folder with all that it holds, on the disk: it outlasts a power failure.

    Raises
    ------
    OutputError
        If the disk could not take it.
    """
    with _naming(path, path):
        sync_all(path)


_finish_once = lru_cache(maxsize=4096)(finish_moves)
"""What a run that was cut off had decided to rename is renamed; once a process and folder."""


def _holds_something(path: Path) -> bool:
    """Whether writing to `path` would lose something."""
    if path.is_dir():
        return any(path.iterdir())
    return path.is_file()  # devices and pipes hold nothing


def _temporary_name(name: str) -> str:
    """A hidden name with the suffix of `name`, not longer than a file system takes."""
    suffix = "".join(Path(name).suffixes[-2:])[-32:]
    tail = f".{owner_mark()}.part{suffix}"
    stem = name[: len(name) - len(suffix)].encode()[: _LONGEST_NAME - 1 - len(tail.encode())]
    return f".{stem.decode(errors='ignore')}{tail}"


@contextmanager
def _naming(path: Path, written: Path, replaced: bool = False) -> Iterator[None]:
    """Turn the system's refusals to write into an `OutputError` that names `path`, not its temporary."""
    try:
        yield
    except OutputError as error:  # of something inside it
        if replaced and str(written) in error.what:
            what = error.what.replace(str(written), str(path))
            raise OutputError(what, needed=error.needed, remedy=error.remedy) from error
        raise
    except AudioGMMError:
        raise
    except OSError as error:
        names = [Path(os.fsdecode(name)) for name in (error.filename, error.filename2) if name]
        ours = any(name == written or written in name.parents for name in names)
        # numpy's tofile has no errno when the disk is full, only "4096 requested and 512 written"
        short_write = error.errno is None and "written" in str(error)
        if not (ours or short_write or error.errno in _DISK):
            raise
        raise unwritable(path, error) from error


def unwritable(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """Return the error of a file that the system refuses to write, with what helps.

    Examples
    --------
    >>> print(unwritable("a.npz", OSError(28, "No space left on device")))
    a.npz cannot be written: No space left on device; needed: ...; try: free some space, or write to ...
    """
    return OutputError(
        f"{os.fspath(path)} cannot be written: {error.strerror or error}",
        needed="a place that takes the whole output",
        remedy=remedy_of(error),
    )


def remedy_of(error: OSError) -> str:
    """Return what helps against an error of the system.

    Examples
    --------
    >>> remedy_of(OSError(28, "No space left on device"))
    'free some space, or write to another disk'
    """
    return _DISK.get(error.errno or errno.ENOSPC, "another name or folder")
