"""Pairs of component and frame that an E-step does not skip."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import Int32Array
from audiogmm.kernels.estep.tiles import Tile
from audiogmm.mixture.checking import refuse
from audiogmm.types import FloatArray


class ActivePairs(NamedTuple):
    """The pairs of component and frame that were not skipped, by component, then frame."""

    component: NDArray[np.int64]
    """(A,): the components that have a weight."""
    begin: NDArray[np.int64]
    """(A + 1,): where the pairs of each begin."""
    member: Int32Array
    """(m,): frame of each pair."""
    posterior: FloatArray
    """(m,): among those of its frame that were not skipped."""
    highest: FloatArray
    """(n,): the best score of each frame, nats."""
    log_likelihood: FloatArray
    """(n,): of each frame, nats."""


def active_pairs_of(
    tile: Tile, n_pairs: int, n_frames: int, active: NDArray[np.int64], frames: AnyFrames
) -> ActivePairs:
    """Copy the pairs out of a tile that was scored; `n_pairs` as the kernel returned it."""
    if n_pairs < 0:
        refuse(-2 - n_pairs, frames)
    member, total = tile.member[:n_pairs].copy(), tile.total[:n_frames]
    return ActivePairs(
        active,
        tile.begin.copy(),
        member,
        tile.score[:n_pairs] / total[member],
        tile.highest[:n_frames].copy(),
        tile.highest[:n_frames] + np.log(total),
    )
