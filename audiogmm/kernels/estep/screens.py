"""Microkernels of screening: float32 bounds on the scores of a panel of frames.

Arrays are flat and contiguous, positions count numbers, and nothing checks them. A lane is a frame, and each
lane does the same operations in the same order: a frame's bounds do not depend on its neighbors.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types

from audiogmm.kernels.estep.vectors import (
    FLOAT,
    INT,
    INT32,
    WIDE,
    Loop,
    fma,
    load,
    load_splat,
    microkernel,
    number,
    pointer,
    shuffle,
    splat,
    store,
)

LANES = 16 if WIDE else 8
"""float32 numbers of one register."""

PANEL = 2 * LANES
"""Frames that are screened together."""

GROUP = 12 if WIDE else 6
"""Components that `score_block` handles together: two accumulators each."""

TRIANGLES = 4 if WIDE else 2
"""Components that `triangle_block` handles together: six accumulators each."""

COMPRESS = WIDE and llvmlite.binding.llvm_version_info >= (19,)
"""Whether LLVM can move the chosen lanes of a vector to its front, and the CPU does so at once."""

_COMPRESS = f"llvm.experimental.vector.compress.v{LANES}i32"

BLOCK = 16
"""Feature vectors are padded to a multiple of this many numbers."""


@microkernel
def transpose_block(typing: Any, rows: Any, rows_at: Any, stride: Any, terms: Any, terms_at: Any) -> Any:
    """Write `BLOCK` features of `BLOCK` frames feature by feature, as float32.

    `terms[terms_at + d * PANEL + n] = rows[rows_at + n * stride + d]`.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(FLOAT, BLOCK)
        source = pointer(context, builder, signature.args[0], args[0], args[1])
        target = pointer(context, builder, signature.args[3], args[3], args[4])
        v = [load(builder, source, vector, builder.mul(args[2], number(n))) for n in range(BLOCK)]
        half = BLOCK // 2
        low = [i // 2 + (i % 2) * BLOCK for i in range(BLOCK)]
        high = [i + half for i in low]
        for _ in range(BLOCK.bit_length() - 1):  # each round is a perfect shuffle of rows and of lanes
            pairs = [(v[i], v[i + half]) for i in range(half)]
            v = [shuffle(builder, *pair, lanes) for pair in pairs for lanes in (low, high)]
        for d in range(BLOCK):
            store(builder, v[d], target, d * PANEL)
        return context.get_dummy_value()

    at = types.intp
    return types.void(rows, at, at, terms, at), build


@microkernel
def score_block(
    typing: Any,
    terms: Any,
    n_terms: Any,
    coefficients: Any,
    coefficients_at: Any,
    start: Any,
    slack: Any,
    first: Any,
    upper: Any,
    lower: Any,
) -> Any:
    """Compute upper bounds of `GROUP` components for `PANEL` frames, and each frame's best lower bound.

    `upper[k, n] = start[k] + sum_f coefficients[f, k] * terms[f, n]` and
    `lower[n] = max(lower[n], max_k upper[k, n] - slack[k])`, all float32.

    IN `terms` (n_terms, PANEL), `coefficients` (n_terms, GROUP) from `coefficients_at`, `start` and `slack`
    from `first`; OUT `upper` (GROUP, PANEL) from `first * PANEL`; INOUT `lower` (PANEL,).
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(FLOAT, LANES)
        multiply_add = fma(builder, vector)
        term = pointer(context, builder, kinds[0], args[0], number(0))
        coefficient = pointer(context, builder, kinds[2], args[2], args[3])
        starts = pointer(context, builder, kinds[4], args[4], args[6])
        slacks = pointer(context, builder, kinds[5], args[5], args[6])
        out = pointer(context, builder, kinds[7], args[7], builder.mul(args[6], number(PANEL)))
        best = pointer(context, builder, kinds[8], args[8], number(0))
        initial = [load_splat(builder, starts, LANES, k) for k in range(GROUP)]
        loop = Loop(builder, number(0), args[1], [initial[k] for k in range(GROUP) for _ in range(2)])
        row = builder.gep(term, [builder.mul(loop.index, number(PANEL))])
        factors = builder.gep(coefficient, [builder.mul(loop.index, number(GROUP))])
        x = [load(builder, row, vector, v * LANES) for v in range(2)]
        updated = []
        for k in range(GROUP):
            factor = load_splat(builder, factors, LANES, k)
            updated += [multiply_add(factor, x[v], loop.carried[2 * k + v]) for v in range(2)]
        scores = loop.close(updated)
        for v in range(2):
            highest = load(builder, best, vector, v * LANES)
            for k in range(GROUP):
                score = scores[2 * k + v]
                store(builder, score, out, k * PANEL + v * LANES)
                bound = builder.fsub(score, load_splat(builder, slacks, LANES, k))
                highest = builder.select(builder.fcmp_ordered(">", bound, highest), bound, highest)
            store(builder, highest, best, v * LANES)
        return context.get_dummy_value()

    at = types.intp
    return types.void(terms, at, coefficients, at, start, slack, at, upper, lower), build


@microkernel
def triangle_block(
    typing: Any,
    terms: Any,
    n_rows: Any,
    coefficients: Any,
    coefficients_at: Any,
    limits: Any,
    limits_at: Any,
    first: Any,
    upper: Any,
    lower: Any,
) -> Any:
    """As `score_block`, for `TRIANGLES` components with a triangular factor L and an offset b each.

    `upper[k, n] = start[k] + reach[k] * r[n] - sum_i (b[k, i] + sum_(j <= i) L[k, i, j] * terms[j, n])^2` and
    `lower[n] = max(lower[n], max_k upper[k, n] - slack[k] - shrink[k] * r[n])`, all float32.

    IN `terms` (n_rows + 1, PANEL), whose last row is r; n_rows is even; `coefficients`, a pair of rows after
    another from `coefficients_at`: b of both, then L of both for j = 0 to i + 1, each (2, TRIANGLES);
    `limits` (4, TRIANGLES) from `limits_at`: start, reach, slack, shrink. `first`, `upper`, `lower` as there.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(FLOAT, LANES)
        multiply_add = fma(builder, vector)
        term = pointer(context, builder, kinds[0], args[0], number(0))
        coefficient = pointer(context, builder, kinds[2], args[2], args[3])
        limit = pointer(context, builder, kinds[4], args[4], args[5])
        out = pointer(context, builder, kinds[7], args[7], builder.mul(args[6], number(PANEL)))
        best = pointer(context, builder, kinds[8], args[8], number(0))
        both = [(k, v) for k in range(TRIANGLES) for v in range(2)]
        norms = builder.gep(term, [builder.mul(args[1], number(PANEL))])
        r = [load(builder, norms, vector, v * LANES) for v in range(2)]
        reach = [load_splat(builder, limit, LANES, TRIANGLES + k) for k in range(TRIANGLES)]
        start = [load_splat(builder, limit, LANES, k) for k in range(TRIANGLES)]
        scores = [multiply_add(reach[k], r[v], start[k]) for k, v in both]

        rows = Loop(builder, number(0), builder.sdiv(args[1], number(2)), scores)
        # before pair i of rows there are i pairs, with 1 + 2 (i' + 1) columns each: i^2 + 2 i columns
        i = rows.index
        columns = builder.mul(i, builder.add(i, number(2)))
        here = builder.gep(coefficient, [builder.mul(columns, number(2 * TRIANGLES))])
        initial = [load_splat(builder, here, LANES, j * TRIANGLES + k) for j in range(2) for k, _ in both]
        inner = Loop(builder, number(0), builder.mul(builder.add(i, number(1)), number(2)), initial)
        column = builder.mul(builder.add(inner.index, number(1)), number(2 * TRIANGLES))
        factors = builder.gep(here, [column])
        row = builder.gep(term, [builder.mul(inner.index, number(PANEL))])
        x = [load(builder, row, vector, v * LANES) for v in range(2)]
        updated = []
        for j in range(2):
            for k in range(TRIANGLES):
                factor = load_splat(builder, factors, LANES, j * TRIANGLES + k)
                updated += [
                    multiply_add(factor, x[v], inner.carried[(j * TRIANGLES + k) * 2 + v]) for v in range(2)
                ]
        t = inner.close(updated)
        sums = rows.carried
        for j in range(2):
            part = t[j * len(both) : (j + 1) * len(both)]
            sums = [multiply_add(builder.fneg(a), a, total) for a, total in zip(part, sums, strict=True)]
        scores = rows.close(sums)

        for v in range(2):
            highest = load(builder, best, vector, v * LANES)
            for k in range(TRIANGLES):
                score = scores[2 * k + v]
                store(builder, score, out, k * PANEL + v * LANES)
                slack = load_splat(builder, limit, LANES, 2 * TRIANGLES + k)
                shrink = load_splat(builder, limit, LANES, 3 * TRIANGLES + k)
                bound = builder.fsub(score, multiply_add(shrink, r[v], slack))
                highest = builder.select(builder.fcmp_ordered(">", bound, highest), bound, highest)
            store(builder, highest, best, v * LANES)
        return context.get_dummy_value()

    at = types.intp
    return types.void(terms, at, coefficients, at, limits, at, at, upper, lower), build


@microkernel
def survivors(typing: Any, upper: Any, upper_at: Any, cut: Any) -> Any:
    """Return bits: n is set unless `upper[upper_at + n] < cut[n]`, for `PANEL` frames. NaN survives."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(FLOAT, PANEL)
        scores = load(builder, pointer(context, builder, signature.args[0], args[0], args[1]), vector)
        cuts = load(builder, pointer(context, builder, signature.args[2], args[2], number(0)), vector)
        bits = builder.bitcast(builder.fcmp_unordered(">=", scores, cuts), ir.IntType(PANEL))
        return builder.zext(bits, INT)

    return types.int64(upper, types.intp, cut), build


@microkernel
def mark_survivors(typing: Any, upper: Any, upper_at: Any, cut: Any, marks: Any, at: Any) -> Any:
    """Set the bits of `survivors` in `marks[at]`, uint32; return how many there are."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(FLOAT, PANEL)
        scores = load(builder, pointer(context, builder, kinds[0], args[0], args[1]), vector)
        cuts = load(builder, pointer(context, builder, kinds[2], args[2], number(0)), vector)
        bits = builder.bitcast(builder.fcmp_unordered(">=", scores, cuts), ir.IntType(PANEL))
        if PANEL < 32:
            bits = builder.zext(bits, INT32)
        mark = pointer(context, builder, kinds[3], args[3], args[4])
        builder.store(builder.or_(builder.load(mark), bits), mark)
        return builder.zext(builder.ctpop(bits), INT)

    return types.int64(upper, types.intp, cut, marks, types.intp), build


@microkernel
def list_bits(typing: Any, bits: Any, base: Any, listed: Any, m: Any) -> Any:
    """Append `base + n` for each of `PANEL` bits that is set; return the length.

    OUT `listed`, int32, from m, with space for PANEL more numbers than are appended.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(INT32, LANES)
        m = args[3]
        compress = builder.module.globals.get(_COMPRESS) or ir.Function(
            builder.module,
            ir.FunctionType(vector, [vector, ir.VectorType(ir.IntType(1), LANES), vector]),
            _COMPRESS,
        )
        for half in range(PANEL // LANES):
            part = builder.trunc(builder.lshr(args[0], number(half * LANES)), ir.IntType(LANES))
            mask = builder.bitcast(part, ir.VectorType(ir.IntType(1), LANES))
            lanes = ir.Constant(vector, [half * LANES + lane for lane in range(LANES)])
            all_frames = builder.add(lanes, splat(builder, builder.trunc(args[1], INT32), LANES))
            some = builder.call(compress, [all_frames, mask, ir.Constant(vector, ir.Undefined)])
            store(builder, some, pointer(context, builder, kinds[2], args[2], m))
            m = builder.add(m, builder.zext(builder.ctpop(part), INT))
        return m

    i = types.intp
    return types.int64(types.int64, i, listed, i), build


@microkernel
def lowest_bit(typing: Any, bits: Any) -> Any:
    """Return the position of the lowest set bit of a number that is not zero."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), build
