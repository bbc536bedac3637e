"""Features from neighboring frames: deltas, and normalization over sliding windows.

Rows are addressed by their absolute index, `rows[t - first]` being row t, and every row is computed by the
same operations in the same order, however the rows arrived.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.front_end.lanes import WIDTH, broadcast, fma, load_float32, store_float32
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray, Frames, Samples

VARIANCE_FLOOR = 1e-10
"""Smallest variance by which a sliding window divides (Kaldi's)."""


@kernel
def deltas(rows: Frames, first: int, start: int, last: int, scales: FloatArray, out: Frames) -> None:
    """Compute regressions over neighboring rows; the first and the last row repeat beyond the edges.

    rows : IN, float32 (n, width), C-contiguous.
    first : IN, int, absolute index of rows[0].
    start : IN, int, absolute index of out[0].
    last : IN, int, absolute index of the last row that there is.
    scales : IN, float64 (order + 1, 2 * context + 1), weights of the neighbors for each order.
    out : OUT, float32 (m, (order + 1) * width), the rows themselves, then deltas order by order.
    """
    width = rows.shape[1]
    context = scales.shape[1] // 2
    source = rows.ravel()
    target = out.ravel()
    for t in range(start, start + len(out)):
        at = (t - start) * out.shape[1]
        here = (t - first) * width
        for column in range(width):
            target[at + column] = source[here + column]
        for order in range(1, len(scales)):
            at += width
            reach = order * context // (len(scales) - 1)
            weights = scales[order, context - reach : context + reach + 1]
            if width >= WIDTH:
                # the last register overlaps the one before it, and computes the same again
                for block in range(0, width, WIDTH):
                    column = min(block, width - WIDTH)
                    lanes = broadcast(0.0)
                    for j in range(-reach, reach + 1):
                        row = min(max(t + j, 0), last) - first
                        x = load_float32(source, row * width + column)
                        lanes = fma(broadcast(weights[reach + j]), x, lanes)
                    store_float32(target, at + column, lanes)
            else:
                for column in range(width):
                    total = 0.0
                    for j in range(-reach, reach + 1):
                        row = min(max(t + j, 0), last) - first
                        total += weights[reach + j] * source[row * width + column]
                    target[at + column] = total


@kernel
def centered(t: int, window: int, last: int) -> tuple[int, int]:
    """Return the absolute indices from and up to which rows are in the window around row t.

    `window // 2` rows come before row t; at the edges the window is pushed inwards whole (Kaldi's
    `apply-cmvn-sliding --center=true`).

    t : IN, int, absolute index of the row.
    window : IN, int, rows in the window.
    last : IN, int, absolute index of the last row that there is.
    """
    begin = max(t - window // 2, 0)
    end = begin + window
    if end > last + 1:
        end = last + 1
        begin = max(end - window, 0)
    return begin, end


@kernel
def slide(
    rows: Frames,
    first: int,
    start: int,
    last: int,
    span: tuple[int, bool],
    bounds: NDArray[np.int64],
    sums: FloatArray,
    out: Frames,
) -> None:
    """Subtract the mean over a sliding window, and divide by the deviation where second moments are kept.

    A centered window (span[1] is 0) has span[0] rows and lies as `centered` says. A causal one (span[1] is 1)
    ends with row t and is cut off at row 0.

    rows : IN, float32 (n, width), C-contiguous.
    first : IN, int, absolute index of rows[0].
    start : IN, int, absolute index of out[0].
    last : IN, int, absolute index of the last row that there is.
    span : IN, (int, int), the window in rows, and whether it is causal.
    bounds : INOUT, int64 (2,), absolute indices from and up to which rows are in the sums.
    sums : INOUT, float64 (1 or 2, width), sums over these rows, and over their squares.
    out : OUT, float32 (m, width), C-contiguous.
    """
    width = rows.shape[1]
    for t in range(start, start + len(out)):
        if span[1]:
            begin = max(t - span[0] + 1, 0)
            end = t + 1
        else:
            begin, end = centered(t, span[0], last)
        for leaving in range(bounds[0], begin):
            _add_row(rows[leaving - first], -1.0, sums)
        for entering in range(bounds[1], end):
            _add_row(rows[entering - first], 1.0, sums)
        bounds[0] = begin
        bounds[1] = end
        inverse = 1.0 / (end - begin)
        x = rows[t - first]
        y = out[t - start]
        if len(sums) == 1:
            for i in range(width):
                y[i] = x[i] - sums[0, i] * inverse
        else:
            for i in range(width):
                mean = sums[0, i] * inverse
                variance = max(sums[1, i] * inverse - mean * mean, VARIANCE_FLOOR)
                y[i] = (x[i] - mean) / np.sqrt(variance)


@kernel
def _add_row(row: Samples, sign: float, sums: FloatArray) -> None:
    """Add a row to the sums, or take it out."""
    for i in range(len(row)):
        sums[0, i] += sign * row[i]
    if len(sums) > 1:
        for i in range(len(row)):
            x = np.float64(row[i])
            sums[1, i] += sign * x * x
