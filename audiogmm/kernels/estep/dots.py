"""Screening in 16-bit integers: twice as fast as float32 where a CPU multiplies pairs of them at once.

Integers add up exactly, so a bound has only the rounding of terms and coefficients to allow for
(`mixture.quantization` proves it). A frame out of the integers' range is screened in float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from audiogmm.kernels.estep.screens import GROUP, LANES, PANEL
from audiogmm.kernels.estep.vectors import (
    FLOAT,
    INT32,
    WIDE,
    Loop,
    absolute,
    fma,
    load,
    load_splat,
    microkernel,
    number,
    pointer,
    shuffle,
    store,
    zeros,
)
from audiogmm.kernels.policy import compiles_for, kernel

DOTS = WIDE and compiles_for("avx512vnni")
"""Whether the CPU has an instruction for it; without one, float32 is as fast."""

LARGEST = 32767
"""Of a 16-bit integer; as far below zero."""

PADDING = 1024.0
"""In units of a component's step: more than the float32 error of a sum."""

Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]


class IntegerCoefficients(NamedTuple):
    """Integer coefficients of the bounds; `mixture.quantization` proves them. Empty without `DOTS`."""

    per_step: Float32Array
    """(2 * n_pairs,): a term times this is rounded to an integer; zero behind the last term."""
    coefficients: Int32Array
    """Flat (n_groups, n_pairs, GROUP): two 16-bit integers each, for terms p and p + n_pairs."""
    limits: Float32Array
    """Flat (n_groups, 3, GROUP): start, step, slack."""
    rows: Int32Array
    """Flat (K, n_pairs): the coefficients, component by component."""
    row_limits: Float32Array
    """Flat (K, 3): the limits, component by component."""


class QuantizedTerms(NamedTuple):
    """The terms of a panel as integers."""

    pairs: Int32Array
    """Flat (n_pairs, PANEL): two 16-bit integers each."""
    spread: Float32Array
    """(PANEL,): half the sum of the sizes of a frame's integers, and `PADDING`."""
    largest: Float32Array
    """(PANEL,): the largest size of a frame's integers, before they are rounded."""


