"""Screening with what is known from the last pass: only components that could matter get a bound.

A margin is one byte for a panel of frames and a component, and says how far below each frame's best score the
component was. `mixture.carried_margins` proves what follows from it once the parameters have moved.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from audiogmm.kernels.estep.dots import (
    Float32Array,
    Int32Array,
    IntegerCoefficients,
    QuantizedTerms,
    products,
)
from audiogmm.kernels.estep.screens import COMPRESS, GROUP, LANES, PANEL, list_bits, lowest_bit, survivors
from audiogmm.kernels.estep.vectors import (
    DOUBLE,
    FLOAT,
    INT,
    INT32,
    Loop,
    fma,
    load,
    load_splat,
    microkernel,
    number,
    pointer,
    shuffle,
    store,
)
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray

STEPS = 4.0
"""Steps of a margin's code to a nat."""

DEEPEST = 255
"""The largest code: it stands for all larger ones too."""

SHALLOWEST = 0.3
"""Least `DriftBound.scale`: a component that changed more gets a bound."""

ALLOWANCE = 1e-2
"""Nats, in addition to `RELATIVE` of a score's size: more than the float32 error of a bound."""

RELATIVE = 1e-5


class DriftBound(NamedTuple):
    """`new score <= scale * old score + shift` for every frame; `mixture.carried_margins` proves it."""

    scale: FloatArray
    """(K,): from `SHALLOWEST` to 1."""
    shift: FloatArray
    """(K,): nats; huge where nothing is known."""


class Margins(NamedTuple):
    """What is carried from pass to pass for some frames, and arrays to work in.

    Empty where nothing is carried.
    """

    codes: NDArray[np.uint8]
    """Flat (n_panels, stride): the scores of a panel's frames are at most their `lows` less code / `STEPS`;
    0: unknown. Stride is K rounded up to a multiple of `PANEL`."""
    lows: Float32Array
    """Flat (n_panels, PANEL): a lower bound of each frame's best score."""
    drift: DriftBound
    """Of the parameters since then. Empty: nothing is known yet."""
    keys: Float32Array
    """(stride,): to work in."""
    listed: Int32Array
    """(stride + 2 * PANEL,): the components that get a bound."""
    screened: FloatArray
    """(2,): scores that got a bound, and all scores, of full panels."""


@microkernel
def dot_listed(
    typing: Any,
    pairs: Any,
    n_pairs: Any,
    rows: Any,
    limits: Any,
    listed: Any,
    listed_at: Any,
    spread: Any,
    upper: Any,
    lower: Any,
) -> Any:
    """As `dot_block`, for the components `listed[listed_at : listed_at + GROUP]`, to the same bits.

    IN `rows` (K, n_pairs) and `limits` (K, 3). OUT `upper` (GROUP, PANEL) from `listed_at * PANEL`.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        integers, vector = ir.VectorType(INT32, LANES), ir.VectorType(FLOAT, LANES)
        multiply_add = fma(builder, vector)
        term = pointer(context, builder, kinds[0], args[0], number(0))
        table = pointer(context, builder, kinds[2], args[2], number(0))
        limit = pointer(context, builder, kinds[3], args[3], number(0))
        chosen = pointer(context, builder, kinds[4], args[4], args[5])
        spreads = pointer(context, builder, kinds[6], args[6], number(0))
        out = pointer(context, builder, kinds[7], args[7], builder.mul(args[5], number(PANEL)))
        best = pointer(context, builder, kinds[8], args[8], number(0))
        who = [builder.sext(builder.load(builder.gep(chosen, [number(k)])), INT) for k in range(GROUP)]
        factors = [builder.gep(table, [builder.mul(k, args[1])]) for k in who]
        zero = ir.Constant(integers, [0] * LANES)
        loop = Loop(builder, number(0), args[1], [zero] * (2 * GROUP))
        row = builder.gep(term, [builder.mul(loop.index, number(PANEL))])
        x = [load(builder, row, integers, v * LANES) for v in range(2)]
        updated = []
        for k in range(GROUP):
            factor = load_splat(builder, factors[k], LANES, loop.index)
            updated += [
                builder.add(loop.carried[2 * k + v], products(builder, factor, x[v])) for v in range(2)
            ]
        sums = loop.close(updated)
        for v in range(2):
            highest = load(builder, best, vector, v * LANES)
            wide = load(builder, spreads, vector, v * LANES)
            twice = builder.fadd(wide, wide)
            for k in range(GROUP):
                here = builder.gep(limit, [builder.mul(who[k], number(3))])
                start, step, slack = (load_splat(builder, here, LANES, i) for i in range(3))
                total = builder.fadd(builder.sitofp(sums[2 * k + v], vector), wide)
                score = multiply_add(step, total, start)
                store(builder, score, out, k * PANEL + v * LANES)
                bound = multiply_add(builder.fneg(step), twice, builder.fsub(score, slack))
                highest = builder.select(builder.fcmp_ordered(">", bound, highest), bound, highest)
            store(builder, highest, best, v * LANES)
        return context.get_dummy_value()

    i = types.intp
    return types.void(pairs, i, rows, limits, listed, i, spread, upper, lower), build


@microkernel
def largest_difference(typing: Any, upper: Any, upper_at: Any, lows: Any, lows_at: Any) -> Any:
    """Return the largest of `upper[upper_at + n] - lows[lows_at + n]`, n < `PANEL`, as float64."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(FLOAT, PANEL)
        scores = load(builder, pointer(context, builder, kinds[0], args[0], args[1]), vector)
        low = load(builder, pointer(context, builder, kinds[2], args[2], args[3]), vector)
        largest, width = builder.fsub(scores, low), PANEL
        while width > 1:
            width //= 2
            a, b = (
                shuffle(builder, largest, largest, list(range(first, first + width))) for first in (0, width)
            )
            largest = builder.select(builder.fcmp_ordered(">", a, b), a, b)
        return builder.fpext(builder.extract_element(largest, INT32(0)), DOUBLE)

    i = types.intp
    return types.float64(upper, i, lows, i), build


