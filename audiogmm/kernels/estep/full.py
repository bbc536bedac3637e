"""The E-step of components with a full covariance each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import LARGEST, Float32Array, quantize
from audiogmm.kernels.estep.moments import ABREAST, score_triangle
from audiogmm.kernels.estep.screens import PANEL, TRIANGLES, triangle_block
from audiogmm.kernels.estep.tiles import (
    ALL_FINITE,
    Tile,
    center,
    exponentiate,
    first_fault,
    gather_marked,
    list_survivors,
    panel_terms,
    weigh,
)
from audiogmm.kernels.estep.totals import FullTotals, add_counts, add_outer_products
from audiogmm.kernels.estep.triangles import IntegerFactors, bound_triangles
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


class FullScreen(NamedTuple):
    """float32 factors of the bounds on scores; `mixture.screening` proves them."""

    coefficients: Float32Array
    """Flat (n_groups, columns, 2, TRIANGLES): offsets and factors as `triangle_block` reads them."""
    limits: Float32Array
    """Flat (n_groups, 4, TRIANGLES): start, reach, slack, shrink."""
    n_rows: int
    """Features, rounded up to an even number."""
    widen: float
    """A true score lies between (upper - slack - shrink r) * widen and upper; r is |x - origin|^2."""
    triangles: IntegerFactors
    """The same in integers, where they are faster."""


class FullComponents(NamedTuple):
    """Parameters of components, of which scores are computed in float64."""

    means: FloatArray
    """Flat (K, width)."""
    factors: FloatArray
    """Flat (K, width, width): upper triangular P, with P P^T the precision; zero in the padding."""
    constants: FloatArray
    """(K,), nats."""
    origin: FloatArray
    """(D,), float32 numbers."""


@kernel
def score_tile(
    frames: AnyFrames,
    at: int,
    count: int,
    log_cut: float,
    screen: FullScreen,
    model: FullComponents,
    tile: Tile,
) -> int:
    """As `diagonal.score_tile`."""
    n_features = frames.shape[1]
    width = len(tile.points) // len(tile.highest)
    center(frames, at, count, model.origin, tile)
    m = 0
    for panel in range(-(-count // PANEL)):
        if not panel_terms(tile.centered, panel, n_features, False, tile):
            fault = first_fault(frames, at + panel * PANEL, PANEL)
            if fault != ALL_FINITE:
                return -2 - fault
        m = screen_panel(panel, m, count, n_features, log_cut, screen, tile)
    gather_marked(-(-count // PANEL), tile)
    score_members(frames, at, n_features, width, model, tile)
    exponentiate(m, tile)
    return m


@kernel
def bound_panel(n_features: int, log_cut: float, triangles: IntegerFactors, tile: Tile) -> int:
    """Compute bounds of the panel in `tile.terms` by integers; return how many frames are in their range.

    Fills `upper` and `lower`, which are undefined for the other frames, and `quantized`.
    """
    if len(triangles.per_step) == 0:
        return 0
    paired, room = tile.scratch, tile.quantized
    n_pairs = len(room.pairs) // PANEL
    for d in range(n_features):
        row = d // 2 + d % 2 * n_pairs
        for lane in range(PANEL):  # a slice at once would take seconds to compile
            paired[row * PANEL + lane] = tile.terms[d * PANEL + lane]
    n_within = quantize(paired, triangles.per_step, tile.lower, room)
    if n_within > 0:
        sums = paired[2 * n_pairs * PANEL :]
        bound_triangles(triangles, room, log_cut, sums, tile.upper, tile.lower)
    return n_within


@kernel
def screen_panel(
    panel: int, m: int, count: int, n_features: int, log_cut: float, screen: FullScreen, tile: Tile
) -> int:
    """Mark the pairs of a panel that no bound rules out, as `list_survivors`."""
    terms, lower, room = tile.terms, tile.lower, tile.quantized
    n_within = bound_panel(n_features, log_cut, screen.triangles, tile)
    if n_within > 0:
        for lane in range(PANEL):
            if room.largest[lane] > LARGEST:
                room.spread[lane] = lower[lane]
                lower[lane] = np.inf
        m = list_survivors(panel, m, count, 1.0, 1.0, log_cut, tile)
        if n_within == PANEL:
            return m
        for lane in range(PANEL):
            lower[lane] = -np.inf
            if room.largest[lane] <= LARGEST:
                lower[lane] = np.inf
            elif np.isnan(room.spread[lane]):
                lower[lane] = np.nan
    n_rows = screen.n_rows
    if n_rows > n_features:  # an empty feature before the norms
        for lane in range(PANEL):
            terms[n_rows * PANEL + lane] = terms[n_features * PANEL + lane]
            terms[n_features * PANEL + lane] = 0
    n_groups = len(screen.limits) // (4 * TRIANGLES)
    stride = len(screen.coefficients) // n_groups
    for g in range(n_groups):
        triangle_block(
            terms, n_rows, screen.coefficients, g * stride, screen.limits, g * 4 * TRIANGLES, g * TRIANGLES,
            tile.upper, lower,
        )  # fmt: skip
    return list_survivors(panel, m, count, screen.widen, 1.0, log_cut, tile)


@kernel
def score_members(
    frames: AnyFrames, at: int, n_features: int, width: int, model: FullComponents, tile: Tile
) -> None:
    """Fill `tile.score` for all pairs."""
    begin, member, score = tile.begin, tile.member, tile.score
    means, factors, constants = model.means, model.factors, model.constants
    difference = np.zeros(ABREAST * width)
    for k in range(len(constants)):
        for i in range(begin[k], begin[k + 1], ABREAST):
            for j in range(ABREAST):
                n = at + member[min(i + j, begin[k + 1] - 1)]
                for d in range(n_features):
                    difference[j * width + d] = np.float64(frames[n, d]) - means[k * width + d]
            score_triangle(difference, width, factors, k * width * width, constants[k], score, i)


@kernel
def log_likelihood(
    frames: AnyFrames,
    log_cut: float,
    screen: FullScreen,
    model: FullComponents,
    tile: Tile,
    totals: FloatArray,
) -> int:
    """As `diagonal.log_likelihood`."""
    for at in range(0, len(frames), len(tile.highest)):
        count = min(len(tile.highest), len(frames) - at)
        n_pairs = score_tile(frames, at, count, log_cut, screen, model, tile)
        if n_pairs < 0:
            return -2 - n_pairs
        for n in range(count):
            totals[at + n] = tile.highest[n] + np.log(tile.total[n])
    return ALL_FINITE


@kernel
def accumulate(
    frames: AnyFrames,
    weights: FloatArray,
    log_cut: float,
    screen: FullScreen,
    model: FullComponents,
    tile: Tile,
    totals: FullTotals,
) -> int:
    """As `diagonal.accumulate`."""
    width = len(tile.points) // len(tile.highest)
    for at in range(0, len(frames), len(tile.highest)):
        count = min(len(tile.highest), len(frames) - at)
        n_pairs = score_tile(frames, at, count, log_cut, screen, model, tile)
        if n_pairs < 0:
            return -2 - n_pairs
        totals.sums[0] += weigh(at, count, n_pairs, weights, tile)
        totals.sums[1] += n_pairs
        add_counts(tile.begin, tile.score, totals.counts)
        add_outer_products(width, tile, totals)
    return ALL_FINITE
