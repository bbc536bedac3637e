"""The E-step of components that are diagonal: scores, their log-sum-exp and moments, one tile after another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.densities import whiten
from audiogmm.kernels.microkernels import (
    BLOCK,
    GROUP,
    PANEL,
    add_block,
    add_first,
    add_four_blocks,
    add_four_firsts,
    lowest_bit,
    power_of_two,
    score_block,
    squared_distance,
    survivors,
)
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray

AnyFrames = NDArray[np.float32] | NDArray[np.float64]
Float32Array = NDArray[np.float32]

FARTHEST = 1e9
"""A frame further from the origin than this, in any unit, is not screened: float32 could overflow."""

ALL_FINITE = -1
"""What the kernels return if no frame holds NaN or infinity; else the index of the first one that does."""


class Screen(NamedTuple):
    """float32 coefficients that give an upper and a lower bound of each score (see `mixture.screening`)."""

    coefficients: Float32Array
    """Flat, laid out (n_groups, n_terms, GROUP)."""
    start: Float32Array
    """(n_groups * GROUP,): the constant of each upper bound."""
    slack: Float32Array
    """(n_groups * GROUP,): upper minus lower bound, before `widen`."""
    n_terms: int
    squares: bool
    """Whether the terms are x_d and x_d^2 for each feature; else x_d, and |x|^2 once."""
    widen: float
    """A true score lies between (upper - slack) * widen and upper / widen, or beyond where these are negative."""


class Components(NamedTuple):
    """What a score is computed from in float64."""

    means: FloatArray
    """Flat, laid out (n_components, width)."""
    scales: FloatArray
    """Flat, laid out (n_components, width); zero where features are padded."""
    constants: FloatArray
    """(n_components,), nats."""
    origin: FloatArray
    """(n_features,), each a float32 number."""
    factor: FloatArray
    """(n_features, n_features), upper triangular: points are (x - origin) @ factor. Empty: points are frames."""


class Tile(NamedTuple):
    """Room for the frames at hand; T frames, a multiple of PANEL, `width` features with the padding."""

    centred: AnyFrames
    """Flat (T, width): frames minus the origin, rounded to the frames' type; padding stays zero."""
    points: FloatArray
    """Flat (T, width): what distances are taken of; padding stays zero."""
    norm: FloatArray
    """(T,): squared norm of each row of `centred`, or of `points` where they are whitened."""
    terms: Float32Array
    """Flat (T / PANEL, n_terms, PANEL)."""
    upper: Float32Array
    """Flat (T / PANEL, n_groups * GROUP, PANEL)."""
    lower: Float32Array
    """(T,)."""
    highest: FloatArray
    """(T,): the best score."""
    total: FloatArray
    """(T,): sum of exp(score - highest)."""
    begin: NDArray[np.int64]
    """(n_components + 1,): where the pairs of each component begin."""
    member: NDArray[np.int32]
    """(T * n_components,): frame of each pair."""
    score: FloatArray
    """(T * n_components,): score of each pair, later its posterior."""
    gamma: AnyFrames
    """(T * n_components,): posterior times weight, in the frames' type."""


@kernel
def exponential(x: float) -> float:
    """exp(x) for x from -700 to 0, to one unit in the last place or two; below -700 it is exp(-700).

    Cody and Waite's reduction by ln 2 in two parts, then the series up to r^13 on |r| < 0.347. Nothing but additions
    and multiplications, so that LLVM can take several at once and the result is the same.
    """
    x = max(x, -700.0)
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10
    series = 1.0 / 6227020800.0
    series = series * r + 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    return series * power_of_two(np.int64(n))


