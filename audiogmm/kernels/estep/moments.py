"""Microkernels behind screening: float64 distances of the pairs that are left, and sums over frames.

Arrays are flat and contiguous, positions count numbers, and nothing checks them. Features are padded with
zeros to a multiple of `BLOCK`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from audiogmm.kernels.estep.screens import BLOCK
from audiogmm.kernels.estep.vectors import (
    DOUBLE,
    FLOAT,
    INT,
    Loop,
    add_to,
    fma,
    load,
    load_splat,
    microkernel,
    number,
    pointer,
    splat,
    store,
    sums_of_four,
    zeros,
)

ABREAST = 4
"""Pairs whose distances are computed side by side; `score` needs space for ABREAST - 1 more numbers."""


@microkernel
def score_pairs(
    typing: Any,
    points: Any,
    width: Any,
    member: Any,
    begin: Any,
    end: Any,
    means: Any,
    scales: Any,
    mean_at: Any,
    constant: Any,
    score: Any,
) -> Any:
    """Compute float64 scores of one component, `constant - 1/2 sum_d ((x[d] - mean[d]) * scale[d])^2`.

    IN `points` (n, width), float32 or float64; `member[begin:end]`, the frames; `means` and `scales` from
    `mean_at`. OUT `score[begin:end]`, and up to three numbers behind.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(DOUBLE, 8)
        multiply_add = fma(builder, vector)
        table = pointer(context, builder, kinds[0], args[0], number(0))
        mean = pointer(context, builder, kinds[5], args[5], args[7])
        scale = pointer(context, builder, kinds[6], args[6], args[7])
        begin, end = args[3], args[4]
        rounds = builder.sdiv(builder.add(builder.sub(end, begin), number(ABREAST - 1)), number(ABREAST))
        outer = Loop(builder, number(0), rounds, [])
        at = builder.add(begin, builder.mul(outer.index, number(ABREAST)))
        rows = [_row(context, builder, kinds[2], args[2], table, args[1], at, i, end) for i in range(ABREAST)]
        loop = Loop(builder, number(0), builder.sdiv(args[1], number(8)), [zeros(vector)] * ABREAST)
        d = builder.mul(loop.index, number(8))
        center, factor = load(builder, mean, vector, d), load(builder, scale, vector, d)
        updated = []
        for row, total in zip(rows, loop.carried, strict=True):
            t = builder.fmul(builder.fsub(load(builder, row, vector, d), center), factor)
            updated.append(multiply_add(t, t, total))
        distances = sums_of_four(builder, loop.close(updated))
        _store_scores(context, builder, distances, args[8], kinds[9], args[9], at)
        outer.close([])
        return context.get_dummy_value()

    at = types.intp
    signature = types.void(points, at, member, at, at, means, scales, at, types.float64, score)
    return signature, build


@microkernel
def score_triangle(
    typing: Any,
    differences: Any,
    width: Any,
    factors: Any,
    factor_at: Any,
    constant: Any,
    score: Any,
    at: Any,
) -> Any:
    """Compute scores of one component for `ABREAST` frames, `constant - 1/2 |P^T difference|^2`, float64.

    IN `differences` (ABREAST, width), frames minus the mean; `factors` (width, width) from `factor_at`, the
    upper triangular P. OUT `score[at : at + ABREAST]`.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(DOUBLE, 8)
        multiply_add = fma(builder, vector)
        table = pointer(context, builder, kinds[0], args[0], number(0))
        factor = pointer(context, builder, kinds[2], args[2], args[3])
        width = args[1]
        rows = [builder.gep(table, [builder.mul(width, number(i))]) for i in range(ABREAST)]
        blocks = Loop(builder, number(0), builder.sdiv(width, number(BLOCK)), [zeros(vector)] * ABREAST)
        column = builder.mul(blocks.index, number(BLOCK))
        t = _times_factor(builder, rows, factor, width, column)
        sums = blocks.carried
        for h in range(2):
            sums = [multiply_add(t[2 * i + h], t[2 * i + h], sums[i]) for i in range(ABREAST)]
        distances = sums_of_four(builder, blocks.close(sums))
        _store_scores(context, builder, distances, args[4], kinds[5], args[5], args[6])
        return context.get_dummy_value()

    i = types.intp
    return types.void(differences, i, factors, i, types.float64, score, i), build


@microkernel
def times_triangle(
    typing: Any, differences: Any, width: Any, factor: Any, points: Any, points_at: Any, n_rows: Any
) -> Any:
    """Set `points[n] = differences[n] @ P` for n < `n_rows` <= `ABREAST`, float64.

    IN `differences` (ABREAST, width); `factor` (width, width), the upper triangular P.
    OUT `points` (n_rows, width) from `points_at`.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        table = pointer(context, builder, kinds[0], args[0], number(0))
        matrix = pointer(context, builder, kinds[2], args[2], number(0))
        target = pointer(context, builder, kinds[3], args[3], args[4])
        width = args[1]
        rows = [builder.gep(table, [builder.mul(width, number(i))]) for i in range(ABREAST)]
        blocks = Loop(builder, number(0), builder.sdiv(width, number(BLOCK)), [])
        column = builder.mul(blocks.index, number(BLOCK))
        t = _times_factor(builder, rows, matrix, width, column)
        for i in range(ABREAST):
            with builder.if_then(builder.icmp_signed("<", number(i), args[5])):
                here = builder.gep(target, [builder.add(builder.mul(width, number(i)), column)])
                for h in range(2):
                    store(builder, t[2 * i + h], here, 8 * h)
        blocks.close([])
        return context.get_dummy_value()

    i = types.intp
    return types.void(differences, i, factor, points, i, i), build


