"""Arrays in an .npz file, written piece by piece; equal arrays give equal bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that zip knows


@contextmanager
def npz_member(archive: zipfile.ZipFile, name: str, dtype: str, length: int) -> Iterator[IO[bytes]]:
    """Open an array of an .npz archive to write its numbers, as `numpy.savez` lays them out.

    Parameters
    ----------
    archive : ZipFile
        Open for writing; its compression is the array's.
    name, dtype : str
        Name and type of the array, as ``<f8``.
    length : int
        Numbers in it: shape (length,).

    Yields
    ------
    binary file
        Behind the header.
    """
    info = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
    info.compress_type = archive.compression
    with archive.open(info, "w", force_zip64=True) as member:
        header = {"descr": dtype, "fortran_order": False, "shape": (length,)}
        np.lib.format.write_array_header_1_0(member, header)
        yield member