@kernel
def fill(frames: AnyFrames, at: int, count: int, screen: Screen, model: Components, tile: Tile) -> int:
    """Take `count` frames from `at` into the tile; frames that are missing are zero and have the bound +inf.

    Returns `ALL_FINITE`, or the index of a frame that holds NaN or infinity. Afterwards `tile.lower` is minus
    infinity for a frame that can be screened, NaN for one that cannot.
    """
    n_features = frames.shape[1]
    n_frames = len(tile.lower)
    width = len(tile.points) // n_frames
    white = len(model.factor) > 0
    if white:
        points = tile.points.reshape(n_frames, width)
        whiten(frames[at : at + count], model.origin, model.factor, points[:count])
    for n in range(count):
        row = n * width
        for d in range(n_features):
            tile.centred[row + d] = frames[at + n, d] - tile.centred.dtype.type(model.origin[d])
        if not white:
            for d in range(n_features):
                tile.points[row + d] = frames[at + n, d]
    tile.centred[count * width :] = 0
    tile.points[count * width :] = 0.0
    for p in range(n_frames // PANEL):
        terms = tile.terms[p * screen.n_terms * PANEL : (p + 1) * screen.n_terms * PANEL]
        norm = np.zeros(PANEL)
        for d in range(n_features):
            for lane in range(PANEL):
                i = (p * PANEL + lane) * width + d
                point = tile.points[i] if white else np.float64(tile.centred[i])
                x = np.float32(point)
                terms[d * PANEL + lane] = x
                norm[lane] += point * point
                if screen.squares:
                    terms[(n_features + d) * PANEL + lane] = x * x
        for lane in range(PANEL):
            n = p * PANEL + lane
            tile.lower[n] = -np.inf
            tile.norm[n] = norm[lane]
            if not screen.squares:
                terms[n_features * PANEL + lane] = norm[lane]
            if not norm[lane] <= FARTHEST**2:
                for d in range(n_features):
                    if not np.isfinite(frames[at + n, d]):
                        return at + n
                for f in range(screen.n_terms):
                    terms[f * PANEL + lane] = 0.0
                tile.lower[n] = np.nan
    return ALL_FINITE


@kernel
def pair(count: int, log_cut: float, screen: Screen, model: Components, tile: Tile) -> int:
    """List the pairs of component and frame that no bound rules out, by component; score them in float64.

    Fills `begin`, `member`, `score` and, for each frame, `highest` and `total`; `score` becomes exp(score - highest).
    Returns the number of pairs.
    """
    n_components = len(model.constants)
    n_frames = len(tile.lower)
    width = len(tile.points) // n_frames
    padded = len(screen.start)
    for p in range(n_frames // PANEL):
        for g in range(0, padded, GROUP):
            score_block(
                tile.terms, p * screen.n_terms * PANEL, screen.n_terms,
                screen.coefficients, g * screen.n_terms, screen.start, screen.slack, g,
                tile.upper, (p * padded + g) * PANEL, tile.lower, p * PANEL,
            )  # fmt: skip
    for n in range(n_frames):
        # skipped where upper / widen < lower * widen + log_cut; rounded so that less is skipped
        bound = (tile.lower[n] * screen.widen + log_cut) * screen.widen
        bound = bound - 1e-6 * abs(bound)
        tile.lower[n] = bound if np.isfinite(bound) else -np.inf
        tile.highest[n] = -np.inf
        tile.total[n] = 0.0
    tile.lower[count:] = np.inf
    m = 0
    for k in range(n_components):
        tile.begin[k] = m
        for p in range(n_frames // PANEL):
            bits = survivors(tile.upper, (p * padded + k) * PANEL, tile.lower, p * PANEL)
            while bits != 0:
                tile.member[m] = p * PANEL + lowest_bit(bits)
                bits &= bits - 1
                m += 1
        for i in range(tile.begin[k], m):
            n = tile.member[i]
            distance = squared_distance(tile.points, n * width, model.means, model.scales, k * width, width)
            score = model.constants[k] - 0.5 * distance
            tile.score[i] = score
            tile.highest[n] = max(tile.highest[n], score)
    tile.begin[n_components] = m
    for i in range(m):
        tile.score[i] = exponential(tile.score[i] - tile.highest[tile.member[i]])
    for i in range(m):
        tile.total[tile.member[i]] += tile.score[i]
    return m


@kernel
def log_likelihood(
    frames: AnyFrames, log_cut: float, screen: Screen, model: Components, tile: Tile, totals: FloatArray
) -> int:
    """Log-likelihood of every frame.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    log_cut : float
        IN. A component is skipped where its posterior is proven to be below exp(log_cut).
    screen, model : Screen, Components
        IN. The mixture, without the components that have no weight.
    tile : Tile
        Room to work in.
    totals : ndarray of shape (n,), float64
        OUT. Nats.

    Returns
    -------
    int
        `ALL_FINITE`, or the index of a frame that holds NaN or infinity.
    """
    for at in range(0, len(frames), len(tile.lower)):
        count = min(len(tile.lower), len(frames) - at)
        fault = fill(frames, at, count, screen, model, tile)
        if fault != ALL_FINITE:
            return fault
        pair(count, log_cut, screen, model, tile)
        for n in range(count):
            totals[at + n] = tile.highest[n] + np.log(tile.total[n])
    return ALL_FINITE


class Totals(NamedTuple):
    """Where sums go; `width` features with the padding."""

    counts: FloatArray
    """(n_components,)."""
    first: FloatArray
    """Flat (n_components, width)."""
    second: FloatArray
    """Flat (n_components, width), or (n_components,) of squared norms, or empty."""
    sums: FloatArray
    """(2,): the log-likelihood, and the pairs that were not skipped."""


@kernel
def accumulate(
    frames: AnyFrames,
    weights: FloatArray,
    log_cut: float,
    screen: Screen,
    model: Components,
    tile: Tile,
    totals: Totals,
) -> int:
    """Add the sufficient statistics of frames to `totals`.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    weights : ndarray of shape (n,), float64
        IN. Empty: all are 1.
    log_cut, screen, model, tile
        As in `log_likelihood`.
    totals : Totals
        INOUT.

    Returns
    -------
    int
        As of `log_likelihood`.
    """
    n_components = len(model.constants)
    width = len(tile.points) // len(tile.lower)
    for at in range(0, len(frames), len(tile.lower)):
        count = min(len(tile.lower), len(frames) - at)
        fault = fill(frames, at, count, screen, model, tile)
        if fault != ALL_FINITE:
            return fault
        n_pairs = pair(count, log_cut, screen, model, tile)
        for n in range(count):
            weight = weights[at + n] if len(weights) else 1.0
            totals.sums[0] += weight * (tile.highest[n] + np.log(tile.total[n]))
            tile.total[n] = weight / tile.total[n]
        totals.sums[1] += n_pairs
        for i in range(n_pairs):
            tile.score[i] *= tile.total[tile.member[i]]
            tile.gamma[i] = tile.score[i]
        for k in range(n_components):
            begin, end = tile.begin[k], tile.begin[k + 1]
            if begin == end:
                continue
            total = 0.0
            for i in range(begin, end):
                total += tile.score[i]
            totals.counts[k] += total
            if len(totals.second) == n_components:
                for i in range(begin, end):
                    totals.second[k] += tile.score[i] * tile.norm[tile.member[i]]
            add_moments(tile, begin, end, k, width, totals)
    return ALL_FINITE


@kernel
def add_moments(tile: Tile, begin: int, end: int, k: int, width: int, totals: Totals) -> None:
    """Add the moments of the pairs from `begin` to `end`, all of component k."""
    if len(totals.second) == len(totals.first):
        d = 0
        while d + 4 * BLOCK <= width:
            add_four_blocks(
                tile.centred, width, d, tile.member, tile.gamma, begin, end,
                totals.first, totals.second, k * width + d,
            )  # fmt: skip
            d += 4 * BLOCK
        while d < width:
            add_block(
                tile.centred, width, d, tile.member, tile.gamma, begin, end,
                totals.first, totals.second, k * width + d,
            )  # fmt: skip
            d += BLOCK
        return
    d = 0
    while d + 4 * BLOCK <= width:
        add_four_firsts(
            tile.centred, width, d, tile.member, tile.gamma, begin, end,
            totals.first, totals.first, k * width + d,
        )  # fmt: skip
        d += 4 * BLOCK
    while d < width:
        add_first(
            tile.centred, width, d, tile.member, tile.gamma, begin, end,
            totals.first, totals.first, k * width + d,
        )  # fmt: skip
        d += BLOCK


@kernel
def scatter(frames: AnyFrames, weights: FloatArray, origin: FloatArray, total: FloatArray) -> None:
    """Add `sum_n weights[n] (x_n - origin)(x_n - origin)^T` to total (D, D); empty weights are ones."""
    n_features = len(origin)
    x = np.empty(n_features)
    for n in range(len(frames)):
        for d in range(n_features):
            x[d] = frames[n, d] - origin[d]
        weight = weights[n] if len(weights) else 1.0
        for i in range(n_features):
            scaled = weight * x[i]
            for j in range(n_features):
                total[i, j] += scaled * x[j]
