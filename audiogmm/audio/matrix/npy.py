"""NumPy's .npy files, in windows that are read, not mapped: mapped pages count as memory too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import ByteSource, open_source
from audiogmm.audio.matrix.columns import Column, rows_at_once
from audiogmm.errors import FeatureError


class NpyReader:
    """Rows of an .npy file (format versions 1 to 3); never one of Python objects.

    Raises
    ------
    FeatureError
        If it is not such a file, is not of two dimensions, or is shorter than its header says.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def header(self) -> list[Column]:
        """Return the columns, which have no names."""
        stream = open_source(self._path, FeatureError)
        try:
            return [Column("")] * self._header(stream)[0][1]
        finally:
            stream.close()

    def rows(self, first: int, block: int, places: tuple[int, ...] | None = None) -> Iterator[NDArray[Any]]:
        """Yield windows of at most `block` rows, from row `first` on, of the columns at `places`."""
        for window in self._windows(first, block):
            yield window if places is None else window[:, places]

    def _windows(self, first: int, block: int) -> Iterator[NDArray[Any]]:
        stream = open_source(self._path, FeatureError)
        try:
            shape, fortran, dtype = self._header(stream)
            start = stream.seek(0, 1)
            n_rows, n_columns = shape
            found = stream.seek(0, 2) - start
            if found < n_rows * n_columns * dtype.itemsize:
                raise FeatureError(
                    f"{self._path} is truncated: {found} bytes of the {n_rows * n_columns * dtype.itemsize} "
                    f"({n_rows} x {n_columns} {dtype}) that its header promises",
                    needed="a whole file",
                    remedy="write it again",
                )
            block = rows_at_once(block, n_columns, self._path)
            for row in range(first, n_rows, block):
                count = min(block, n_rows - row)
                if fortran:
                    window = np.empty((n_columns, count), dtype)
                    for column in range(n_columns):
                        stream.seek(start + (column * n_rows + row) * dtype.itemsize)
                        fill(stream, window[column], self._path)
                    yield window.T
                else:
                    window = np.empty((count, n_columns), dtype)
                    stream.seek(start + row * n_columns * dtype.itemsize)
                    fill(stream, window, self._path)
                    yield window
        finally:
            stream.close()

    def _header(self, stream: ByteSource) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        try:
            version = npy_format.read_magic(stream)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, fortran, dtype = read(stream)
        except (ValueError, EOFError) as error:
            raise FeatureError(
                f"{self._path} is not an .npy file ({error})",
                needed="a file of numpy.save",
                remedy="write it again",
            ) from error
        if len(shape) != 2 or dtype.kind not in "fiub":
            raise FeatureError(
                f"{self._path} holds {dtype} of shape {shape}",
                needed="real numbers of shape (n_rows, n_columns)",
                remedy="reshape(-1, 1) makes rows of one number each"
                if len(shape) == 1
                else "numpy.save of a float32 matrix",
            )
        rows_at_once(1, shape[1], self._path)
        return shape, fortran, dtype


def fill(stream: ByteSource, array: NDArray[Any], name: str) -> None:
    """Read an array's bytes, however few come at once."""
    if array.size == 0:
        return
    buffer = array.data.cast("B")
    while buffer:
        data = stream.read(len(buffer))
        if not data:
            raise FeatureError(f"{name} became shorter while it was read", needed="a file that is left alone")
        buffer[: len(data)] = data
        buffer = buffer[len(data) :]
