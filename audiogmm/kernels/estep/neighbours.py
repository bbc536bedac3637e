"""The search for better components: among the neighbours of those that a frame has, and one at random.

What is found on the way tells which components are neighbours (Forster and Luecke 2018, section 3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import Float32Array, Int32Array
from audiogmm.kernels.estep.tiles import Tile
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray, IntArray

DOUBT = 4.0
"""Frames that `settle` adds to what a candidate was found to be."""


class Search(NamedTuple):
    """Where better components are looked for."""

    wanted: bool
    """Whether they are."""
    neighbours: Int32Array
    """(K, G - 1): of each component, the nearest others, -1 for none."""
    key: int
    """Of the random component that each frame tries besides; that of frame n comes from key + n."""
    table: Float32Array
    """Flat (K, width / BLOCK, 2, BLOCK): scales and offsets, see `score_listed`; empty: full."""
    constants: Float32Array
    """(K,): constants of the float32 scores."""


class Room(NamedTuple):
    """Room for the search."""

    start: IntArray
    """(T + 1,): where the candidates of each frame of a tile begin."""
    value: Float32Array
    """Scores of the candidates."""
    mark: Int32Array
    """(K,): the last frame that listed a component."""
    best: Float32Array
    """(C,): scores of a frame's new set."""
    loss: FloatArray
    """(K,): sums over the frames of one owner; zero between owners."""
    seen: IntArray
    """(K,): how many frames of one owner tried a component; zero between owners."""
    touched: Int32Array
    """(K,): which ones."""
    mean: FloatArray
    """(M,): mean losses of those kept."""
    rows: AnyFrames
    """(T, D): the frames of a tile."""
    cursor: IntArray
    """(K,): where the next score of each component is; full covariances only."""
    state: IntArray
    """(3,): the owner (or -1), how many of `touched` are its, and how many candidates were scored in all."""


class Near(NamedTuple):
    """What a component's frames found of others: the M with the smallest mean loss."""

    component: Int32Array
    """(K, M), -1 for none."""
    loss: FloatArray
    """(K, M): sum over frames of log joint of the owner minus that of the component, nats."""
    tries: IntArray
    """(K, M): over how many frames."""


@kernel
def random_component(key: int, n_components: int) -> int:
    """A component drawn by a number (splitmix64; Steele, Lea and Flood 2014)."""
    z = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int((z >> np.uint64(33)) % np.uint64(n_components))


@kernel
def list_candidates(
    sets: Int32Array,
    order: Int32Array,
    at: int,
    count: int,
    search: Search,
    tile: Tile,
    room: Room,
) -> int:
    """List for each frame its set, the neighbours of that, and one component at random; returns how many."""
    mark, owner, neighbours = room.mark, tile.owner, search.neighbours
    constants = search.constants
    n_components = len(mark)
    m = 0
    for i in range(count):
        n = order[at + i]
        stamp = at + i + 1
        room.start[i] = m
        for c in range(sets.shape[1]):
            k = sets[n, c]
            if k >= 0 and constants[k] > -np.inf:
                mark[k] = stamp
                owner[m] = k
                tile.found[m] = i
                m += 1
        for c in range(sets.shape[1]):
            k = sets[n, c]
            if k < 0:
                break
            for g in range(neighbours.shape[1]):
                j = neighbours[k, g]
                if j >= 0 and mark[j] != stamp and constants[j] > -np.inf:
                    mark[j] = stamp
                    owner[m] = j
                    tile.found[m] = i
                    m += 1
        j = random_component(search.key + n, n_components)
        if mark[j] != stamp and constants[j] > -np.inf:
            owner[m] = j
            tile.found[m] = i
            m += 1
    room.start[count] = m
    return m


@kernel
def keep_best(listed: Int32Array, begin: int, end: int, room: Room, row: Int32Array) -> None:
    """Write the components with the highest values to `row`, best first; of equal ones, the first listed."""
    best, value = room.best, room.value
    held = 0
    for i in range(begin, end):
        v = value[i]
        if held == len(row):
            if not v > best[held - 1]:
                continue
        else:
            held += 1
        c = held - 1
        while c > 0 and v > best[c - 1]:
            best[c] = best[c - 1]
            row[c] = row[c - 1]
            c -= 1
        best[c] = v
        row[c] = listed[i]
    row[held:] = -1


@kernel
def learn(listed: Int32Array, begin: int, end: int, room: Room, n_touched: int) -> int:
    """Add what a frame found of its candidates to the sums of their owner, the first of them."""
    value, loss, seen, touched = room.value, room.loss, room.seen, room.touched
    best = value[begin]
    for i in range(begin + 1, end):
        j = listed[i]
        difference = np.float64(best) - np.float64(value[i])
        if not np.isfinite(difference):
            continue
        if seen[j] == 0:
            touched[n_touched] = j
            n_touched += 1
        seen[j] += 1
        loss[j] += difference
    return n_touched


@kernel
def choose(
    sets: Int32Array, order: Int32Array, at: int, count: int, listed: Int32Array, room: Room, near: Near
) -> None:
    """Give each frame of a tile the best of its candidates; its old best component learns from them all."""
    state = room.state
    for i in range(count):
        n = order[at + i]
        owner, begin, end = sets[n, 0], room.start[i], room.start[i + 1]
        if owner != state[0]:
            settle(state[0], state[1], room, near)
            state[0], state[1] = owner, 0
        if listed[begin] == owner:
            state[1] = learn(listed, begin, end, room, state[1])
        state[2] += end - begin
        keep_best(listed, begin, end, room, sets[n])


@kernel
def settle(owner: int, n_touched: int, room: Room, near: Near) -> None:
    """Keep the nearest of an owner's candidates and clear the sums.

    Nearness is the mean loss, with `DOUBT` frames more that find a component as bad as candidates are on
    average: else one that few frames tried, those beside it, would look near.
    """
    loss, seen, touched = room.loss, room.seen, room.touched
    M = near.component.shape[1]
    total, tried = 0.0, 0
    for i in range(n_touched):
        total += loss[touched[i]]
        tried += seen[touched[i]]
    doubt = DOUBT * total / max(tried, 1)
    held = 0
    for i in range(n_touched):
        j = touched[i]
        mean = (loss[j] + doubt) / (seen[j] + DOUBT)
        c = held
        if held == M:
            if not mean < room.mean[M - 1]:
                continue
            c = M - 1
        else:
            held += 1
        while c > 0 and mean < room.mean[c - 1]:
            room.mean[c] = room.mean[c - 1]
            near.component[owner, c] = near.component[owner, c - 1]
            c -= 1
        room.mean[c] = mean
        near.component[owner, c] = j
    for c in range(held):
        j = near.component[owner, c]
        near.loss[owner, c], near.tries[owner, c] = loss[j], seen[j]
    for i in range(n_touched):
        loss[touched[i]], seen[touched[i]] = 0.0, 0


@kernel
def merge_near(total: Near, part: Near, room: Room) -> None:
    """Add what other frames found to `total`."""
    for k in range(len(total.component)):
        n_touched = 0
        for source in (total, part):
            for c in range(source.component.shape[1]):
                j = source.component[k, c]
                if j < 0:
                    break
                if room.seen[j] == 0:
                    room.touched[n_touched] = j
                    n_touched += 1
                room.seen[j] += source.tries[k, c]
                room.loss[j] += source.loss[k, c]
        settle(k, n_touched, room, total)
