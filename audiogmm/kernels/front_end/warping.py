"""Ranks within a sliding window, looked up in a table: feature warping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.front_end.context import centered
from audiogmm.kernels.policy import kernel
from audiogmm.types import Frames, Samples


@kernel
def warp(
    rows: Frames,
    first: int,
    start: int,
    last: int,
    window: int,
    table: Samples,
    places: NDArray[np.int32],
    out: Frames,
) -> None:
    """Replace each number by the entry of a table for its place among those of its column in the window.

    The place counts numbers below it and numbers up to it, itself among them: twice the rank from which a
    half is taken, the rank of equal numbers being their average. Only comparisons are made, so any increasing
    map of a column leaves the result as it is, bit for bit.

    rows : IN, float32 (n, width), C-contiguous.
    first : IN, int, absolute index of rows[0].
    start : IN, int, absolute index of out[0].
    last : IN, int, absolute index of the last row that there is.
    window : IN, int, rows in the window, which lies as `centered` says.
    table : IN, float32 (2 * min(window, last + 1),), indexed by place; entry 0 is for what compares with
        nothing (NaN).
    places : SCRATCH, int32 (width,).
    out : OUT, float32 (m, width), C-contiguous.
    """
    width = rows.shape[1]
    for t in range(start, start + len(out)):
        begin, end = centered(t, window, last)
        x = rows[t - first]
        places[:] = 0
        j, stop = begin - first, end - first
        while (
            j + 4 <= stop
        ):  # four rows at a time, so that the counts are read and written a quarter as often
            a, b, c, d = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
            for i in range(width):
                places[i] += (
                    _compare(a[i], x[i]) + _compare(b[i], x[i]) + _compare(c[i], x[i]) + _compare(d[i], x[i])
                )
            j += 4
        for k in range(j, stop):
            for i in range(width):
                places[i] += _compare(rows[k, i], x[i])
        y = out[t - start]
        for i in range(width):
            y[i] = table[places[i]]


@kernel
def _compare(other: float, x: float) -> np.int32:
    """Return what another number adds to the place of x: 2 if it is below, 1 if it is equal, else 0."""
    return np.int32(other < x) + np.int32(other <= x)
