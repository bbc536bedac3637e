"""The four inner loops of the E-step in vector code, whose accumulators stay in registers.

Numba keeps an accumulator that is an array in memory. Here the innermost loops are emitted as LLVM vectors instead,
which LLVM splits where the CPU has narrower ones. Arrays are flat and C-contiguous, positions count numbers, and nothing
checks them. Each lane does the same operations in the same order, so that a frame's numbers do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))
"""Whether there are 32 registers of 512 bits; else 16 of 256 bits are assumed."""

LANES = 16 if WIDE else 8
"""float32 numbers of one register."""

PANEL = 2 * LANES
"""Frames that `score_block` handles at once."""

GROUP = 12 if WIDE else 6
"""Components that `score_block` handles at once: PANEL / LANES * GROUP accumulators, and room for two frames vectors."""

BLOCK = 16
"""Feature vectors are padded to a multiple of this many numbers."""

_INT = ir.IntType(64)
_INT32 = ir.IntType(32)
_FLOAT = ir.FloatType()
_DOUBLE = ir.DoubleType()


def _at(i: int) -> Any:
    return ir.Constant(_INT, i)


def _splat(builder: Any, number: Any, width: int) -> Any:
    """The same number in every lane."""
    unset = ir.Constant(ir.VectorType(number.type, width), ir.Undefined)
    zeros = ir.Constant(ir.VectorType(_INT32, width), [0] * width)
    return builder.shuffle_vector(builder.insert_element(unset, number, _INT32(0)), unset, zeros)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, position: Any) -> Any:
    """Where `array[position]` is."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [position])


def _load(builder: Any, pointer: Any, vector: Any, bytes_a_number: int) -> Any:
    value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    value.align = bytes_a_number
    return value


def _store(builder: Any, value: Any, pointer: Any, bytes_a_number: int) -> None:
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer())).align = bytes_a_number


def _fma(builder: Any, vector: Any) -> Callable[..., Any]:
    """a * b + c in every lane, rounded once where the CPU can."""
    name = f"llvm.fmuladd.v{vector.count}{'f32' if vector.element == _FLOAT else 'f64'}"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(vector, [vector] * 3), name
    )
    return lambda a, b, c: builder.call(function, [a, b, c])


class _Loop:
    """`for i in range(start, stop)` around the code that follows, with values carried in registers."""

    def __init__(self, builder: Any, start: Any, stop: Any, carried: list[Any]) -> None:
        self.builder = builder
        before = builder.block
        self.head = builder.append_basic_block("head")
        self.body = builder.append_basic_block("body")
        self.done = builder.append_basic_block("done")
        builder.branch(self.head)
        builder.position_at_end(self.head)
        self.stop = stop
        self.index = builder.phi(_INT)
        self.index.add_incoming(start, before)
        self.carried = [builder.phi(value.type) for value in carried]
        for phi, value in zip(self.carried, carried, strict=True):
            phi.add_incoming(value, before)
        builder.cbranch(builder.icmp_signed("<", self.index, stop), self.body, self.done)
        builder.position_at_end(self.body)

    def close(self, updated: list[Any]) -> list[Any]:
        """End the body with the new values; go on behind the loop, where the last ones are returned."""
        self.index.add_incoming(self.builder.add(self.index, _at(1)), self.builder.block)
        for phi, value in zip(self.carried, updated, strict=True):
            phi.add_incoming(value, self.builder.block)
        self.builder.branch(self.head)
        self.builder.position_at_end(self.done)
        return self.carried


