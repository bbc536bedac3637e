"""Sums of outer products: the second moments of full and tied covariances."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import Int32Array
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
    zeros,
)
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray, IntArray

LONGEST = 128
"""Rows that are summed in their own type before they go to float64."""


SIDE = 8
"""Rows of a block of `add_outer_block`."""


def _outer(n_vectors: int) -> Any:
    """A kernel that adds outer products to `SIDE` rows and `n_vectors * BLOCK` columns of a matrix."""

    @microkernel
    def add(
        typing: Any,
        rows: Any,
        width: Any,
        row: Any,
        column: Any,
        member: Any,
        gamma: Any,
        begin: Any,
        end: Any,
        total: Any,
        at: Any,
    ) -> Any:
        """Add `sum_i gamma[i] x x^T`, x = rows[member[i]], to a block from `row` and `column`.

        INOUT `total` (width, width) from `at`, float64; sums over `begin <= i < end` are in the type of
        `rows`.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = signature.args
            vector = ir.VectorType(DOUBLE if kinds[0].dtype == types.float64 else FLOAT, BLOCK)
            multiply_add = fma(builder, vector)
            table = pointer(context, builder, kinds[0], args[0], number(0))
            members = pointer(context, builder, kinds[4], args[4], number(0))
            gammas = pointer(context, builder, kinds[5], args[5], number(0))
            loop = Loop(builder, args[6], args[7], [zeros(vector)] * (SIDE * n_vectors))
            n = builder.sext(builder.load(builder.gep(members, [loop.index])), INT)
            x = builder.gep(table, [builder.mul(n, args[1])])
            g = load_splat(builder, gammas, BLOCK, loop.index)
            here = builder.gep(x, [args[3]])
            columns = [builder.fmul(g, load(builder, here, vector, v * BLOCK)) for v in range(n_vectors)]
            side = builder.gep(x, [args[2]])
            updated = []
            for i in range(SIDE):
                entry = load_splat(builder, side, BLOCK, i)
                updated += [
                    multiply_add(entry, columns[v], loop.carried[i * n_vectors + v]) for v in range(n_vectors)
                ]
            sums = loop.close(updated)
            place = builder.add(args[9], builder.add(builder.mul(args[2], args[1]), args[3]))
            for i in range(SIDE):
                start = builder.add(place, builder.mul(args[1], number(i)))
                target = pointer(context, builder, kinds[8], args[8], start)
                for v in range(n_vectors):
                    add_to(builder, sums[i * n_vectors + v], target, v * BLOCK)
            return context.get_dummy_value()

        i = types.intp
        return types.void(rows, i, i, i, member, gamma, i, i, total, i), build

    return add


add_outer_pair, add_outer_block = _outer(2), _outer(1)


@kernel
def add_outer(
    rows: AnyFrames,
    width: int,
    member: Int32Array,
    gamma: AnyFrames,
    begin: int,
    end: int,
    total: FloatArray,
    at: int,
) -> None:
    """Add `sum_i gamma[i] x_i x_i^T`, x_i = rows[member[i]], to the upper triangle of a matrix.

    Parameters
    ----------
    rows : ndarray of shape (n * width,), float32 or float64
        IN. `width` is a multiple of `BLOCK`.
    member, gamma : ndarray, int32, and the type of rows
        IN. From `begin` to `end`.
    total : ndarray, float64
        INOUT. A matrix (width, width) from `at`; parts of its lower triangle are written too.
    """
    for row in range(0, width, SIDE):
        column = row // BLOCK * BLOCK
        while column + 2 * BLOCK <= width:
            add_outer_pair(rows, width, row, column, member, gamma, begin, end, total, at)
            column += 2 * BLOCK
        if column < width:
            add_outer_block(rows, width, row, column, member, gamma, begin, end, total, at)


@kernel
def mirror(upper: FloatArray, width: int, owners: IntArray, matrices: FloatArray) -> None:
    """Copy the upper triangles of padded matrices into symmetric ones.

    Parameters
    ----------
    upper : ndarray of shape (n * width * width,), float64
        IN.
    width : int
        IN. Of a padded matrix.
    owners : ndarray of shape (n,), int64
        IN. Which of `matrices` each one becomes.
    matrices : ndarray of shape (K, D, D), float64
        OUT.
    """
    for m, k in enumerate(owners):
        for i in range(matrices.shape[1]):
            at = (m * width + i) * width
            for j in range(i, matrices.shape[1]):
                matrices[k, i, j] = upper[at + j]
                matrices[k, j, i] = upper[at + j]


@kernel
def scatter(
    frames: AnyFrames, weights: FloatArray, origin: FloatArray, width: int, total: FloatArray
) -> None:
    """Add `sum_n weights[n] x_n x_n^T`, x_n = frames[n] - origin, to the upper triangle of a matrix.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    weights : ndarray of shape (n,), float64
        IN. Empty: all are 1.
    origin : ndarray of shape (D,), float64
        IN. float32 numbers.
    width : int
        IN. D, rounded up to a multiple of `BLOCK`.
    total : ndarray of shape (width * width,), float64
        INOUT.
    """
    rows = np.zeros(LONGEST * width, frames.dtype)
    gamma = np.ones(LONGEST, frames.dtype)
    member = np.arange(LONGEST).astype(np.int32)
    for at in range(0, len(frames), LONGEST):
        count = min(LONGEST, len(frames) - at)
        for n in range(count):
            if len(weights):
                gamma[n] = weights[at + n]
            for d in range(len(origin)):
                rows[n * width + d] = frames[at + n, d] - frames.dtype.type(origin[d])
        add_outer(rows, width, member, gamma, 0, count, total, 0)
