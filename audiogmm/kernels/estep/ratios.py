"""Likelihood ratios of many mixtures adapted from one, from the pairs that matter to their background.

With the background's posterior g_k of component k, and d_km(x) the log-density of component k of model m less
the background's, ``p(x | m) / p(x) = sum_k g_k exp(d_km(x))``. For adapted means d is affine in x, and for
adapted variances affine in x and x^2: a product of few numbers for each pair and model, in
which the lanes are the models.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import Float32Array, Int32Array
from audiogmm.kernels.estep.tiles import exponential
from audiogmm.kernels.estep.vectors import (
    FLOAT,
    Loop,
    fma,
    load,
    load_splat,
    microkernel,
    number,
    pointer,
    store,
    zeros,
)
from audiogmm.kernels.policy import kernel
from audiogmm.types import BoolArray, FloatArray

MODELS = 16
"""Models that are handled together."""

ABREAST = 4
"""Frames that are handled together."""

LARGEST = 700.0
"""Exponents beyond this, either way, are cut off there."""

LARGEST_SUM = 1e250
"""A sum of exponentials beyond this, or below its inverse, is not reliable."""

_EXPONENT, _MANTISSA, _ONE = 52, (1 << 52) - 1, 1023


class PosteriorPairs(NamedTuple):
    """Pairs of component and frame that count, component by component."""

    component: NDArray[np.int64]
    """(A,): the components."""
    begin: NDArray[np.int64]
    """(A + 1,): where the pairs of each begin."""
    member: Int32Array
    """(m,): frame of each pair."""
    posterior: FloatArray
    """(m,): the background's; those of a frame sum to one."""


class ModelShifts(NamedTuple):
    """How models differ from their background."""

    table: Float32Array
    """Flat (K, n_blocks, n_terms, MODELS): coefficients of x - mean, and perhaps of its squares."""
    offset: FloatArray
    """Flat (K, n_blocks, MODELS), nats."""
    means: FloatArray
    """(K, D): the background's."""
    n_terms: int
    """D, or 2 D with squares."""


