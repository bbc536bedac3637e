"""Screening of full covariances in 16-bit integers: triangular products, the last rows first.

The last rows are the sharpest where a component has few frames, and few rows are then needed to rule it out:
a group of components is done as soon as the rows so far rule all of it out for all frames of a panel.
`mixture.triangulation` proves the bounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types

from audiogmm.kernels.estep.dots import Float32Array, Int32Array, QuantizedTerms, products
from audiogmm.kernels.estep.screens import LANES, PANEL, TRIANGLES, survivors
from audiogmm.kernels.estep.vectors import (
    FLOAT,
    INT32,
    Loop,
    fma,
    load,
    load_splat,
    microkernel,
    number,
    pointer,
    root,
    store,
    zeros,
)
from audiogmm.kernels.policy import kernel

LIMITS = 4
"""Numbers of a component before its steps: highest and lowest constant, fixed and relative error."""

CHECKS = (2, 8)
"""After how many pairs of rows it is checked whether a group is ruled out."""

ROUNDING = 1e-5
"""More than the relative rounding error of what a score must reach."""


class IntegerFactors(NamedTuple):
    """Integer factors of the bounds. Empty without `dots.DOTS`."""

    per_step: Float32Array
    """(2 * n_pairs,): a feature times this is rounded to an integer; even features, then odd ones."""
    coefficients: Int32Array
    """Flat (n_groups, columns, 2, TRIANGLES): pairs of rows from the last to the first; for each its offsets,
    then two 16-bit integers for each pair of features up to the diagonal."""
    limits: Float32Array
    """Flat (n_groups, LIMITS + 2 * n_pairs, TRIANGLES): see `LIMITS`; squared step of each row."""
    shrink: float
    """By what share a root is lowered and raised for its rounding errors."""


@microkernel
def add_rows(
    typing: Any,
    pairs: Any,
    n_pairs: Any,
    coefficients: Any,
    coefficients_at: Any,
    limits: Any,
    limits_at: Any,
    begin: Any,
    end: Any,
    sums: Any,
) -> Any:
    """Add the squares of the rows of `TRIANGLES` components for `PANEL` frames to `sums`, all float32.

    `sums[k, n] += sum_i step2[k, i] * (offset[k, i] + sum_(j <= i) A[k, i, j] * X[j, n])^2`, the inner sum
    one of 32-bit integers. Rows come in pairs, the last one first: from the `begin`-th to before the
    `end`-th.

    IN `pairs` (n_pairs, PANEL), `coefficients` and `limits` of the group, see `IntegerFactors`.
    INOUT `sums` (TRIANGLES, PANEL).
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector, integers = ir.VectorType(FLOAT, LANES), ir.VectorType(INT32, LANES)
        multiply_add = fma(builder, vector)
        term = pointer(context, builder, kinds[0], args[0], number(0))
        table = pointer(context, builder, kinds[2], args[2], args[3])
        steps = pointer(context, builder, kinds[4], args[4], args[5])
        total = pointer(context, builder, kinds[8], args[8], number(0))
        both = [(k, v) for k in range(TRIANGLES) for v in range(2)]
        initial = [load(builder, total, vector, k * PANEL + v * LANES) for k, v in both]
        rows = Loop(builder, args[6], args[7], initial)
        n, p = args[1], builder.sub(builder.sub(args[1], number(1)), rows.index)
        before = builder.sub(
            builder.mul(n, builder.add(n, number(3))),
            builder.mul(builder.add(p, number(1)), builder.add(p, number(4))),
        )  # twice the columns
        here = builder.gep(table, [builder.mul(before, number(TRIANGLES))])
        offsets = [load_splat(builder, here, LANES, j * TRIANGLES + k) for j in range(2) for k, _ in both]
        inner = Loop(builder, number(0), builder.add(p, number(1)), offsets)
        column = builder.mul(builder.add(inner.index, number(1)), number(2 * TRIANGLES))
        factors = builder.gep(here, [column])
        row = builder.gep(term, [builder.mul(inner.index, number(PANEL))])
        x = [load(builder, row, integers, v * LANES) for v in range(2)]
        updated = []
        for j in range(2):
            for k in range(TRIANGLES):
                factor = load_splat(builder, factors, LANES, j * TRIANGLES + k)
                for v in range(2):
                    so_far = inner.carried[(j * TRIANGLES + k) * 2 + v]
                    updated.append(builder.add(so_far, products(builder, factor, x[v])))
        t = inner.close(updated)
        step = builder.gep(
            steps, [builder.mul(builder.add(builder.mul(p, number(2)), number(LIMITS)), number(TRIANGLES))]
        )
        added = rows.carried
        for j in range(2):
            squares = [load_splat(builder, step, LANES, j * TRIANGLES + k) for k in range(TRIANGLES)]
            part = [builder.sitofp(a, vector) for a in t[j * len(both) : (j + 1) * len(both)]]
            added = [
                multiply_add(builder.fmul(a, squares[k]), a, so_far)
                for a, so_far, (k, _) in zip(part, added, both, strict=True)
            ]
        for value, (k, v) in zip(rows.close(added), both, strict=True):
            store(builder, value, total, k * PANEL + v * LANES)
        return context.get_dummy_value()

    i = types.intp
    return types.void(pairs, i, coefficients, i, limits, i, i, i, sums), build