def _times_factor(builder: Any, rows: list[Any], factor: Any, width: Any, column: Any) -> list[Any]:
    """Entries `column` to `column + BLOCK` of `row @ factor` for each row: two vectors of eight a row."""
    vector = ir.VectorType(DOUBLE, 8)
    multiply_add = fma(builder, vector)
    loop = Loop(builder, number(0), builder.add(column, number(BLOCK)), [zeros(vector)] * (2 * len(rows)))
    here = builder.gep(factor, [builder.add(builder.mul(loop.index, width), column)])
    halves = [load(builder, here, vector, 8 * h) for h in range(2)]
    updated = []
    for i, row in enumerate(rows):
        x = load_splat(builder, row, 8, loop.index)
        updated += [multiply_add(x, halves[h], loop.carried[2 * i + h]) for h in range(2)]
    return loop.close(updated)


def _row(
    context: Any, builder: Any, kind: Any, member: Any, table: Any, width: Any, at: Any, i: int, end: Any
) -> Any:
    """Emit the row of the i-th frame from `at`; that of the last one where there are no more."""
    last = builder.sub(end, number(1))
    position = builder.add(at, number(i))
    position = builder.select(builder.icmp_signed("<", position, last), position, last)
    n = builder.sext(builder.load(pointer(context, builder, kind, member, position)), INT)
    return builder.gep(table, [builder.mul(n, width)])


def _store_scores(
    context: Any, builder: Any, distances: Any, constant: Any, kind: Any, score: Any, at: Any
) -> None:
    half = ir.Constant(distances.type, [-0.5] * ABREAST)
    scores = builder.fadd(splat(builder, constant, ABREAST), builder.fmul(half, distances))
    store(builder, scores, pointer(context, builder, kind, score, at))


def _moments(n_vectors: int, squares: bool) -> Any:
    """A kernel that adds weighted rows, and their squares, to totals: `n_vectors * BLOCK` features."""

    @microkernel
    def add(
        typing: Any,
        rows: Any,
        width: Any,
        column: Any,
        member: Any,
        gamma: Any,
        begin: Any,
        end: Any,
        first: Any,
        second: Any,
        at: Any,
    ) -> Any:
        """`first[at + d] += sum_i gamma[i] * rows[member[i], column + d]`; `second` the same with the square.

        Sums over `begin <= i < end` are in the type of `rows` and `gamma`; totals are float64.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = signature.args
            vector = ir.VectorType(DOUBLE if kinds[0].dtype == types.float64 else FLOAT, BLOCK)
            multiply_add = fma(builder, vector)
            table = pointer(context, builder, kinds[0], args[0], args[2])
            members = pointer(context, builder, kinds[3], args[3], number(0))
            gammas = pointer(context, builder, kinds[4], args[4], number(0))
            loop = Loop(builder, args[5], args[6], [zeros(vector)] * (n_vectors * (1 + squares)))
            n = builder.sext(builder.load(builder.gep(members, [loop.index])), INT)
            row = builder.gep(table, [builder.mul(n, args[1])])
            g = load_splat(builder, gammas, BLOCK, loop.index)
            updated, squared = [], []
            for v in range(n_vectors):
                x = load(builder, row, vector, v * BLOCK)
                if squares:
                    weighted = builder.fmul(g, x)
                    updated.append(builder.fadd(weighted, loop.carried[v]))
                    squared.append(multiply_add(weighted, x, loop.carried[n_vectors + v]))
                else:
                    updated.append(multiply_add(g, x, loop.carried[v]))
            sums = loop.close(updated + squared)
            total = pointer(context, builder, kinds[7], args[7], args[9])
            for v, part in enumerate(sums[:n_vectors]):
                add_to(builder, part, total, v * BLOCK)
            total = pointer(context, builder, kinds[8], args[8], args[9])
            for v, part in enumerate(sums[n_vectors:]):
                add_to(builder, part, total, v * BLOCK)
            return context.get_dummy_value()

        i = types.intp
        return types.void(rows, i, i, member, gamma, i, i, first, second, i), build

    return add


add_four_blocks, add_block = _moments(4, True), _moments(1, True)
add_four_firsts, add_first = _moments(4, False), _moments(1, False)


@microkernel
def power_of_two(typing: Any, exponent: Any) -> Any:
    """Compute 2.0 ** exponent for an int64 from -1022 to 1023."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(builder.shl(builder.add(args[0], number(1023)), number(52)), DOUBLE)

    return types.float64(types.int64), build
