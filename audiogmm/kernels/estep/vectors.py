"""Building blocks of microkernels: LLVM vectors, loops that carry them in registers, loads and stores.

Numba keeps an accumulator that is an array in memory. The innermost loops of the E-step are therefore emitted
as LLVM code, in which an accumulator is a vector in a register; LLVM splits vectors that a CPU cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from audiogmm.kernels.policy import compiles_for

WIDE = compiles_for("avx512f")
"""Whether there are 32 registers of 512 bits; else 16 of 256 bits are assumed."""

INT = ir.IntType(64)
INT32 = ir.IntType(32)
FLOAT = ir.FloatType()
DOUBLE = ir.DoubleType()


def microkernel(function: Callable[..., Any]) -> Any:
    """Make a function that numba calls while it compiles one that kernels call: numba's `intrinsic`."""
    return intrinsic(function)


def number(i: int) -> Any:
    """Return an index that is known when code is emitted."""
    return ir.Constant(INT, i)


def zeros(vector: Any) -> Any:
    """Return a vector of zeros."""
    return ir.Constant(vector, [0.0] * vector.count)


def shuffle(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    """Emit the chosen lanes of a followed by b."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(lanes)), lanes))


def splat(builder: Any, scalar: Any, width: int) -> Any:
    """Emit the same number in every lane."""
    unset = ir.Constant(ir.VectorType(scalar.type, width), ir.Undefined)
    return shuffle(builder, builder.insert_element(unset, scalar, INT32(0)), unset, [0] * width)


def pointer(context: Any, builder: Any, kind: Any, array: Any, position: Any) -> Any:
    """Emit a pointer to `array[position]`, for a flat, contiguous array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [position])


def load(builder: Any, start: Any, vector: Any, offset: Any = 0) -> Any:
    """Load the numbers from `start + offset`, converted to the vector's type."""
    here = _moved(builder, start, offset)
    stored = ir.VectorType(here.type.pointee, vector.count)
    value = builder.load(builder.bitcast(here, stored.as_pointer()))
    value.align = 4 if stored.element == FLOAT else 8
    return convert(builder, value, vector)


def load_splat(builder: Any, start: Any, width: int, offset: Any = 0) -> Any:
    """Load the one number at `start + offset` into every lane."""
    return splat(builder, builder.load(_moved(builder, start, offset)), width)


def store(builder: Any, value: Any, start: Any, offset: Any = 0) -> None:
    """Write a vector to `start + offset`."""
    here = _moved(builder, start, offset)
    written = builder.store(value, builder.bitcast(here, value.type.as_pointer()))
    written.align = 8 if value.type.element == DOUBLE else 4


def add_to(builder: Any, value: Any, start: Any, offset: Any = 0) -> None:
    """Add a vector to the float64 numbers at `start + offset`."""
    wide = ir.VectorType(DOUBLE, value.type.count)
    total = builder.fadd(load(builder, start, wide, offset), convert(builder, value, wide))
    store(builder, total, start, offset)


def convert(builder: Any, value: Any, vector: Any) -> Any:
    """Convert a vector to another floating-point type."""
    if value.type.element == vector.element:
        return value
    return (builder.fpext if vector.element == DOUBLE else builder.fptrunc)(value, vector)


def fma(builder: Any, vector: Any) -> Callable[[Any, Any, Any], Any]:
    """Return a function that emits a * b + c in every lane, rounded once where the CPU can."""
    name = f"llvm.fmuladd.v{vector.count}{'f32' if vector.element == FLOAT else 'f64'}"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(vector, [vector] * 3), name
    )
    return lambda a, b, c: builder.call(function, [a, b, c])


def sums_of_four(builder: Any, vectors: list[Any]) -> Any:
    """Emit the sums of the eight lanes of each of four vectors, as one vector of four, in one order."""
    halves = [
        builder.fadd(shuffle(builder, v, v, [0, 1, 2, 3]), shuffle(builder, v, v, [4, 5, 6, 7]))
        for v in vectors
    ]
    low = [shuffle(builder, halves[i], halves[i + 1], [0, 4, 2, 6]) for i in (0, 2)]
    high = [shuffle(builder, halves[i], halves[i + 1], [1, 5, 3, 7]) for i in (0, 2)]
    pairs = [builder.fadd(a, b) for a, b in zip(low, high, strict=True)]
    first = shuffle(builder, pairs[0], pairs[1], [0, 1, 4, 5])
    last = shuffle(builder, pairs[0], pairs[1], [2, 3, 6, 7])
    return builder.fadd(first, last)


def absolute(builder: Any, value: Any) -> Any:
    """Emit the absolute value of every lane."""
    return _each(builder, "fabs", value)


def root(builder: Any, value: Any) -> Any:
    """Emit the square root of every lane, rounded correctly."""
    return _each(builder, "sqrt", value)


def _each(builder: Any, operation: str, value: Any) -> Any:
    name = f"llvm.{operation}.v{value.type.count}f32"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(value.type, [value.type]), name
    )
    return builder.call(function, [value])


class Loop:
    """`for index in range(start, stop)` around the code that follows, with values carried in registers."""

    def __init__(self, builder: Any, start: Any, stop: Any, carried: list[Any]) -> None:
        self._builder = builder
        before = builder.block
        self._head = builder.append_basic_block("head")
        body = builder.append_basic_block("body")
        self._done = builder.append_basic_block("done")
        builder.branch(self._head)
        builder.position_at_end(self._head)
        self.index = builder.phi(INT)
        self.index.add_incoming(start, before)
        self.carried = [builder.phi(value.type) for value in carried]
        for phi, value in zip(self.carried, carried, strict=True):
            phi.add_incoming(value, before)
        builder.cbranch(builder.icmp_signed("<", self.index, stop), body, self._done)
        builder.position_at_end(body)

    def close(self, updated: list[Any]) -> list[Any]:
        """End the body with the new values; return the last ones. Code goes on behind the loop."""
        builder = self._builder
        self.index.add_incoming(builder.add(self.index, number(1)), builder.block)
        for phi, value in zip(self.carried, updated, strict=True):
            phi.add_incoming(value, builder.block)
        builder.branch(self._head)
        builder.position_at_end(self._done)
        return self.carried


def _moved(builder: Any, start: Any, offset: Any) -> Any:
    if isinstance(offset, int):
        return start if offset == 0 else builder.gep(start, [number(offset)])
    return builder.gep(start, [offset])
