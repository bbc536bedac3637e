"""The best components of every frame, found as the exact E-step finds those that it scores."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep import diagonal, full
from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.diagonal import DiagonalComponents, DiagonalScreen
from audiogmm.kernels.estep.dots import Int32Array
from audiogmm.kernels.estep.full import FullComponents, FullScreen
from audiogmm.kernels.estep.margins import Margins
from audiogmm.kernels.estep.tiles import ALL_FINITE, Tile
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


@kernel
def leading_diagonal(
    frames: AnyFrames, log_cut: float, screen: DiagonalScreen, model: DiagonalComponents, margins: Margins,
    tile: Tile, leading: Int32Array,
) -> int:  # fmt: skip
    """Rank the components of every frame by their posteriors, the highest first.

    Parameters
    ----------
    frames, log_cut, screen, model, margins, tile
        IN. As of `diagonal.log_likelihood`.
    leading : ndarray of shape (n, C), int32
        OUT. -1 where fewer than C components were not skipped; ties in the components' order.

    Returns
    -------
    int
        As of `diagonal.log_likelihood`.
    """
    values = np.empty((len(tile.highest), leading.shape[1]))
    at = 0
    while at < len(frames):
        count = min(len(tile.highest), len(frames) - at)
        fault = diagonal.score_tile(frames, at, count, log_cut, screen, model, margins, tile)
        if fault < 0:
            return -2 - fault
        fill_leading(tile, at, tile.n_frames[0], values, leading)
        at += tile.n_frames[0]
    return ALL_FINITE


@kernel
def leading_full(
    frames: AnyFrames, log_cut: float, screen: FullScreen, model: FullComponents, tile: Tile,
    leading: Int32Array,
) -> int:  # fmt: skip
    """As `leading_diagonal`."""
    values = np.empty((len(tile.highest), leading.shape[1]))
    for at in range(0, len(frames), len(tile.highest)):
        count = min(len(tile.highest), len(frames) - at)
        fault = full.score_tile(frames, at, count, log_cut, screen, model, tile)
        if fault < 0:
            return -2 - fault
        fill_leading(tile, at, count, values, leading)
    return ALL_FINITE


@kernel
def fill_leading(tile: Tile, at: int, count: int, values: FloatArray, leading: Int32Array) -> None:
    """Fill `leading` from `at` with the best components of each of a tile's `count` frames."""
    C = leading.shape[1]
    values[:] = -1.0
    leading[at : at + count] = -1
    for k in range(len(tile.begin) - 1):
        for i in range(tile.begin[k], tile.begin[k + 1]):
            n, score = tile.member[i], tile.score[i]
            if not score > values[n, C - 1]:
                continue
            c = C - 1
            while c > 0 and score > values[n, c - 1]:
                values[n, c] = values[n, c - 1]
                leading[at + n, c] = leading[at + n, c - 1]
                c -= 1
            values[n, c] = score
            leading[at + n, c] = k
