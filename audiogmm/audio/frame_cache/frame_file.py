"""The frames of one recording in one file, written whole or not at all, read in windows."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import FeatureError
from audiogmm.reading import reading
from audiogmm.timeline import FrameClock

WINDOW = 8192
"""Frames read at once: a multiple of 8, so that a window's marks begin with a byte."""

_MAGIC = b"AGMMFRM4"
_UNCHECKED = b"AGMMFRM3"  # of version 0.1: without a checksum of the header
_HEADER = struct.Struct("<8sQIIIIddI8xI")
"""Magic, frames, features, hop, length, bytes of notices, rate, offset; CRC-32 of what follows the frames,
and of the header up to there."""

_NEEDED = "the frames that were computed"
_REMEDY = "remove that file, and they are computed again; check the disk"


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A file of frames: its header, and its frames when it is iterated.

    The file is a header of 64 bytes, the frames (float32, little-endian, row after row, each with its level
    behind its features), the marks of the voiced frames (a bit each, the first in the highest place), a
    CRC-32 of each window of frames, and notices about the recording (JSON). The header holds the CRC-32 of
    all that follows the frames, and its own.

    Attributes
    ----------
    path : Path
    n_frames, n_features : int
    clock : FrameClock
    notices : tuple of str
        What deserved a warning when the frames were computed.
    checksums : tuple of int
        CRC-32 of each window's bytes.
    """

    path: Path
    n_frames: int
    n_features: int
    clock: FrameClock
    notices: tuple[str, ...]
    checksums: tuple[int, ...]

    def __iter__(self) -> Iterator[FrameBlock]:
        """Yield blocks of `WINDOW` frames, read into new arrays: mapped pages would count as memory.

        Raises
        ------
        FeatureError
            If the file went away or became shorter, or its frames are not those that were written.
        """
        width = 4 * (self.n_features + 1)
        marks_start = _HEADER.size + self.n_frames * width
        with (
            reading(self.path, FeatureError, needed=_NEEDED, remedy=_REMEDY),
            self.path.open("rb", buffering=0) as file,
        ):
            for start in range(0, self.n_frames, WINDOW):
                n = min(WINDOW, self.n_frames - start)
                rows = np.empty((n, self.n_features + 1), np.float32)
                marks = np.empty(-(-n // 8), np.uint8)
                _read_at(file.fileno(), rows.data.cast("B"), _HEADER.size + start * width, self.path)
                if zlib.crc32(rows.data) != self.checksums[start // WINDOW]:
                    raise FeatureError(
                        f"{self.path} is damaged: frames {start} to {start + n - 1} are not those written",
                        needed=_NEEDED,
                        remedy=_REMEDY,
                    )
                _read_at(file.fileno(), marks.data.cast("B"), marks_start + start // 8, self.path)
                voiced = np.unpackbits(marks, count=n).view(np.bool_)
                frames, levels = rows[:, :-1].copy(), rows[:, -1].copy()
                yield FrameBlock(frames, voiced, start, self.clock, None if np.isnan(levels[0]) else levels)


def open_frames(path: Path) -> FrameFile | None:
    """Open a file of frames; None if there is none, or not a whole one.

    Raises
    ------
    FeatureError
        If the disk does not give it.
    """
    with (
        reading(path, FeatureError, needed=_NEEDED, remedy=_REMEDY),
        suppress(FileNotFoundError, ValueError),
        path.open("rb", buffering=0) as file,
    ):
        header = file.read(_HEADER.size)
        size = file.seek(0, os.SEEK_END)
        if len(header) < _HEADER.size:
            return None
        magic, n_frames, n_features, hop, length, n_notices, rate, offset, checksum, own = _HEADER.unpack(
            header
        )
        if magic != _UNCHECKED and (magic != _MAGIC or own != zlib.crc32(header[:-4])):
            return None
        frames_end = _HEADER.size + n_frames * (n_features + 1) * 4
        marks_end = frames_end + -(-n_frames // 8)
        n_windows = -(-n_frames // WINDOW)
        if size != marks_end + 4 * n_windows + n_notices:
            return None
        file.seek(frames_end)
        tail = file.read(size - frames_end)
        if zlib.crc32(tail) != checksum:
            return None
        behind = tail[marks_end - frames_end :]
        checksums = struct.unpack(f"<{n_windows}I", behind[: 4 * n_windows])
        notices = tuple(json.loads(behind[4 * n_windows :] or b"[]"))
        clock = FrameClock(rate, hop, length, offset)
        return FrameFile(path, n_frames, n_features, clock, notices, checksums)
    return None


class FrameWriter:
    """Writer of a file of frames, block by block. Memory: one bit a frame.

    Parameters
    ----------
    file : binary file
        Open for writing, at its start.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._marks: list[np.ndarray] = []  # packed, but for fewer than eight that wait for the next block
        self._waiting = np.empty(0, np.bool_)
        self._checksums: list[int] = []  # of the windows, the last of which may still grow
        self._n_frames = 0
        self._n_features = 0
        self._clock: FrameClock | None = None
        file.write(bytes(_HEADER.size))

    def write(self, block: FrameBlock) -> None:
        """Append a block."""
        self._clock, self._n_features = block.clock, block.frames.shape[1]
        rows = np.full((len(block), self._n_features + 1), np.nan, "<f4")  # a level that is not known is NaN
        rows[:, :-1] = block.frames
        if block.levels is not None:
            rows[:, -1] = block.levels
        self._file.write(rows.data)
        self._check(rows)
        marks = np.concatenate([self._waiting, block.voiced])
        whole = len(marks) // 8 * 8
        self._marks.append(np.packbits(marks[:whole]))
        self._waiting = marks[whole:]
        self._n_frames += len(block)

    def _check(self, frames: np.ndarray) -> None:
        """Add frames to the checksums of the windows that they lie in."""
        first = 0
        while first < len(frames):
            place = (self._n_frames + first) % WINDOW
            last = min(first + WINDOW - place, len(frames))
            if place == 0:
                self._checksums.append(0)
            self._checksums[-1] = zlib.crc32(frames[first:last].data, self._checksums[-1])
            first = last

    def finish(self, notices: Sequence[str] = ()) -> None:
        """Write what comes behind the frames, and then the header."""
        clock = self._clock or FrameClock(1.0, 1, 1)
        text = json.dumps(list(notices)).encode() if notices else b""
        marks = np.concatenate([*self._marks, np.packbits(self._waiting)]).tobytes()
        tail = marks + struct.pack(f"<{len(self._checksums)}I", *self._checksums) + text
        self._file.write(tail)
        self._file.seek(0)
        sizes = self._n_frames, self._n_features, clock.hop, clock.length, len(text)
        header = _HEADER.pack(_MAGIC, *sizes, clock.sample_rate, clock.offset, zlib.crc32(tail), 0)[:-4]
        self._file.write(header + struct.pack("<I", zlib.crc32(header)))


def _read_at(descriptor: int, buffer: memoryview, position: int, path: Path) -> None:
    """Fill a buffer from a place in a file."""
    while buffer:
        n = os.preadv(descriptor, [buffer], position)
        if n == 0:
            raise FeatureError(
                f"{path} became shorter while it was read", needed="a frame cache that is left alone"
            )
        buffer, position = buffer[n:], position + n