@intrinsic  # type: ignore[untyped-decorator]
def score_block(
    typing: Any,
    terms: Any,
    terms_at: Any,
    n_terms: Any,
    coefficients: Any,
    coefficients_at: Any,
    start: Any,
    slack: Any,
    first: Any,
    upper: Any,
    upper_at: Any,
    lower: Any,
    lower_at: Any,
) -> Any:
    """Scores of `GROUP` components for `PANEL` frames, and the best lower bound of each frame so far.

    `upper[k, n] = start[k] + sum_f coefficients[f, k] * terms[f, n]` and
    `lower[n] = max(lower[n], max_k upper[k, n] - slack[k])`, all float32: IN `terms` from `terms_at`, laid out
    (n_terms, PANEL); `coefficients` from `coefficients_at`, laid out (n_terms, GROUP); `start` and `slack` from
    `first`; OUT `upper` from `upper_at`, laid out (GROUP, PANEL); INOUT `lower` from `lower_at`, PANEL numbers.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(_FLOAT, LANES)
        fma = _fma(builder, vector)
        term = _pointer(context, builder, kinds[0], args[0], args[1])
        coefficient = _pointer(context, builder, kinds[3], args[3], args[4])
        starts = _pointer(context, builder, kinds[5], args[5], args[7])
        slacks = _pointer(context, builder, kinds[6], args[6], args[7])
        out = _pointer(context, builder, kinds[8], args[8], args[9])
        best = _pointer(context, builder, kinds[10], args[10], args[11])
        initial = [_splat(builder, builder.load(builder.gep(starts, [_at(k)])), LANES) for k in range(GROUP)]
        loop = _Loop(builder, _at(0), args[2], [initial[k] for k in range(GROUP) for _ in range(2)])
        term_row = builder.gep(term, [builder.mul(loop.index, _at(PANEL))])
        row = builder.gep(coefficient, [builder.mul(loop.index, _at(GROUP))])
        x = [_load(builder, builder.gep(term_row, [_at(v * LANES)]), vector, 4) for v in range(2)]
        updated = []
        for k in range(GROUP):
            factor = _splat(builder, builder.load(builder.gep(row, [_at(k)])), LANES)
            updated += [fma(factor, x[v], loop.carried[2 * k + v]) for v in range(2)]
        scores = loop.close(updated)
        for v in range(2):
            here = builder.gep(best, [_at(v * LANES)])
            highest = _load(builder, here, vector, 4)
            for k in range(GROUP):
                score = scores[2 * k + v]
                _store(builder, score, builder.gep(out, [_at(k * PANEL + v * LANES)]), 4)
                bound = builder.fsub(
                    score, _splat(builder, builder.load(builder.gep(slacks, [_at(k)])), LANES)
                )
                highest = builder.select(builder.fcmp_ordered(">", bound, highest), bound, highest)
            _store(builder, highest, here, 4)
        return context.get_dummy_value()

    at = types.intp
    signature = types.void(terms, at, at, coefficients, at, start, slack, at, upper, at, lower, at)
    return signature, build


@intrinsic  # type: ignore[untyped-decorator]
def survivors(typing: Any, upper: Any, upper_at: Any, cut: Any, cut_at: Any) -> Any:
    """Bit n is set unless `upper[upper_at + n] < cut[cut_at + n]`, for `PANEL` frames: not a number survives."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(_FLOAT, PANEL)
        scores = _load(builder, _pointer(context, builder, signature.args[0], args[0], args[1]), vector, 4)
        cuts = _load(builder, _pointer(context, builder, signature.args[2], args[2], args[3]), vector, 4)
        bits = builder.bitcast(builder.fcmp_unordered(">=", scores, cuts), ir.IntType(PANEL))
        return builder.zext(bits, _INT)

    return types.int64(upper, types.intp, cut, types.intp), build


