"""Eight float64 numbers side by side: the vector type in which the front end computes eight frames at once.

A kernel that handles one frame in each lane does the same operations in the same order for every frame, so
that a frame's bytes depend neither on its neighbors nor on how the recording was cut; and it is fast, since
each operation is one machine instruction for all lanes (two or four of them on narrower CPUs).

Inside a `kernel`, `load`, `broadcast` and friends give lanes, `+ - * /` work on them, and `fma(a, b, c)` is
a * b + c, rounded once where the CPU has such an instruction. Positions in flat arrays count numbers, and
nothing checks them.
"""

# numba's extension interface is not annotated:
# mypy: disable-error-code="untyped-decorator, no-untyped-call, misc, call-arg"

from __future__ import annotations

import operator
from typing import Any, TypeAlias

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

WIDTH = 8
"""Lanes, that is frames computed side by side."""

Lanes: TypeAlias = Any
"""`WIDTH` float64 numbers, inside a kernel."""

intrinsic: Any = extending.intrinsic  # untyped on purpose: inside a kernel it takes lanes, not types

_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_LONGS = ir.VectorType(ir.IntType(64), WIDTH)


class _LanesType(types.Type):
    """Numba's name for `WIDTH` float64 numbers."""

    def __init__(self) -> None:
        super().__init__(name=f"float64x{WIDTH}")


lanes_type = _LanesType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    """Stored in LLVM's vector type: one register, where the CPU has one that is wide enough."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _DOUBLES)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, vector: Any) -> Any:
    """Pointer to a vector that begins at `array[index]`."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _splat(builder: Any, number: Any) -> Any:
    """The same number in every lane."""
    first = builder.insert_element(
        ir.Constant(_DOUBLES, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
    )
    return builder.shuffle_vector(first, ir.Constant(_DOUBLES, ir.Undefined), _shuffle([0] * WIDTH))


def _read(builder: Any, address: Any, align: int) -> Any:
    value = builder.load(address)
    value.align = align
    return value


def _call(builder: Any, name: str, args: Any) -> Any:
    """Call an LLVM intrinsic on lanes."""
    kind = ir.FunctionType(_DOUBLES, [_DOUBLES] * len(args))
    function = cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{WIDTH}f64")
    return builder.call(function, args)


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """Load `array[index : index + WIDTH]` of a flat float64 array."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _read(builder, _address(context, builder, signature.args[0], *args, _DOUBLES), 8)

    return lanes_type(array, types.intp), build


@intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write lanes to `array[index : index + WIDTH]` of a flat float64 array."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], args[0], args[1], _DOUBLES)
        builder.store(args[2], address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes_type), build


@intrinsic
def load_float32(typing: Any, array: Any, index: Any) -> Any:
    """Load `array[index : index + WIDTH]` of a flat float32 array, as float64."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        narrow = _read(builder, _address(context, builder, signature.args[0], *args, _FLOATS), 4)
        return builder.fpext(narrow, _DOUBLES)

    return lanes_type(array, types.intp), build


@intrinsic
def broadcast(typing: Any, number: Any) -> Any:
    """Return the same number in every lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _splat(builder, args[0])

    return lanes_type(types.float64), build


class _Arithmetic(ConcreteTemplate):
    """Two lanes give lanes."""

    cases = (signature(lanes_type, lanes_type, lanes_type),)


def _register(operation: Any, instruction: str) -> None:
    """Let a Python operator stand for one LLVM instruction on lanes."""

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    infer_global(operation)(type(f"_Lanes_{instruction}", (_Arithmetic,), {}))
    lower_builtin(operation, lanes_type, lanes_type)(build)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register(_operation, _instruction)


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Compute a * b + c in every lane, rounded once where the CPU can."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "llvm.fmuladd", args)

    return lanes_type(lanes_type, lanes_type, lanes_type), build


@intrinsic
def maximum(typing: Any, a: Any, b: Any) -> Any:
    """Return the larger one in every lane; `a` where `b` is not a number."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[1], args[0]), args[1], args[0])

    return lanes_type(lanes_type, lanes_type), build


@intrinsic
def square_root(typing: Any, a: Any) -> Any:
    """Compute the square root of every lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "llvm.sqrt", args)

    return lanes_type(lanes_type), build


def _reinterpreted(adjust: Any) -> Any:
    """Build a function of the bits of every lane, shifted so that mantissas begin at sqrt(1/2)."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _LONGS)
        return adjust(builder, builder.add(bits, _longs(_ONE - _SQRT_HALF)))

    return build


def _longs(number: int) -> Any:
    return ir.Constant(_LONGS, [number] * WIDTH)


_ONE = 0x3FF0000000000000
_SQRT_HALF = 0x3FE6A09E00000000


@intrinsic
def exponent(typing: Any, a: Any) -> Any:
    """Return the k of a = 2**k * m, as `mantissa`, as float64; for positive normal numbers."""

    def adjust(builder: Any, bits: Any) -> Any:
        k = builder.sub(builder.lshr(bits, _longs(52)), _longs(1023))
        return builder.sitofp(builder.trunc(k, ir.VectorType(ir.IntType(32), WIDTH)), _DOUBLES)

    return lanes_type(lanes_type), _reinterpreted(adjust)


@intrinsic
def mantissa(typing: Any, a: Any) -> Any:
    """Return the m of a = 2**k * m with m from sqrt(1/2) up to sqrt(2); for positive normal numbers."""

    def adjust(builder: Any, bits: Any) -> Any:
        kept = builder.and_(bits, _longs((1 << 52) - 1))
        return builder.bitcast(builder.add(kept, _longs(_SQRT_HALF)), _DOUBLES)

    return lanes_type(lanes_type), _reinterpreted(adjust)


@intrinsic
def store_float32(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write lanes, rounded, to `array[index : index + WIDTH]` of a flat float32 array."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], args[0], args[1], _FLOATS)
        builder.store(builder.fptrunc(args[2], _FLOATS), address, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes_type), build


@intrinsic
def transpose(typing: Any, source: Any, starts: Any, offset: Any, target: Any) -> Any:
    """Turn stretches of a flat float32 array into lanes.

    target[WIDTH * i + l] = source[starts[l] + offset + i] for i and l below WIDTH; `target` is flat float64.
    It takes three rounds of interleaving halves.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, starts, offset, target = args
        first = context.make_array(signature.args[1])(context, builder, starts).data
        rows = []
        for lane in range(WIDTH):
            start = builder.load(builder.gep(first, [ir.Constant(ir.IntType(64), lane)]))
            at = builder.add(start, offset)
            rows.append(_read(builder, _address(context, builder, signature.args[0], source, at, _FLOATS), 4))
        half = WIDTH // 2
        low = [lane // 2 + WIDTH * (lane % 2) for lane in range(WIDTH)]
        for _ in range(3):
            rows = [
                builder.shuffle_vector(
                    rows[i // 2], rows[i // 2 + half], _shuffle([x + half * (i % 2) for x in low])
                )
                for i in range(WIDTH)
            ]
        for i, row in enumerate(rows):
            at = ir.Constant(ir.IntType(64), WIDTH * i)
            address = _address(context, builder, signature.args[3], target, at, _DOUBLES)
            builder.store(builder.fpext(row, _DOUBLES), address, align=8)
        return context.get_dummy_value()

    return types.void(source, starts, types.intp, target), build


def _shuffle(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), places)