@microkernel
def shift_block(typing: Any, points: Any, n_terms: Any, table: Any, table_at: Any, shifts: Any) -> Any:
    """Compute products of `ABREAST` points with the coefficients of `MODELS` models.

    IN `points` (ABREAST, n_terms); `table` (n_terms, MODELS) from `table_at`. OUT `shifts` (ABREAST, MODELS).
    All float32.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(FLOAT, MODELS)
        multiply_add = fma(builder, vector)
        first = pointer(context, builder, kinds[0], args[0], number(0))
        rows = [builder.gep(first, [builder.mul(args[1], number(i))]) for i in range(ABREAST)]
        start = pointer(context, builder, kinds[2], args[2], args[3])
        out = pointer(context, builder, kinds[4], args[4], number(0))
        loop = Loop(builder, number(0), args[1], [zeros(vector)] * ABREAST)
        factors = load(builder, start, vector, builder.mul(loop.index, number(MODELS)))
        sums = loop.close(
            [
                multiply_add(load_splat(builder, row, MODELS, loop.index), factors, total)
                for row, total in zip(rows, loop.carried, strict=True)
            ]
        )
        for i, total in enumerate(sums):
            store(builder, total, out, i * MODELS)
        return context.get_dummy_value()

    return types.void(points, types.intp, table, types.intp, shifts), build


@kernel
def keep_best(pairs: PosteriorPairs, most: int, least: float, n_frames: int) -> int:
    """Keep the `most` pairs of highest posterior of each frame, and let these sum to one.

    None is kept that is below `least` times the frame's highest; ties are kept in the components' order.
    `pairs` INOUT: what is kept moves to the front. Returns how many.
    """
    best = np.full((n_frames, most), -1.0)
    component = np.full((n_frames, most), -1)
    for j in range(len(pairs.component)):
        for i in range(pairs.begin[j], pairs.begin[j + 1]):
            n, value = pairs.member[i], pairs.posterior[i]
            c = most
            while c > 0 and value > best[n, c - 1]:
                c -= 1
            if c < most:
                for later in range(most - 1, c, -1):
                    best[n, later] = best[n, later - 1]
                    component[n, later] = component[n, later - 1]
                best[n, c] = value
                component[n, c] = j
    total = np.zeros(n_frames)
    for n in range(n_frames):
        for c in range(most):
            if best[n, c] < least * best[n, 0]:
                component[n, c] = -1
            else:
                total[n] += best[n, c]
    m = 0
    for j in range(len(pairs.component)):
        begin = pairs.begin[j]
        pairs.begin[j] = m
        for i in range(begin, pairs.begin[j + 1]):
            n = pairs.member[i]
            for c in range(most):
                if component[n, c] == j:
                    pairs.member[m] = n
                    pairs.posterior[m] = pairs.posterior[i] / total[n]
                    m += 1
    pairs.begin[len(pairs.component)] = m
    return m


@kernel
def add_ratios(
    frames: AnyFrames, pairs: PosteriorPairs, shifts: ModelShifts, blocks: Int32Array, sums: FloatArray
) -> None:
    """Add `posterior * exp(shift)` of every pair.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    pairs, shifts : PosteriorPairs, ModelShifts
        IN.
    blocks : ndarray of shape (b,), int32
        IN. Which blocks of models.
    sums : ndarray of shape (n, b * MODELS), float64
        INOUT. A frame's sum is taken in the order of components, whatever the other frames.
    """
    n_features, n_terms = frames.shape[1], shifts.n_terms
    n_blocks = len(shifts.offset) // (len(shifts.means) * MODELS)
    points = np.zeros(ABREAST * n_terms, np.float32)
    found = np.zeros(ABREAST * MODELS, np.float32)
    terms = np.zeros(MODELS)
    for j in range(len(pairs.component)):
        k = pairs.component[j]
        for first in range(pairs.begin[j], pairs.begin[j + 1], ABREAST):
            present = min(ABREAST, pairs.begin[j + 1] - first)
            for i in range(present):
                n = pairs.member[first + i]
                for d in range(n_features):
                    points[i * n_terms + d] = np.float64(frames[n, d]) - shifts.means[k, d]
                if n_terms > n_features:
                    for d in range(n_features):
                        z = points[i * n_terms + d]
                        points[i * n_terms + n_features + d] = z * z
            for b in range(len(blocks)):
                block = k * n_blocks + blocks[b]
                shift_block(points, n_terms, shifts.table, block * n_terms * MODELS, found)
                offset = block * MODELS
                for i in range(present):
                    n, posterior = pairs.member[first + i], pairs.posterior[first + i]
                    for m in range(MODELS):
                        terms[m] = found[i * MODELS + m] + shifts.offset[offset + m]
                    for m in range(MODELS):
                        terms[m] = min(terms[m], LARGEST)
                    for m in range(MODELS):
                        terms[m] = exponential(terms[m])
                    for m in range(MODELS):
                        sums[n, b * MODELS + m] += posterior * terms[m]


@kernel
def add_products(
    first: FloatArray, component: NDArray[np.int64], shifts: ModelShifts, blocks: Int32Array, sums: FloatArray
) -> None:
    """Add the products of first moments with coefficients: scores that are linear in the statistics.

    `first` (K, D), about the means, IN; `sums` (b * MODELS,) INOUT. The rest as in `add_ratios`.
    """
    n_features, n_terms = first.shape[1], shifts.n_terms
    n_blocks = len(shifts.offset) // (len(shifts.means) * MODELS)
    points = np.zeros(ABREAST * n_terms, np.float32)
    found = np.zeros(ABREAST * MODELS, np.float32)
    for k in component:
        for d in range(n_features):
            points[d] = first[k, d]
        for b in range(len(blocks)):
            block = k * n_blocks + blocks[b]
            shift_block(points, n_terms, shifts.table, block * n_terms * MODELS, found)
            for m in range(MODELS):
                sums[b * MODELS + m] += found[m]


@kernel
def add_logarithms(sums: FloatArray, totals: FloatArray, reliable: BoolArray) -> None:
    """Add the logarithms of the columns of `sums` (n, M) to `totals` (M,).

    The logarithm of a product is taken, with its exponent counted apart, so one is taken for all frames. A
    column with a number beyond `LARGEST_SUM`, or below its inverse, or none, has lost digits, and is not
    `reliable` (M,), OUT.
    """
    n_models = sums.shape[1]
    product = np.ones(n_models)
    bits = product.view(np.int64)
    exponent = np.zeros(n_models, np.int64)
    reliable[:] = True
    for n in range(len(sums)):
        for m in range(n_models):
            value = sums[n, m]
            good = (value > 1 / LARGEST_SUM) & (value < LARGEST_SUM)
            reliable[m] &= good
            product[m] *= value if good else 1.0
        for m in range(n_models):
            exponent[m] += (bits[m] >> _EXPONENT) - _ONE
            bits[m] = (bits[m] & _MANTISSA) | (_ONE << _EXPONENT)
    for m in range(n_models):
        totals[m] += np.log(product[m]) + exponent[m] * np.log(2.0)
