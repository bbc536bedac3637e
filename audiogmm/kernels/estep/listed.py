"""The microkernel of truncated E-steps: float32 scores of listed components for one frame."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from audiogmm.kernels.estep.screens import BLOCK
from audiogmm.kernels.estep.vectors import (
    FLOAT,
    INT,
    Loop,
    fma,
    load,
    microkernel,
    number,
    pointer,
    shuffle,
    store,
    sums_of_four,
    zeros,
)

ABREAST = 4
"""Components scored side by side; `value` needs space for ABREAST - 1 more numbers."""


@microkernel
def score_listed(
    typing: Any,
    rows: Any,
    row_at: Any,
    width: Any,
    listed: Any,
    begin: Any,
    end: Any,
    table: Any,
    constants: Any,
    value: Any,
) -> Any:
    """Set `value[i] = constants[k] - sum_d (x[d] * scale[k, d] + offset[k, d])^2`, k = `listed[i]`, float32.

    IN `rows`, float32 or float64, of which x is `width` numbers from `row_at`; `listed[begin:end]`, int32;
    `table` (K, width / BLOCK, 2, BLOCK), scales and offsets block by block; `constants` (K,).
    OUT `value[begin:end]`, and up to three numbers behind.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector, quarter = ir.VectorType(FLOAT, BLOCK), ir.VectorType(FLOAT, ABREAST)
        multiply_add = fma(builder, vector)
        row = pointer(context, builder, kinds[0], args[0], args[1])
        width, begin, end = args[2], args[4], args[5]
        rounds = builder.sdiv(builder.add(builder.sub(end, begin), number(ABREAST - 1)), number(ABREAST))
        outer = Loop(builder, number(0), rounds, [])
        at = builder.add(begin, builder.mul(outer.index, number(ABREAST)))
        last = builder.sub(end, number(1))
        tables, starts = [], ir.Constant(quarter, ir.Undefined)
        for i in range(ABREAST):
            place = builder.add(at, number(i))
            place = builder.select(builder.icmp_signed("<", place, last), place, last)
            k = builder.sext(builder.load(pointer(context, builder, kinds[3], args[3], place)), INT)
            at_row = builder.mul(k, builder.mul(width, number(2)))
            tables.append(pointer(context, builder, kinds[6], args[6], at_row))
            start = builder.load(pointer(context, builder, kinds[7], args[7], k))
            starts = builder.insert_element(starts, start, ir.Constant(ir.IntType(32), i))
        loop = Loop(builder, number(0), builder.sdiv(width, number(BLOCK)), [zeros(vector)] * ABREAST)
        x = load(builder, row, vector, builder.mul(loop.index, number(BLOCK)))
        d = builder.mul(loop.index, number(2 * BLOCK))
        updated = []
        for here, total in zip(tables, loop.carried, strict=True):
            scale = load(builder, here, vector, d)
            offset = load(builder, here, vector, builder.add(d, number(BLOCK)))
            t = multiply_add(x, scale, offset)
            updated.append(multiply_add(t, t, total))
        halves = [
            builder.fadd(
                shuffle(builder, v, v, list(range(BLOCK // 2))),
                shuffle(builder, v, v, list(range(BLOCK // 2, BLOCK))),
            )
            for v in loop.close(updated)
        ]
        scores = builder.fsub(starts, sums_of_four(builder, halves))
        store(builder, scores, pointer(context, builder, kinds[8], args[8], at))
        outer.close([])
        return context.get_dummy_value()

    at = types.intp
    return types.void(rows, at, at, listed, at, at, table, constants, value), build