@kernel
def margin_code(margin: float) -> int:
    """Return the code of a score `margin` nats above the best one (below if negative), rounded towards 0."""
    return int(min(max(-STEPS * margin, 0.0), np.float64(DEEPEST)))


@kernel
def list_reaching(margins: Margins, n_listed: int, cuts: Float32Array) -> int:
    """Append the components whose key reaches `cuts`, which are all equal; return how many are listed."""
    keys, listed = margins.keys, margins.listed
    for first in range(0, len(keys), PANEL):
        bits = survivors(keys, first, cuts)
        if bits == 0:
            continue
        if COMPRESS:
            n_listed = list_bits(bits, first, listed, n_listed)
        else:
            while bits != 0:
                listed[n_listed] = first + lowest_bit(bits)
                bits &= bits - 1
                n_listed += 1
    return n_listed


@kernel
def bound_listed(
    first: int,
    n_listed: int,
    margins: Margins,
    dots: IntegerCoefficients,
    room: QuantizedTerms,
    upper: Float32Array,
    lower: Float32Array,
) -> None:
    """Compute bounds of the listed components from `first` on; the last is repeated to fill a group."""
    listed = margins.listed
    for i in range(n_listed, n_listed + GROUP - 1):
        listed[i] = listed[n_listed - 1]
    n_pairs = len(room.pairs) // PANEL
    for at in range(first, n_listed, GROUP):
        dot_listed(room.pairs, n_pairs, dots.rows, dots.row_limits, listed, at, room.spread, upper, lower)


@kernel
def bound_where_needed(
    panel: int,
    n_components: int,
    log_cut: float,
    margins: Margins,
    dots: IntegerCoefficients,
    room: QuantizedTerms,
    upper: Float32Array,
    lower: Float32Array,
) -> int:
    """Compute bounds of the components of a panel that margins do not rule out; return how many are listed.

    First those that were close to the best, or of which nothing is known: they set the lower bounds. Then
    those that could have come close since. The codes of the others are brought up to date.
    """
    keys, codes, lows, drift = margins.keys, margins.codes, margins.lows, margins.drift
    limits, base = dots.row_limits, panel * len(keys)
    cuts = np.full(PANEL, -0.5, np.float32)
    for k in range(n_components):
        keys[k] = -np.float32(codes[base + k])
    keys[n_components:] = -1.0
    n_first = list_reaching(margins, 0, cuts)
    if n_first > 0:
        bound_listed(0, n_first, margins, dots, room, upper, lower)
    stay, deep, size, spread = -np.inf, -np.inf, 0.0, 0.0
    for lane in range(PANEL):
        before, now = np.float64(lows[panel * PANEL + lane]), np.float64(lower[lane])
        stay = max(stay, before - now)
        deep = max(deep, SHALLOWEST * before - now)
        size = max(size, abs(before), abs(now))
        spread = max(spread, np.float64(room.spread[lane]))
    allowance = ALLOWANCE + RELATIVE * size
    if not np.isfinite(stay + deep + allowance):
        allowance, stay, deep = 1e30, 0.0, 0.0
    # between the two ends, max_n (scale * before - now) is convex in scale: at most its chord
    slope = (stay - deep) / (1.0 - SHALLOWEST)
    for k in range(n_components):
        code = codes[base + k]
        margin = (
            stay - slope * (1.0 - drift.scale[k]) + drift.shift[k] - drift.scale[k] / STEPS * code + allowance
        )
        keys[k] = margin + 1.01 * (limits[3 * k + 2] + 2.0 * limits[3 * k + 1] * spread)
        codes[base + k] = margin_code(margin)
        if code == 0:
            keys[k] = -np.inf
    keys[n_components:] = -np.inf
    cuts[:] = log_cut - ALLOWANCE
    n_listed = list_reaching(margins, n_first, cuts)
    if n_listed > n_first:
        bound_listed(n_first, n_listed, margins, dots, room, upper, lower)
    margins.screened[0] += n_listed
    margins.screened[1] += n_components
    return n_listed


@kernel
def list_all(n_components: int, margins: Margins) -> int:
    """List every component, where `dot_block` has bounded all; return how many."""
    for k in range(n_components):
        margins.listed[k] = k
    margins.screened[0] += n_components
    margins.screened[1] += n_components
    return n_components


@kernel
def reset_margins(panel: int, n_components: int, margins: Margins) -> None:
    """Set the margins of a panel to unknown."""
    stride = len(margins.keys)
    margins.codes[panel * stride : (panel + 1) * stride] = 0
    margins.screened[0] += n_components
    margins.screened[1] += n_components