@microkernel
def quantize_terms(
    typing: Any, terms: Any, per_step: Any, n_pairs: Any, pairs: Any, spread: Any, largest: Any
) -> Any:
    """Round the terms of a panel to integers; where `largest` is over `LARGEST`, they are wrong.

    IN `terms` (2 * n_pairs, PANEL), `per_step` (2 * n_pairs,). OUT as in `QuantizedTerms`.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        integers, vector = ir.VectorType(INT32, LANES), ir.VectorType(FLOAT, LANES)
        term = pointer(context, builder, kinds[0], args[0], number(0))
        steps = pointer(context, builder, kinds[1], args[1], number(0))
        out = pointer(context, builder, kinds[3], args[3], number(0))
        spreads = pointer(context, builder, kinds[4], args[4], number(0))
        maxima = pointer(context, builder, kinds[5], args[5], number(0))
        low_half = ir.Constant(integers, [0xFFFF] * LANES)
        sixteen = ir.Constant(integers, [16] * LANES)
        half = ir.Constant(vector, [0.5] * LANES)
        # adding 3 * 2^22 leaves an integer of up to 22 bits in the lowest bits of a float32
        magic = ir.Constant(vector, [12582912.0] * LANES)
        magic_bits = ir.Constant(integers, [0x4B400000] * LANES)
        padding = ir.Constant(vector, [PADDING] * LANES)
        loop = Loop(builder, number(0), args[2], [padding] * 2 + [zeros(vector)] * 2)
        sums, highest = loop.carried[:2], loop.carried[2:]
        for v in range(2):
            parts = []
            for f in (loop.index, builder.add(loop.index, args[2])):
                row = builder.gep(term, [builder.mul(f, number(PANEL))])
                y = builder.fmul(load(builder, row, vector, v * LANES), load_splat(builder, steps, LANES, f))
                size = absolute(builder, y)
                highest[v] = builder.select(builder.fcmp_ordered(">", size, highest[v]), size, highest[v])
                rounded = builder.fadd(y, magic)
                whole = absolute(builder, builder.fsub(rounded, magic))
                sums[v] = builder.fadd(sums[v], builder.fmul(whole, half))
                parts.append(builder.sub(builder.bitcast(rounded, integers), magic_bits))
            both = builder.or_(builder.shl(parts[1], sixteen), builder.and_(parts[0], low_half))
            here = builder.gep(out, [builder.mul(loop.index, number(PANEL))])
            store(builder, both, here, v * LANES)
        last = loop.close([*sums, *highest])
        for v in range(2):
            store(builder, last[v], spreads, v * LANES)
            store(builder, last[2 + v], maxima, v * LANES)
        return context.get_dummy_value()

    return types.void(terms, per_step, types.intp, pairs, spread, largest), build


@kernel
def quantize(terms: Float32Array, per_step: Float32Array, lower: Float32Array, room: QuantizedTerms) -> int:
    """Round a panel's terms; return how many frames are in range: `largest` is at most `LARGEST` there.

    A frame whose `lower` is NaN is not, nor is one with a term that is too large.
    """
    quantize_terms(terms, per_step, len(room.pairs) // PANEL, room.pairs, room.spread, room.largest)
    n_within = 0
    for lane in range(PANEL):
        if np.isnan(lower[lane]):
            room.largest[lane] = np.inf
        n_within += room.largest[lane] <= np.float32(LARGEST)
    return n_within


@microkernel
def dot_block(
    typing: Any,
    pairs: Any,
    n_pairs: Any,
    coefficients: Any,
    coefficients_at: Any,
    limits: Any,
    limits_at: Any,
    first: Any,
    spread: Any,
    upper: Any,
    lower: Any,
) -> Any:
    """As `score_block`, from integers.

    With `I[k, n]` the sum of the products of 16-bit integers, modulo 2^32,
    `upper[k, n] = start[k] + step[k] * (I[k, n] + spread[n])` and
    `lower[n] = max(lower[n], max_k upper[k, n] - slack[k] - 2 * step[k] * spread[n])`, all float32.

    IN `pairs` (n_pairs, PANEL), `coefficients` (n_pairs, GROUP) from `coefficients_at`, `limits` (3, GROUP)
    from `limits_at`: start, step, slack; `spread` (PANEL,). `first`, `upper`, `lower` as there.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        integers = ir.VectorType(INT32, LANES)
        vector = ir.VectorType(FLOAT, LANES)
        multiply_add = fma(builder, vector)
        term = pointer(context, builder, kinds[0], args[0], number(0))
        coefficient = pointer(context, builder, kinds[2], args[2], args[3])
        limit = pointer(context, builder, kinds[4], args[4], args[5])
        spreads = pointer(context, builder, kinds[7], args[7], number(0))
        out = pointer(context, builder, kinds[8], args[8], builder.mul(args[6], number(PANEL)))
        best = pointer(context, builder, kinds[9], args[9], number(0))
        zero = ir.Constant(integers, [0] * LANES)
        loop = Loop(builder, number(0), args[1], [zero] * (2 * GROUP))
        row = builder.gep(term, [builder.mul(loop.index, number(PANEL))])
        factors = builder.gep(coefficient, [builder.mul(loop.index, number(GROUP))])
        x = [load(builder, row, integers, v * LANES) for v in range(2)]
        updated = []
        for k in range(GROUP):
            factor = load_splat(builder, factors, LANES, k)
            updated += [
                builder.add(loop.carried[2 * k + v], products(builder, factor, x[v])) for v in range(2)
            ]
        sums = loop.close(updated)
        for v in range(2):
            highest = load(builder, best, vector, v * LANES)
            wide = load(builder, spreads, vector, v * LANES)
            twice = builder.fadd(wide, wide)
            for k in range(GROUP):
                start, step, slack = (load_splat(builder, limit, LANES, i * GROUP + k) for i in range(3))
                total = builder.fadd(builder.sitofp(sums[2 * k + v], vector), wide)
                score = multiply_add(step, total, start)
                store(builder, score, out, k * PANEL + v * LANES)
                bound = multiply_add(builder.fneg(step), twice, builder.fsub(score, slack))
                highest = builder.select(builder.fcmp_ordered(">", bound, highest), bound, highest)
            store(builder, highest, best, v * LANES)
        return context.get_dummy_value()

    i = types.intp
    return types.void(pairs, i, coefficients, i, limits, i, i, spread, upper, lower), build


def products(builder: Any, a: Any, b: Any) -> Any:
    """Emit a0 b0 + a1 b1 in each 32-bit lane, for the two 16-bit halves: one instruction to LLVM."""
    narrow, wide = ir.VectorType(ir.IntType(16), 2 * LANES), ir.VectorType(INT32, 2 * LANES)
    products = builder.mul(*(builder.sext(builder.bitcast(v, narrow), wide) for v in (a, b)))
    even, odd = (shuffle(builder, products, products, list(range(i, 2 * LANES, 2))) for i in range(2))
    return builder.add(even, odd)
