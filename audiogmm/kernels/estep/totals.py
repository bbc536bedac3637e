"""Sufficient statistics: posteriors and weighted moments of a tile's frames, added to totals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.moments import add_block, add_first, add_four_blocks, add_four_firsts
from audiogmm.kernels.estep.outer import LONGEST, add_outer
from audiogmm.kernels.estep.screens import BLOCK
from audiogmm.kernels.estep.tiles import Tile
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


class DiagonalTotals(NamedTuple):
    """Sufficient statistics that are added to."""

    counts: FloatArray
    """(K,)."""
    first: FloatArray
    """Flat (K, width)."""
    second: FloatArray
    """Flat (K, width); or (K,), of squared norms; or empty."""
    sums: FloatArray
    """(2,): the log-likelihood, and the pairs that were not skipped."""


class FullTotals(NamedTuple):
    """Sufficient statistics that are added to."""

    counts: FloatArray
    """(K,)."""
    first: FloatArray
    """Flat (K, width)."""
    second: FloatArray
    """Flat (K, width, width): its upper triangle is right, the rest is not."""
    sums: FloatArray
    """(2,): the log-likelihood, and the pairs that were not skipped."""


@kernel
def squared_norms(rows: AnyFrames, width: int, count: int, norms: FloatArray) -> None:
    """Compute squared norms of the first `count` rows, summed in eight interleaved parts."""
    part = np.empty(8)
    for n in range(count):
        part[:] = 0.0
        for d in range(0, width, 8):
            for lane in range(8):
                x = np.float64(rows[n * width + d + lane])
                part[lane] += x * x
        norms[n] = ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]))


@kernel
def add_counts(begin: NDArray[np.int64], score: FloatArray, counts: FloatArray) -> None:
    """Add up the posteriors of each component."""
    for k in range(len(counts)):
        total = 0.0
        for i in range(begin[k], begin[k + 1]):
            total += score[i]
        counts[k] += total


@kernel
def add_moments(width: int, tile: Tile, totals: DiagonalTotals) -> None:
    """Add the moments of all pairs of a tile to the totals of their components."""
    rows, member, gamma = tile.centered, tile.member, tile.gamma
    first, second = totals.first, totals.second
    squares = len(second) == len(first)
    for k in range(len(totals.counts)):
        for begin in range(tile.begin[k], tile.begin[k + 1], LONGEST):
            end = min(begin + LONGEST, tile.begin[k + 1])
            d = 0
            while d < width:
                at = k * width + d
                if d + 4 * BLOCK <= width:
                    if squares:
                        add_four_blocks(rows, width, d, member, gamma, begin, end, first, second, at)
                    else:
                        add_four_firsts(rows, width, d, member, gamma, begin, end, first, first, at)
                    d += 4 * BLOCK
                else:
                    if squares:
                        add_block(rows, width, d, member, gamma, begin, end, first, second, at)
                    else:
                        add_first(rows, width, d, member, gamma, begin, end, first, first, at)
                    d += BLOCK


@kernel
def add_outer_products(width: int, tile: Tile, totals: FullTotals) -> None:
    """Add first moments and outer products of all pairs of a tile to the totals of their components."""
    rows, member, gamma, first, second = tile.centered, tile.member, tile.gamma, totals.first, totals.second
    for k in range(len(totals.counts)):
        for begin in range(tile.begin[k], tile.begin[k + 1], LONGEST):
            end = min(begin + LONGEST, tile.begin[k + 1])
            for d in range(0, width, BLOCK):
                add_first(rows, width, d, member, gamma, begin, end, first, first, k * width + d)
            add_outer(rows, width, member, gamma, begin, end, second, k * width * width)
