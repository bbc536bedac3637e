"""Memory for a tile of frames in the E-step."""

from __future__ import annotations

from typing import Any

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import QuantizedTerms
from audiogmm.kernels.estep.moments import ABREAST
from audiogmm.kernels.estep.screens import BLOCK, PANEL
from audiogmm.kernels.estep.tiles import Tile

LARGEST_TILE = 512
"""Frames of a tile."""

MOST_FRAMES = 1024
"""Frames of a tile that may end early, at most: beyond, they do not stay in the cache."""

LINE = 16
"""Marks of a cache line."""

TILE_PAIRS = 2**19
"""Pairs of component and frame that a tile may hold, unless one panel has more."""


def tile_frames(n_frames: int, n_components: int, ends_early: bool = False) -> int:
    """Return the frames of a tile: a multiple of PANEL, no more than needed.

    A tile that ends early where pairs get too many can be larger: each component should meet a few frames.
    """
    room = min(LARGEST_TILE, max(1, TILE_PAIRS // n_components))
    if ends_early:
        room = min(MOST_FRAMES, max(LARGEST_TILE, n_components // 4))
    return -(-min(room, max(1, n_frames)) // PANEL) * PANEL


def padded_width(n_features: int) -> int:
    """Return the number of features with padding, a multiple of `BLOCK`."""
    return -(-n_features // BLOCK) * BLOCK


def marks_stride(n_components: int) -> int:
    """Return the marks of a panel: an odd number of cache lines, so that panels do not share cache sets."""
    return (-(-n_components // LINE) | 1) * LINE


def make_tile(
    frames: AnyFrames,
    n_components: int,
    n_terms: int,
    n_bounds: int,
    points: np.dtype[Any],
    ends_early: bool = False,
) -> Tile:
    """Make room for a tile of these frames; `ends_early` if the kernel stops when it is full of pairs."""
    K, width = n_components, padded_width(frames.shape[1])
    T = tile_frames(len(frames), K, ends_early)
    n_pairs = min(T * K, max(TILE_PAIRS, PANEL * K)) if ends_early else T * K
    return Tile(
        centered=np.zeros(T * width, frames.dtype),
        points=np.zeros(T * width, points),
        quantized=QuantizedTerms(
            np.empty(-(-n_terms // 2) * PANEL, np.int32),
            np.empty(PANEL, np.float32),
            np.empty(PANEL, np.float32),
        ),
        terms=np.zeros((max(n_terms, width) + BLOCK) * PANEL, np.float32),
        scratch=np.empty(0, np.float32),
        upper=np.empty(n_bounds * PANEL, np.float32),
        lower=np.empty(PANEL, np.float32),
        marks=np.empty(T // PANEL * marks_stride(K), np.uint32),
        found=np.empty(0, np.int32),
        owner=np.empty(0, np.int32),
        begin=np.empty(K + 1, np.int64),
        member=np.empty(n_pairs + PANEL, np.int32),
        score=np.empty(n_pairs + ABREAST),
        gamma=np.empty(n_pairs, frames.dtype),
        highest=np.empty(T),
        total=np.empty(T),
        n_frames=np.zeros(1, np.int64),
    )
