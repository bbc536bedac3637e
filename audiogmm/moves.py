"""Renaming into place: one file, or several as one transaction that a run which is cut off does not tear.

What is to be renamed is first written down in a small file, hidden in the folder of the outputs, and on the
disk. From that moment on all of it is done: by this run, or, where it is killed or loses power before the
last name, by the next run that writes in the folder, or by what reads there. That file names what lies in
its own folder alone, and is locked by the run that wrote it. Where there are several folders, each has one,
and the first decides: those of the others count only while it is there.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from audiogmm.checksum import is_intact, sealed
from audiogmm.documents import parse_document
from audiogmm.system import is_windows, lock_file
from audiogmm.temporaries import INTENT, owner_mark, remove
from audiogmm.types import Json

FORMAT = "audiogmm moves 1"

Move = tuple[Path, Path]
"""A temporary, and its final name in the same folder."""


def move_together(moves: Sequence[Move], decided: Callable[[], object] = lambda: None) -> None:
    """Rename temporaries that are on the disk to their final names: all of them, or none.

    Parameters
    ----------
    moves : sequence of (Path, Path)
        Each in its folder.
    decided : callable
        Called once they will all be done, by whichever run: the temporaries are to be left alone then.

    Raises
    ------
    OSError
        If the disk refuses. Where it does so after it is decided, the next run does the rest.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in "abcd":
    ...     _ = (folder / name).write_text(name)
    >>> move_together([(folder / "a", folder / "c"), (folder / "b", folder / "d")])
    >>> [(file.name, file.read_text()) for file in sorted(folder.iterdir())]
    [('c', 'a'), ('d', 'b')]
    """
    if len(moves) == 1 and not _merges(*moves[0]):
        _move_all(moves)
        return
    folders: dict[Path, list[Move]] = {}
    for move in moves:
        folders.setdefault(move[1].parent, []).append(move)
    name = f".{moves[0][1].name[:80]}.{secrets.token_hex(6)}{INTENT}"
    first, *others = intents = [folder / name for folder in folders]
    try:
        with ExitStack() as locks:
            for intent in reversed(intents):  # the one that decides comes last
                _write(intent, folders[intent.parent], first, others, locks)
            decided()
            try:
                _move_all(moves)
            except OSError:  # a fault that may have passed
                _move_all(moves)
    except BaseException:
        if not first.exists():
            for intent in others:
                remove(intent)
        raise
    for intent in [*others, first]:
        remove(intent)


def finish_moves(folder: Path, *, wait: bool = False) -> None:
    """Complete what a run that was cut off had decided to rename in a folder, and drop what it had not.

    What another run is doing is left to it; with `wait`, until it is done.
    """
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.name.endswith(INTENT):
                with suppress(OSError):
                    _finish(path, wait)


def sync_all(path: Path) -> None:
    """Have a file, or a folder with all that it holds, on the disk: it outlasts a power failure.

    Raises
    ------
    OSError
        If the disk could not take it.
    """
    if path.is_dir():
        if hasattr(os, "sync"):
            os.sync()  # all at once; what follows waits, and finds what failed
        for folder, _, files in os.walk(path):
            for file in (Path(folder, name) for name in files):
                with suppress(FileNotFoundError, PermissionError):  # what others put there is not our matter
                    if stat.S_ISREG(file.lstat().st_mode):
                        sync(file)
            sync(Path(folder))
    else:
        sync(path)


def sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder; Windows writes names by itself."""
    if is_windows() and path.is_dir():
        return
    file = os.open(path, os.O_RDWR if is_windows() else os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(file)


def move(temporary: Path, final: Path) -> None:
    """Rename into place; into a folder that holds something, file by file."""
    if _merges(temporary, final):
        for file in sorted(temporary.iterdir()):
            move(file, final / file.name)
        temporary.rmdir()
    else:
        if is_windows() and temporary.is_dir() and final.is_dir():  # empty; Windows renames onto no folder
            final.rmdir()
        temporary.replace(final)


def _merges(temporary: Path, final: Path) -> bool:
    """Return whether the files of a folder are to be renamed one by one."""
    return temporary.is_dir() and final.is_dir() and any(final.iterdir())


def _move_all(moves: Sequence[Move]) -> None:
    """Rename those that are not renamed yet, and have the new names on the disk."""
    for temporary, final in moves:
        if os.path.lexists(temporary):
            move(temporary, final)
    for folder in dict.fromkeys(final.parent for _, final in moves):
        sync(folder)


def _write(path: Path, moves: Sequence[Move], first: Path, others: Sequence[Path], locks: ExitStack) -> None:
    """Write down what is to be renamed in one folder, and lock it until `locks` are closed."""
    document: Json = {
        "format": FORMAT,
        "moves": [[temporary.name, final.name] for temporary, final in moves],
        "first": _relative(first, path.parent),
        "others": [_relative(other, path.parent) for other in others],
    }
    temporary = path.with_name(f".moves.{owner_mark()}.part")
    try:
        with temporary.open("xb") as file:
            file.write(json.dumps(sealed(document)).encode())
        sync(temporary)
        if not is_windows():  # which renames no open file
            _lock(temporary, locks)
        temporary.replace(path)
        sync(path.parent)
    except BaseException:
        remove(temporary)
        remove(path)
        raise
    if is_windows():
        _lock(path, locks)


def _lock(path: Path, locks: ExitStack) -> None:
    file = path.open("r+b")
    locks.callback(close_quietly, file)
    with suppress(OSError):  # a file system without locks
        lock_file(file, wait=True)


def close_quietly(file: IO[bytes]) -> None:
    """Close a file to which nothing was written: that the disk refuses it changes nothing."""
    with suppress(OSError):
        file.close()


def _finish(path: Path, wait: bool) -> None:
    """Do what one file says, unless the run that wrote it is at it."""
    done = [path]
    with path.open("r+b") as file:
        if not lock_file(file, wait=wait):
            return
        document = _parse(file.read())
        if document is not None:
            first = path.parent / document["first"]
            if first.exists() and not first.samefile(path):
                _finish(first, wait=False)  # whose run held this one, too
                return
            if first.exists():
                _move_all(_moves(path.parent, document))
                done = [*_finish_others(path, document["others"]), path]
    for each in done:
        remove(each)


def _finish_others(first: Path, others: Sequence[str]) -> list[Path]:
    """Do what the files of the other folders say that name `first` as the one that decides."""
    done = []
    for other in (first.parent / name for name in others):
        document = _parse(other.read_bytes()) if other.is_file() else None
        if document is not None and (other.parent / document["first"]).samefile(first):
            _move_all(_moves(other.parent, document))
            done.append(other)
    return done


def _moves(folder: Path, document: Json) -> list[Move]:
    return [(folder / temporary, folder / final) for temporary, final in document["moves"]]


def _parse(content: bytes) -> Json | None:
    """Read what `_write` wrote; None if it is damaged, or names anything outside its folder."""
    try:
        document = parse_document(content)
        names = [name for move in document["moves"] for name in move]
        whole = is_intact(document) and document["format"] == FORMAT
        inside = all(name == Path(name).name not in ("", "..") for name in names)
        hidden = all(temporary.startswith(".") and ".part" in temporary for temporary, _ in document["moves"])
        texts = all(isinstance(name, str) for name in (document["first"], *document["others"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return document if whole and inside and hidden and texts else None


def _relative(path: Path, folder: Path) -> str:
    """Return a path as it is seen from a folder, so that both may be moved; as it is on another drive."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return str(path)
