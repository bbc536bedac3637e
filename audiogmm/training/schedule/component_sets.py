"""The components of every frame, in a temporary file, and beside the checkpoint."""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from audiogmm.errors import OutputError
from audiogmm.files import replacing
from audiogmm.mixture.neighborhoods import Sets
from audiogmm.reading import parsing
from audiogmm.types import Json

FORMAT = "audiogmm sets 2"

_PORTION = 1 << 16  # rows that are copied together
_LONGEST = 1 << 12  # bytes of the header


class SetFile:
    """Components of every frame, (n_frames, C) int32, in a file that is removed when it is closed.

    Memory does not grow with the frames. Slices may be read and written from several threads, as long as
    they do not overlap.

    Parameters
    ----------
    n_frames, set_size : int
        Shape.

    Examples
    --------
    >>> with SetFile(4, 2) as sets:
    ...     sets.write(1, np.array([[7, 8]], np.int32))
    ...     sets.read(1, 1)
    array([[7, 8]], dtype=int32)
    """

    def __init__(self, n_frames: int, set_size: int) -> None:
        self.n_frames, self.set_size = n_frames, set_size
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="audiogmm-sets-")  # noqa: SIM115 - closed by `with`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, first: int, n_rows: int) -> Sets:
        """Read rows `first` to `first + n_rows`."""
        rows = np.empty((n_rows, self.set_size), np.int32)
        window, at = rows.reshape(-1).view(np.uint8).data, first * self.set_size * 4
        done = 0
        while done < len(window):
            read = os.preadv(self._file.fileno(), [window[done:]], at + done)
            if not read:
                raise OSError(f"the file of the frames' components ends at byte {at + done}")
            done += read
        return rows

    def write(self, first: int, sets: Sets) -> None:
        """Replace the rows from `first` on.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        window, at = np.ascontiguousarray(sets).reshape(-1).view(np.uint8).data, first * self.set_size * 4
        try:
            while window:
                written = os.pwrite(self._file.fileno(), window, at)
                window, at = window[written:], at + written
        except OSError as error:
            raise OutputError(
                f"the components of the frames cannot be kept in {tempfile.gettempdir()}: {error.strerror}",
                needed=f"room for {4 * self.set_size} bytes a frame",
                remedy="set TMPDIR to a folder on a larger disk",
            ) from error

    def save(self, path: Path, neighbors: Sets, stamp: Json) -> None:
        """Copy to `path`, with the neighbors, as a whole or not at all; `stamp` identifies the training.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        header = json.dumps({"format": FORMAT, "neighbours": neighbors.shape, **stamp}).encode()
        with replacing(path, force=True) as temporary, temporary.open("xb") as file:
            checksum = 0
            for part in (header + b"\n", neighbors.astype("<i4").tobytes(), *self._portions()):
                file.write(part)
                checksum = zlib.crc32(part, checksum)
            file.write(checksum.to_bytes(4, "little"))

    def _portions(self) -> Iterator[bytes]:
        """Yield all rows, some at a time."""
        for first in range(0, self.n_frames, _PORTION):
            yield self.read(first, min(_PORTION, self.n_frames - first)).astype("<i4").tobytes()

    def load(self, path: Path, stamp: Json) -> Sets:
        """Read what `save` wrote under this stamp, and return the neighbors.

        Raises
        ------
        ModelFileError
            If there is no such file, or it is damaged.
        """
        with (
            parsing(path, needed=FORMAT, remedy="remove the checkpoint to start again"),
            path.open("rb") as file,
        ):
            line = file.readline(_LONGEST)
            header = json.loads(line)
            shape = header.pop("neighbours")
            if header != json.loads(json.dumps({"format": FORMAT, **stamp})):
                raise ValueError("it is of another pass or another training")
            content = file.read(4 * shape[0] * shape[1])
            checksum = zlib.crc32(content, zlib.crc32(line))
            neighbors = np.frombuffer(content, "<i4").reshape(shape)
            for first in range(0, self.n_frames, _PORTION):
                n_rows = min(_PORTION, self.n_frames - first)
                content = file.read(4 * n_rows * self.set_size)
                checksum = zlib.crc32(content, checksum)
                rows = np.frombuffer(content, "<i4")
                self.write(first, rows.astype(np.int32).reshape(n_rows, self.set_size))
            if file.read() != checksum.to_bytes(4, "little"):
                raise ValueError("it does not have its checksum")
            return neighbors.astype(np.int32)
