"""The nearest other components of each component, as truncated EM finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.listed import ABREAST
from audiogmm.kernels.estep.neighbors import NearestComponents, SearchWorkspace, merge_nearest
from audiogmm.types import FloatArray

Sets = NDArray[np.int32]
"""Components of each frame, (n, C), all different, the best first; -1 stands for none, and comes last."""


@dataclass(frozen=True, eq=False)
class Neighborhoods:
    """Distances between components, from the frames that tried others beside their best one.

    The distance from component c to j is the mean of ``log p(c, x_n) - log p(j, x_n)`` over the frames
    whose best component was c and that tried j (Salwig et al. 2025, section 3), with a few frames more that
    find j as bad as others are: see `kernels.estep.neighbors.keep_nearest`. Only the nearest are kept.

    Attributes
    ----------
    component : ndarray of shape (n_components, M), int32
        The nearest others of each component, the nearest first; -1 for none.
    loss : ndarray of shape (n_components, M), float64
        Sums over frames, nats.
    tries : ndarray of shape (n_components, M), int64
        Over how many.
    """

    component: Sets
    loss: FloatArray
    tries: NDArray[np.int64]

    @classmethod
    def none(cls, n_components: int, n_kept: int) -> Self:
        """Return neighborhoods without neighbors, with room for so many a component."""
        shape = (n_components, n_kept)
        return cls(np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape, np.int64))

    @property
    def near(self) -> NearestComponents:
        """The same arrays, for kernels."""
        return NearestComponents(self.component, self.loss, self.tries)

    def absorb(self, other: Neighborhoods) -> None:
        """Add those that other frames found."""
        K, M = self.component.shape
        room = make_search_workspace(K, M)
        merge_nearest(self.near, other.near, room)

    def nearest(self, n: int, previous: Sets | None = None) -> Sets:
        """Return the n nearest others, (n_components, n), int32; those of `previous` where none was tried."""
        chosen = np.ascontiguousarray(self.component[:, :n])
        if previous is not None and n:
            chosen = np.where((chosen[:, :1] < 0), previous, chosen)
        return chosen


def make_search_workspace(
    n_components: int,
    n_kept: int,
    n_frames: int = 0,
    n_candidates: int = 0,
    set_size: int = 0,
    rows: AnyFrames | None = None,
) -> SearchWorkspace:
    """Make room for a search by tiles of `n_frames` with so many candidates a frame; `rows` (n_frames, D)."""
    K = n_components
    return SearchWorkspace(
        start=np.empty(n_frames + 1, np.int64),
        value=np.empty(n_frames * n_candidates + ABREAST, np.float32),
        mark=np.zeros(K, np.int32),
        best=np.empty(set_size, np.float32),
        loss=np.zeros(K),
        seen=np.zeros(K, np.int64),
        touched=np.empty(K, np.int32),
        mean=np.empty(n_kept),
        rows=np.empty((0, 0), np.float32) if rows is None else rows,
        cursor=np.empty(K, np.int64),
        state=np.array([-1, 0, 0]),
    )
