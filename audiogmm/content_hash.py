"""Content hashes of files: of all bytes, or of blocks spread over a long one, which costs always the same."""

from __future__ import annotations

import hashlib
import os
import stat
from os import PathLike

BLOCKS, BLOCK = 8, 4096
"""Blocks of a long file that are hashed, and bytes in each: the first, the last, and others between them."""


def hash_blocks(path: str | PathLike[str]) -> str | None:
    """Return a hash of a file's size and of up to `BLOCKS` spread blocks; None where it cannot be read.

    All of a file of up to 32 KiB is hashed. A longer one is found changed if its size is, or if one of the
    blocks is, as after another encoding, gain, cut or header. A change between the blocks that keeps the size
    is not found.

    Examples
    --------
    >>> hash_blocks(__file__) == hash_blocks(__file__), hash_blocks("no such file")
    (True, None)
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a hot path; a pipe would wait for its writer
            return None
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        size = os.fstat(file).st_size
        digest = hashlib.sha256(size.to_bytes(8, "little"))
        last = max(size - BLOCK, 0)
        for place in range(0, size, BLOCK) if size <= BLOCKS * BLOCK else _spread(last):
            os.lseek(file, place, os.SEEK_SET)
            left = BLOCK
            while left and (
                piece := os.read(file, left)
            ):  # a network disk may give less than it is asked for
                digest.update(piece)
                left -= len(piece)
        return digest.hexdigest()[:32]
    except OSError:
        return None
    finally:
        os.close(file)


def hash_file(path: str | PathLike[str]) -> str:
    """Return the SHA-256 of all bytes of a file, hexadecimal.

    Raises
    ------
    OSError
        If it cannot be read.

    Examples
    --------
    >>> len(hash_file(__file__))
    64
    """
    with open(path, "rb") as file:  # noqa: PTH123 - as fast as it goes
        return hashlib.file_digest(file, "sha256").hexdigest()


def _spread(last: int) -> list[int]:
    return [last * block // (BLOCKS - 1) for block in range(BLOCKS)]
