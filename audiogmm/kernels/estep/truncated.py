"""Truncated E-steps: each frame has a set of components, and posteriors on that set alone.

The sets of neighboring frames are alike where frames are taken in the order of their best components, so
that parameters stay in the cache. A set lists its components from the best one down; -1 stands for none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiogmm.kernels.estep import full
from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.diagonal import DiagonalComponents
from audiogmm.kernels.estep.dots import Int32Array
from audiogmm.kernels.estep.full import FullComponents
from audiogmm.kernels.estep.listed import score_listed
from audiogmm.kernels.estep.moments import score_pairs
from audiogmm.kernels.estep.neighbors import (
    ComponentSearch,
    NearestComponents,
    SearchWorkspace,
    choose_sets,
    keep_nearest,
    list_candidates,
)
from audiogmm.kernels.estep.tiles import Tile, center, exponentiate, gather, weigh
from audiogmm.kernels.estep.totals import (
    DiagonalTotals,
    FullTotals,
    add_counts,
    add_moments,
    add_outer_products,
    squared_norms,
)
from audiogmm.kernels.estep.whitening import whiten
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


class FrameSets(NamedTuple):
    """Frames and their sets of components."""

    frames: AnyFrames
    """(n, D)."""
    sets: Int32Array
    """(n, C)."""
    order: Int32Array
    """(n,): in which order frames are taken."""
    weights: FloatArray
    """(n,), in that order; empty: all are 1."""


@kernel
def order_by_best(sets: Int32Array, n_components: int, order: Int32Array) -> None:
    """Order rows by their best component; `order` (n,) OUT. Ties stay in order."""
    begin = np.zeros(n_components + 2, np.int64)
    for n in range(len(sets)):
        begin[sets[n, 0] + 2] += 1
    for k in range(n_components + 1):
        begin[k + 1] += begin[k]
    for n in range(len(sets)):
        k = sets[n, 0] + 1
        order[begin[k]] = n
        begin[k] += 1


@kernel
def take_rows(frames: AnyFrames, order: Int32Array, at: int, rows: AnyFrames) -> None:
    """Set `rows[i] = frames[order[at + i]]` while there are any."""
    for i in range(min(len(rows), len(order) - at)):
        n = order[at + i]
        for d in range(frames.shape[1]):
            rows[i, d] = frames[n, d]


@kernel
def list_sets(
    sets: Int32Array, order: Int32Array, at: int, count: int, constants: FloatArray, tile: Tile
) -> int:
    """List the pairs of component and frame that the sets hold; returns how many."""
    m = 0
    for i in range(count):
        n = order[at + i]
        for c in range(sets.shape[1]):
            k = sets[n, c]
            if k >= 0 and constants[k] > -np.inf:
                tile.found[m] = i
                tile.owner[m] = k
                m += 1
    return m


@kernel
def score_diagonal(
    sets: FrameSets,
    at: int,
    search: ComponentSearch,
    model: DiagonalComponents,
    tile: Tile,
    room: SearchWorkspace,
    near: NearestComponents,
) -> int:
    """Score the pairs of a tile's sets, which are improved first if that is wanted; return how many.

    Fills the tile as `diagonal.score_tile` does.
    """
    T = len(tile.highest)
    count, width = min(T, len(sets.order) - at), len(tile.points) // T
    rows = room.rows
    take_rows(sets.frames, sets.order, at, rows)
    center(rows, 0, count, model.origin, tile)
    white = len(model.factor) > 0
    if white:
        whiten(rows, 0, count, model.origin, model.factor, tile.points)
    else:
        for n in range(count):
            for d in range(rows.shape[1]):
                tile.points[n * width + d] = rows[n, d]
    if search.wanted:
        list_candidates(sets.sets, sets.order, at, count, search, tile, room)
        for n in range(count):
            begin, end = room.start[n], room.start[n + 1]
            if white:
                score_listed(
                    tile.points, n * width, width, tile.owner, begin, end, search.table, search.constants,
                    room.value,
                )  # fmt: skip
            else:
                score_listed(
                    tile.centered, n * width, width, tile.owner, begin, end, search.table, search.constants,
                    room.value,
                )  # fmt: skip
        choose_sets(sets.sets, sets.order, at, count, tile.owner, room, near)
    m = list_sets(sets.sets, sets.order, at, count, model.constants, tile)
    gather(m, tile)
    for k in range(len(model.constants)):
        score_pairs(
            tile.points, width, tile.member, tile.begin[k], tile.begin[k + 1], model.means, model.scales,
            k * width, model.constants[k], tile.score,
        )  # fmt: skip
    exponentiate(m, tile)
    return m


@kernel
def log_likelihood_diagonal(
    sets: FrameSets, search: ComponentSearch, model: DiagonalComponents, tile: Tile, room: SearchWorkspace,
    near: NearestComponents, totals: FloatArray,
) -> None:  # fmt: skip
    """Compute the log-likelihood of every frame under its set, (n,), OUT, in the order of `sets`."""
    T = len(tile.highest)
    for at in range(0, len(sets.order), T):
        score_diagonal(sets, at, search, model, tile, room, near)
        for n in range(min(T, len(sets.order) - at)):
            totals[at + n] = tile.highest[n] + np.log(tile.total[n])


@kernel
def accumulate_diagonal(
    sets: FrameSets, search: ComponentSearch, model: DiagonalComponents, tile: Tile, room: SearchWorkspace,
    near: NearestComponents, totals: DiagonalTotals,
) -> None:  # fmt: skip
    """Add the sufficient statistics of the frames, with posteriors on their sets, to `totals`."""
    T = len(tile.highest)
    K, width = len(model.constants), len(tile.points) // T
    norm = np.empty(T)
    by_norm = len(totals.second) == K
    for at in range(0, len(sets.order), T):
        count = min(T, len(sets.order) - at)
        m = score_diagonal(sets, at, search, model, tile, room, near)
        totals.sums[0] += weigh(at, count, m, sets.weights, tile)
        totals.sums[1] += m
        add_counts(tile.begin, tile.score, totals.counts)
        if by_norm:
            squared_norms(tile.centered, width, count, norm)
            for k in range(K):
                for i in range(tile.begin[k], tile.begin[k + 1]):
                    totals.second[k] += tile.score[i] * norm[tile.member[i]]
        add_moments(width, tile, totals)
    keep_nearest(room.state[0], room.state[1], room, near)


@kernel
def score_full(
    sets: FrameSets,
    at: int,
    search: ComponentSearch,
    model: FullComponents,
    tile: Tile,
    room: SearchWorkspace,
    near: NearestComponents,
) -> int:
    """As `score_diagonal`; candidates are scored in float64, component by component."""
    T = len(tile.highest)
    count, width = min(T, len(sets.order) - at), len(tile.centered) // T
    rows, n_features = room.rows, room.rows.shape[1]
    take_rows(sets.frames, sets.order, at, rows)
    center(rows, 0, count, model.origin, tile)
    if search.wanted:
        m = list_candidates(sets.sets, sets.order, at, count, search, tile, room)
        gather(m, tile)
        full.score_members(rows, 0, n_features, width, model, tile)
        cursor = room.cursor
        for k in range(len(cursor)):
            cursor[k] = tile.begin[k]
        for i in range(m):
            k = tile.owner[i]
            room.value[i] = tile.score[cursor[k]]
            cursor[k] += 1
        choose_sets(sets.sets, sets.order, at, count, tile.owner, room, near)
    m = list_sets(sets.sets, sets.order, at, count, model.constants, tile)
    gather(m, tile)
    full.score_members(rows, 0, n_features, width, model, tile)
    exponentiate(m, tile)
    return m


@kernel
def log_likelihood_full(
    sets: FrameSets, search: ComponentSearch, model: FullComponents, tile: Tile, room: SearchWorkspace,
    near: NearestComponents, totals: FloatArray,
) -> None:  # fmt: skip
    """As `log_likelihood_diagonal`."""
    T = len(tile.highest)
    for at in range(0, len(sets.order), T):
        score_full(sets, at, search, model, tile, room, near)
        for n in range(min(T, len(sets.order) - at)):
            totals[at + n] = tile.highest[n] + np.log(tile.total[n])


@kernel
def accumulate_full(
    sets: FrameSets, search: ComponentSearch, model: FullComponents, tile: Tile, room: SearchWorkspace,
    near: NearestComponents, totals: FullTotals,
) -> None:  # fmt: skip
    """As `accumulate_diagonal`."""
    T = len(tile.highest)
    width = len(tile.centered) // T
    for at in range(0, len(sets.order), T):
        m = score_full(sets, at, search, model, tile, room, near)
        totals.sums[0] += weigh(at, min(T, len(sets.order) - at), m, sets.weights, tile)
        totals.sums[1] += m
        add_counts(tile.begin, tile.score, totals.counts)
        add_outer_products(width, tile, totals)
    keep_nearest(room.state[0], room.state[1], room, near)