def _bounds(lowest: bool) -> Any:
    """A kernel that makes bounds of sums: upper ones, and with `lowest` the lower one of each frame."""

    @microkernel
    def bounds(
        typing: Any,
        sums: Any,
        limits: Any,
        limits_at: Any,
        shrink: Any,
        spread: Any,
        first: Any,
        upper: Any,
        lower: Any,
    ) -> Any:
        """Bounds of `TRIANGLES` components for `PANEL` frames from sums of squares Q, all float32.

        With the error `v[k, n] = fixed[k] + relative[k] * spread[n]`,
        `upper[k, n] = highest[k] - 1/2 max(0, (1 - shrink) sqrt(Q[k, n]) - v[k, n])^2` and
        `lower[n] = max(lower[n], max_k lowest[k] - 1/2 ((1 + shrink) sqrt(Q[k, n]) + v[k, n])^2)`.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = signature.args
            vector = ir.VectorType(FLOAT, LANES)
            multiply_add = fma(builder, vector)
            total = pointer(context, builder, kinds[0], args[0], number(0))
            limit = pointer(context, builder, kinds[1], args[1], args[2])
            spreads = pointer(context, builder, kinds[4], args[4], number(0))
            out = pointer(context, builder, kinds[6], args[6], builder.mul(args[5], number(PANEL)))
            best = pointer(context, builder, kinds[7], args[7], number(0))
            one, minus_half = (ir.Constant(vector, [c] * LANES) for c in (1.0, -0.5))
            change = load_splat(builder, pointer(context, builder, kinds[3], args[3], number(0)), LANES)
            less, more = builder.fsub(one, change), builder.fadd(one, change)
            for v in range(2):
                wide = load(builder, spreads, vector, v * LANES)
                if lowest:
                    found = load(builder, best, vector, v * LANES)
                for k in range(TRIANGLES):
                    high, low, fixed, relative = (
                        load_splat(builder, limit, LANES, i * TRIANGLES + k) for i in range(LIMITS)
                    )
                    distance = root(builder, load(builder, total, vector, k * PANEL + v * LANES))
                    error = multiply_add(relative, wide, fixed)
                    near = builder.fsub(builder.fmul(less, distance), error)
                    near = builder.select(builder.fcmp_ordered(">", near, zeros(vector)), near, zeros(vector))
                    score = multiply_add(builder.fmul(minus_half, near), near, high)
                    store(builder, score, out, k * PANEL + v * LANES)
                    if lowest:
                        far = multiply_add(more, distance, error)
                        bound = multiply_add(builder.fmul(minus_half, far), far, low)
                        found = builder.select(builder.fcmp_ordered(">", bound, found), bound, found)
                if lowest:
                    store(builder, found, best, v * LANES)
            return context.get_dummy_value()

        i = types.intp
        return types.void(sums, limits, i, shrink, spread, i, upper, lower), build

    return bounds


upper_bounds, both_bounds = _bounds(False), _bounds(True)


@kernel
def bound_triangles(
    triangles: IntegerFactors,
    room: QuantizedTerms,
    log_cut: float,
    sums: Float32Array,
    upper: Float32Array,
    lower: Float32Array,
) -> None:
    """Compute bounds of all components for a panel that `quantize` has rounded.

    Parameters
    ----------
    triangles, room
        IN.
    log_cut : float
        IN. A component is ruled out for a frame where its posterior is below exp(log_cut).
    sums : ndarray of shape ((TRIANGLES + 1) * PANEL + 1,), float32
        An array to work in.
    upper : ndarray of shape (n_groups * TRIANGLES * PANEL,), float32
        OUT. Upper bounds. Of a component that is ruled out for all frames: any that does so.
    lower : ndarray of shape (PANEL,), float32
        INOUT. Lower bound of each frame's best score.
    """
    n_pairs = len(room.pairs) // PANEL
    rows = (LIMITS + 2 * n_pairs) * TRIANGLES
    stride = n_pairs * (n_pairs + 3) // 2 * 2 * TRIANGLES
    needed, shrink = sums[TRIANGLES * PANEL : -1], sums[-1:]
    shrink[0] = triangles.shrink
    for g in range(len(triangles.limits) // rows):
        for lane in range(PANEL):
            wanted = lower[lane] + np.float32(log_cut)
            needed[lane] = wanted - np.float32(ROUNDING) * (abs(lower[lane]) + abs(np.float32(log_cut)))
        sums[: TRIANGLES * PANEL] = 0
        done = 0
        for check in CHECKS:
            if done < check < n_pairs:
                add_rows(room.pairs, n_pairs, triangles.coefficients, g * stride, triangles.limits, g * rows,
                         done, check, sums)  # fmt: skip
                upper_bounds(
                    sums, triangles.limits, g * rows, shrink, room.spread, g * TRIANGLES, upper, lower
                )
                done = check
                wanted_by = 0
                for k in range(TRIANGLES):
                    wanted_by |= survivors(upper, (g * TRIANGLES + k) * PANEL, needed)
                if wanted_by == 0:
                    done = n_pairs + 1
        if done <= n_pairs:
            add_rows(room.pairs, n_pairs, triangles.coefficients, g * stride, triangles.limits, g * rows,
                     done, n_pairs, sums)  # fmt: skip
            both_bounds(sums, triangles.limits, g * rows, shrink, room.spread, g * TRIANGLES, upper, lower)
