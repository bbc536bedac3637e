"""The frames of the first pass, kept in a temporary file for the passes after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.mixture.carried_margins import CarriedMargins, MarginStore
from audiogmm.reduce import Addable, LocalReducer, Reducer
from audiogmm.telemetry.meter import count_done
from audiogmm.timeline import FrameClock
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.training.frames.source import require_sum
from audiogmm.types import Frames

S = TypeVar("S", bound=Addable)

_ROWS = FrameClock.for_rows()


@dataclass(frozen=True, slots=True)
class SpoolSlice:
    """Rows `first` to `first + n_rows` of a spool file, as a shard that holds only their place."""

    path: str
    first: int
    n_rows: int
    n_features: int
    dtype: str
    carried: CarriedMargins | None = field(default=None, compare=False, repr=False, kw_only=True)
    """Margins from the last pass over these rows."""

    @property
    def id(self) -> str:
        """Which rows, of which file."""
        return f"{self.path} rows {self.first} to {self.first + self.n_rows}"

    def __iter__(self) -> Iterator[FrameBlock]:
        frames = read_rows(Path(self.path), self.first, self.n_rows, self.n_features, self.dtype)
        count_done(frames=len(frames))
        yield FrameBlock(frames, np.ones(len(frames), np.bool_), self.first, _ROWS)


class Spool:
    """Frames in a raw file: appended in order, read back by windows, never mapped into memory.

    Mapped pages count as memory of the process, so windows are read instead (`pread`); the system keeps
    the file in its own cache where there is room. The file goes when the spool is closed.

    Parameters
    ----------
    path : Path
        A file to be made.
    max_bytes : int
        Size at which the spool gives up.

    Examples
    --------
    >>> import tempfile
    >>> with Spool(Path(tempfile.mkdtemp()) / "frames", max_bytes=100) as spool:
    ...     spool.append(np.ones((4, 5), np.float32)), spool.append(np.ones((4, 5), np.float32))
    (True, False)
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.n_frames = 0
        self.n_features = 0
        self.dtype = "float32"
        self.full = max_bytes <= 0
        self._carried = MarginStore()
        self._file = None if self.full else path.open("xb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, frames: Frames) -> bool:
        """Keep more frames, shape (n, n_features), C-contiguous; False, and none is kept, once full.

        Raises
        ------
        OSError
            If the disk does not take them.
        """
        if self._file is None:
            return False
        if frames.nbytes + self._file.tell() > self.max_bytes:
            self.full = True
            self.close()
            return False
        write_rows(self._file.fileno(), frames)
        self.n_frames += len(frames)
        self.n_features, self.dtype = frames.shape[1], frames.dtype.name
        return True

    def reduce(
        self, reducer: Reducer, statistic: Callable[[Shard], S], each: Callable[[S], None] | None = None
    ) -> S:
        """Sum `statistic` over slices of `SLICE_ROWS` rows; threads do it, since nothing is decoded."""
        if isinstance(reducer, LocalReducer):
            reducer = reducer.threaded
        return require_sum(reducer.reduce(self._slices(), statistic, each=each))

    def close(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self.path.unlink(missing_ok=True)

    def _slices(self) -> Iterator[SpoolSlice]:
        for first in range(0, self.n_frames, SLICE_ROWS):
            rows = min(SLICE_ROWS, self.n_frames - first)
            carried = self._carried.of(first)
            yield SpoolSlice(str(self.path), first, rows, self.n_features, self.dtype, carried=carried)


def read_rows(path: Path, first: int, n_rows: int, n_features: int, dtype: str) -> Frames:
    """Read a window of a raw file of rows.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        Rows `first` to `first + n_rows`.

    Raises
    ------
    OSError
        If the file is gone, or ends earlier.
    """
    frames = np.empty((n_rows, n_features), dtype)
    window = frames.reshape(-1).view(np.uint8).data
    at = first * n_features * frames.itemsize
    with path.open("rb", buffering=0) as file:
        done = 0
        while done < len(window):
            read = os.preadv(file.fileno(), [window[done:]], at + done)
            if not read:
                raise OSError(f"{path} ends at byte {at + done}, before row {first + n_rows}")
            done += read
    return frames


def write_rows(descriptor: int, frames: Frames) -> None:
    """Append rows, C-contiguous, to a raw file."""
    window = frames.reshape(-1).view(np.uint8).data
    while window:
        window = window[os.write(descriptor, window) :]
