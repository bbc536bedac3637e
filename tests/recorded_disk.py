"""A disk that records: every write that reaches it, and every flush, so that its power can be cut anywhere.

The disk is one file of a FUSE file system, which a process of its own serves, below a loop device with a real
file system. `RecordedDisk.image` makes the disk as a power failure at an instant leaves it: what came before
the last flush is there; of what came after it, as much as is asked for, since a disk may write in any order.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 4096
"""Bytes that a disk writes whole or not at all."""

MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}
"""File systems, and how each is made."""

SIZE = {"ext4": 64 << 20, "xfs": 300 << 20, "btrfs": 128 << 20}
"""Bytes; the least that each takes, or a little more."""

_RECORD = struct.Struct("<qq")  # offset and size of a write; a flush has the offset -1
_LARGEST = 1 << 20  # bytes of one request
_FORGET, _INTERRUPT, _BATCH_FORGET = 2, 36, 42  # requests without an answer


@dataclass(frozen=True)
class RecordedDisk:
    """A mounted file system above a disk that records.

    Attributes
    ----------
    folder : Path
        Where it is mounted.
    base : Path
        The disk as it was before the record begins.
    log : Path
        The record: the writes and flushes in their order.
    """

    folder: Path
    base: Path
    log: Path

    def length(self) -> int:
        """Return how many writes and flushes there were until now: an instant."""
        return sum(1 for _ in self._records())

    def image(self, path: Path, instant: int, lost: random.Random | None = None) -> None:
        """Write the disk as it is when the power fails after `instant` writes and flushes.

        Parameters
        ----------
        path : Path
            Of the image.
        instant : int
            Of `length`.
        lost : Random, optional
            Each block written since the last flush is lost with even odds; without it none is.
        """
        flushed = max((n for n, (at, _) in enumerate(self._records()) if n < instant and at < 0), default=-1)
        copy_sparsely(self.base, path)
        with path.open("r+b") as image, self.log.open("rb") as log:
            for number, (offset, size) in enumerate(self._records()):
                if number >= instant:
                    break
                log.seek(_RECORD.size, os.SEEK_CUR)
                if offset < 0:
                    continue
                content = log.read(size)
                for start in range(0, size, BLOCK):
                    if lost is None or number < flushed or lost.random() < 0.5:
                        image.seek(offset + start)
                        image.write(content[start : start + BLOCK])

    def _records(self) -> Iterator[tuple[int, int]]:
        with self.log.open("rb") as log:
            while len(head := log.read(_RECORD.size)) == _RECORD.size:
                offset, size = _RECORD.unpack(head)
                yield offset, size
                log.seek(max(size, 0), os.SEEK_CUR)


class NoDiskError(Exception):
    """Disks cannot be mounted here; it says why."""


def make_disk(path: Path, kind: str) -> None:
    """Make an empty file system of a kind of `MAKE` in a sparse file.

    Raises
    ------
    NoDiskError
        If its tool is missing.
    """
    if shutil.which(MAKE[kind][0]) is None:
        raise NoDiskError(f"{MAKE[kind][0]} is missing")
    with path.open("wb") as file:
        file.truncate(SIZE[kind])
    _run(*MAKE[kind], str(path))


@contextmanager
def mounted(disk: Path, folder: Path) -> Iterator[Path]:
    """Mount a disk on a folder.

    Raises
    ------
    NoDiskError
        If it is refused.
    """
    folder.mkdir(exist_ok=True)
    _run("mount", "-o", "loop", str(disk), str(folder))
    try:
        yield folder
    finally:
        _run("umount", str(folder))


@contextmanager
def recorded(base: Path, folder: Path, work: Path) -> Iterator[RecordedDisk]:
    """Mount a disk like `base` on a folder, and record what is written to it; `base` stays as it is.

    Raises
    ------
    NoDiskError
        If it is refused.
    """
    content, log, point = work / "content", work / "log", work / "disk"
    copy_sparsely(base, content)
    point.write_bytes(b"")
    server = subprocess.Popen(
        [sys.executable, __file__, str(point), str(content), str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        if server.stdout.readline() != b"ready\n":
            raise NoDiskError(f"FUSE is refused: {server.stderr.read().decode().strip()[-200:]}")
        with mounted(point, folder):
            yield RecordedDisk(folder, base, log)
    finally:
        subprocess.run(["umount", str(point)], capture_output=True, check=False)
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        server.kill()
        server.communicate()


def copy_sparsely(source: Path, target: Path) -> None:
    """Copy a file with its holes."""
    with source.open("rb") as read, target.open("wb") as write:
        end, at = os.fstat(read.fileno()).st_size, 0
        write.truncate(end)
        with suppress(OSError):  # ENXIO: no data behind
            while at < end:
                start = os.lseek(read.fileno(), at, os.SEEK_DATA)
                at = os.lseek(read.fileno(), start, os.SEEK_HOLE)
                read.seek(start)
                write.seek(start)
                while start < at and (piece := read.read(min(at - start, 1 << 20))):
                    write.write(piece)
                    start += len(piece)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise NoDiskError(f"{' '.join(command)}: {done.stderr.decode().strip()}")


def serve(point: Path, content: Path, log: Path) -> None:
    """Serve `content` as the file `point` until it is unmounted, and record in `log`."""
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode={stat.S_IFREG | 0o600:o},user_id=0,group_id=0".encode()
    if libc.mount(b"recorded", os.fsencode(point), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.write(1, b"ready\n")
    with content.open("r+b", buffering=0) as file, log.open("wb", buffering=0) as record:
        while True:
            try:
                request = os.read(device, _LARGEST + BLOCK)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                raise
            _, code, unique = struct.unpack_from("<IIQ", request)
            if code in (_FORGET, _BATCH_FORGET, _INTERRUPT):
                continue
            status, answer = _answer(code, request[40:], file, record)
            os.write(device, struct.pack("<IiQ", 16 + len(answer), status, unique) + answer)


def _answer(code: int, body: bytes, file: BinaryIO, record: BinaryIO) -> tuple[int, bytes]:
    """Return the error and the answer to one request of the kernel (include/uapi/linux/fuse.h)."""
    match code:
        case 26:  # INIT: big writes, many pages
            flags, pages = 1 << 5 | 1 << 22, _LARGEST // BLOCK
            about = (7, 31, _LARGEST, flags, 12, 9, _LARGEST, 1, pages, 0)
            return 0, struct.pack("<IIIIHHIIHH", *about) + bytes(32)
        case 3 | 4:  # GETATTR, SETATTR
            size = os.fstat(file.fileno()).st_size
            times = (0, 0, 0, 0, 0, 0)
            mode = (stat.S_IFREG | 0o600, 1, 0, 0, 0, BLOCK, 0)
            return 0, struct.pack("<QII6Q10I", 3600, 0, 0, 1, size, size // 512, 0, 0, 0, *times[:3], *mode)
        case 14:  # OPEN
            return 0, bytes(16)
        case 15:  # READ
            offset, size = struct.unpack_from("<8xQI", body)
            return 0, os.pread(file.fileno(), size, offset)
        case 16:  # WRITE
            offset, size = struct.unpack_from("<8xQI", body)
            os.pwrite(file.fileno(), body[40 : 40 + size], offset)
            record.write(_RECORD.pack(offset, size) + body[40 : 40 + size])
            return 0, struct.pack("<II", size, 0)
        case 20:  # FSYNC: the loop device was flushed
            record.write(_RECORD.pack(-1, 0))
            return 0, b""
        case 18 | 25 | 38:  # RELEASE, FLUSH, DESTROY
            return 0, b""
    return -errno.ENOSYS, b""


if __name__ == "__main__":
    serve(*map(Path, sys.argv[1:4]))