@intrinsic  # type: ignore[untyped-decorator]
def lowest_bit(typing: Any, bits: Any) -> Any:
    """Position of the lowest set bit of a number that is not zero."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def power_of_two(typing: Any, exponent: Any) -> Any:
    """2.0 ** exponent for an int64 from -1022 to 1023."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(builder.shl(builder.add(args[0], _at(1023)), _at(52)), _DOUBLE)

    return types.float64(types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def squared_distance(
    typing: Any, row: Any, row_at: Any, mean: Any, scale: Any, mean_at: Any, n_features: Any
) -> Any:
    """`sum_d ((row[d] - mean[d]) * scale[d])^2` in float64, over a multiple of `BLOCK` features, in a fixed order."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(_DOUBLE, 8)
        fma = _fma(builder, vector)
        x = _pointer(context, builder, signature.args[0], args[0], args[1])
        centre = _pointer(context, builder, signature.args[2], args[2], args[4])
        factor = _pointer(context, builder, signature.args[3], args[3], args[4])
        zero = ir.Constant(vector, [0.0] * 8)
        loop = _Loop(builder, _at(0), builder.sdiv(args[5], _at(BLOCK)), [zero, zero])
        totals = []
        for half in range(2):
            d = [builder.add(builder.mul(loop.index, _at(BLOCK)), _at(8 * half))]
            difference = builder.fsub(
                _load(builder, builder.gep(x, d), vector, 8),
                _load(builder, builder.gep(centre, d), vector, 8),
            )
            t = builder.fmul(difference, _load(builder, builder.gep(factor, d), vector, 8))
            totals.append(fma(t, t, loop.carried[half]))
        total = builder.fadd(*loop.close(totals))
        for width in (4, 2, 1):
            halves = [
                builder.shuffle_vector(
                    total, total, ir.Constant(ir.VectorType(_INT32, width), list(range(at, at + width)))
                )
                for at in (0, width)
            ]
            total = builder.fadd(*halves)
        return builder.extract_element(total, _INT32(0))

    at = types.intp
    return types.float64(row, at, mean, scale, at, at), build


def _moments(n_vectors: int, squares: bool) -> Any:
    """Emit a kernel that adds weighted rows (and their squares) to float64 totals, `n_vectors * BLOCK` features."""

    @intrinsic  # type: ignore[untyped-decorator]
    def add(
        typing: Any,
        rows: Any,
        stride: Any,
        column: Any,
        members: Any,
        gammas: Any,
        begin: Any,
        end: Any,
        first: Any,
        second: Any,
        at: Any,
    ) -> Any:
        """`first[at + d] += sum_m gammas[m] * rows[members[m] * stride + column + d]`; `second` with its square.

        The sums over `begin <= m < end` are held in the type of `rows` and added to float64 totals at the end.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kinds = signature.args
            double = kinds[0].dtype == types.float64
            vector = ir.VectorType(_DOUBLE if double else _FLOAT, BLOCK)
            size = 8 if double else 4
            fma = _fma(builder, vector)
            zero = ir.Constant(vector, [0.0] * BLOCK)
            table = _pointer(context, builder, kinds[0], args[0], args[2])
            member = _pointer(context, builder, kinds[3], args[3], _at(0))
            gamma = _pointer(context, builder, kinds[4], args[4], _at(0))
            loop = _Loop(builder, args[5], args[6], [zero] * (n_vectors * (1 + squares)))
            n = builder.sext(builder.load(builder.gep(member, [loop.index])), _INT)
            row = builder.gep(table, [builder.mul(n, args[1])])
            g = _splat(builder, builder.load(builder.gep(gamma, [loop.index])), BLOCK)
            updated, squared = [], []
            for v in range(n_vectors):
                x = _load(builder, builder.gep(row, [_at(v * BLOCK)]), vector, size)
                if squares:
                    weighted = builder.fmul(g, x)
                    updated.append(builder.fadd(weighted, loop.carried[v]))
                    squared.append(fma(weighted, x, loop.carried[n_vectors + v]))
                else:
                    updated.append(fma(g, x, loop.carried[v]))
            sums = loop.close(updated + squared)
            wide = ir.VectorType(_DOUBLE, BLOCK)
            for kind, total, parts in (
                (kinds[7], args[7], sums[:n_vectors]),
                (kinds[8], args[8], sums[n_vectors:]),
            ):
                for v, part in enumerate(parts):
                    here = builder.gep(_pointer(context, builder, kind, total, args[9]), [_at(v * BLOCK)])
                    value = part if double else builder.fpext(part, wide)
                    _store(builder, builder.fadd(_load(builder, here, wide, 8), value), here, 8)
            return context.get_dummy_value()

        i = types.intp
        return types.void(rows, i, i, members, gammas, i, i, first, second, i), build

    return add


add_four_blocks, add_block = _moments(4, True), _moments(1, True)
add_four_firsts, add_first = _moments(4, False), _moments(1, False)
