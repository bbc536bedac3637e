"""The search for better components of a frame: the neighbors of those that it has, and one at random.

The losses that are computed show which components are neighbors (Forster and Luecke 2018, section 3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import Float32Array, Int32Array
from audiogmm.kernels.estep.tiles import Tile
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray, IntArray

PSEUDO_FRAMES = 4.0
"""Frames of average loss that `keep_nearest` adds to those of each candidate."""


class ComponentSearch(NamedTuple):
    """Where better components are searched for."""

    wanted: bool
    """Whether there is a search at all."""
    neighbors: Int32Array
    """(K, G - 1): of each component, the nearest others, -1 for none."""
    key: int
    """Of the random component that each frame also tries: that of frame n comes from key + n."""
    table: Float32Array
    """Flat (K, width / BLOCK, 2, BLOCK): scales and offsets, see `score_listed`; empty: full."""
    constants: Float32Array
    """(K,): constants of the float32 scores."""


class SearchWorkspace(NamedTuple):
    """Arrays for the search."""

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
    """(K,): which components the frames of one owner tried."""
    mean: FloatArray
    """(M,): mean losses of those kept."""
    rows: AnyFrames
    """(T, D): the frames of a tile."""
    cursor: IntArray
    """(K,): where the next score of each component is; full covariances only."""
    state: IntArray
    """(3,): the owner (or -1), how many of `touched` are its, and how many candidates were scored in all."""


class NearestComponents(NamedTuple):
    """For each component (the owner of the frames whose best it is), the M others of smallest mean loss."""

    component: Int32Array
    """(K, M), -1 for none."""
    loss: FloatArray
    """(K, M): sum over frames of log joint of the owner minus that of the component, nats."""
    tries: IntArray
    """(K, M): over how many frames."""


@kernel
def random_component(key: int, n_components: int) -> int:
    """Draw a component by a number (splitmix64; Steele, Lea and Flood 2014)."""
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
    search: ComponentSearch,
    tile: Tile,
    room: SearchWorkspace,
) -> int:
    """List for each frame its set, the neighbors of that, and one component at random; returns how many."""
    mark, owner, neighbors = room.mark, tile.owner, search.neighbors
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
            for g in range(neighbors.shape[1]):
                j = neighbors[k, g]
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
def keep_best(listed: Int32Array, begin: int, end: int, room: SearchWorkspace, row: Int32Array) -> None:
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
def add_losses(listed: Int32Array, begin: int, end: int, room: SearchWorkspace, n_touched: int) -> int:
    """Add the losses of a frame's candidates to the sums of their owner, the first of them."""
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
def choose_sets(
    sets: Int32Array,
    order: Int32Array,
    at: int,
    count: int,
    listed: Int32Array,
    room: SearchWorkspace,
    near: NearestComponents,
) -> None:
    """Give each frame of a tile the best of its candidates, and add up their losses."""
    state = room.state
    for i in range(count):
        n = order[at + i]
        owner, begin, end = sets[n, 0], room.start[i], room.start[i + 1]
        if owner != state[0]:
            keep_nearest(state[0], state[1], room, near)
            state[0], state[1] = owner, 0
        if listed[begin] == owner:
            state[1] = add_losses(listed, begin, end, room, state[1])
        state[2] += end - begin
        keep_best(listed, begin, end, room, sets[n])


@kernel
def keep_nearest(owner: int, n_touched: int, room: SearchWorkspace, near: NearestComponents) -> None:
    """Keep the nearest of an owner's candidates and clear the sums.

    Components are compared by their mean loss, with `PSEUDO_FRAMES` more frames for which a component is as
    bad as candidates are on average: else one that few frames tried would seem near.
    """
    loss, seen, touched = room.loss, room.seen, room.touched
    M = near.component.shape[1]
    total, tried = 0.0, 0
    for i in range(n_touched):
        total += loss[touched[i]]
        tried += seen[touched[i]]
    doubt = PSEUDO_FRAMES * total / max(tried, 1)
    held = 0
    for i in range(n_touched):
        j = touched[i]
        mean = (loss[j] + doubt) / (seen[j] + PSEUDO_FRAMES)
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
def merge_nearest(total: NearestComponents, part: NearestComponents, room: SearchWorkspace) -> None:
    """Add the losses of other frames to `total`."""
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
        keep_nearest(k, n_touched, room, total)
