"""A tile of frames in the E-step, and the steps that do not depend on the covariance form.

A tile is screened panel by panel: whatever no bound rules out is marked as a pair of component and frame.
Pairs are then listed by component, scored in float64, and made posteriors. All sums over components
run in the components' order, so that a frame's numbers do not depend on its tile.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import Float32Array, Int32Array, QuantizedTerms
from audiogmm.kernels.estep.margins import Margins, largest_difference, margin_code
from audiogmm.kernels.estep.moments import power_of_two
from audiogmm.kernels.estep.screens import (
    BLOCK,
    COMPRESS,
    PANEL,
    list_bits,
    lowest_bit,
    mark_survivors,
    transpose_block,
)
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray

FARTHEST = 1e9
"""A frame further from the origin than this, in any unit, is not screened: float32 could overflow."""

ALL_FINITE = -1
"""What kernels return if no frame holds NaN or infinity; else the index of the first one that does."""


class Tile(NamedTuple):
    """Arrays for T frames of `width` features with the padding, K components, and M pairs.

    T is a multiple of PANEL, and M at least PANEL * K.
    """

    centered: AnyFrames
    """Flat (T, width): frames minus the origin, rounded to the frames' type; padding stays zero."""
    points: AnyFrames
    """Flat (T, width): what distances are taken of; padding stays zero."""
    terms: Float32Array
    """Flat (at least n_terms + BLOCK, PANEL): what a panel's bounds are computed from."""
    quantized: QuantizedTerms
    """The same as integers."""
    scratch: Float32Array
    """Further space that a form needs; none for most."""
    upper: Float32Array
    """Flat (at least K, PANEL): upper bounds of a panel."""
    lower: Float32Array
    """(PANEL,): lower bound of the best score, later what a score must reach."""
    marks: NDArray[np.uint32]
    """Flat (T / PANEL, at least K): bit n is set where frame n of the panel and the component are a pair."""
    found: Int32Array
    """(M,): frame of each pair, where pairs are listed frame by frame (`estep.truncated`); else empty."""
    owner: Int32Array
    """(M,): component of each pair in `found`."""
    begin: NDArray[np.int64]
    """(K + 1,): where the pairs of each component begin in what follows."""
    member: Int32Array
    """(M + PANEL,): frame of each pair, by component, then frame."""
    score: FloatArray
    """(M + ABREAST,): scores, later exp(score - highest), later posteriors times weights."""
    gamma: AnyFrames
    """(M,): the same posterior in the frames' type."""
    highest: FloatArray
    """(T,): the best score."""
    total: FloatArray
    """(T,): sum of exp(score - highest)."""
    n_frames: NDArray[np.int64]
    """(1,): frames that the tile holds."""


@kernel
def center(frames: AnyFrames, at: int, count: int, origin: FloatArray, tile: Tile) -> None:
    """Fill `tile.centered` with `count` frames from `at`, and zeros behind."""
    width = len(tile.centered) // len(tile.highest)
    for n in range(count):
        for d in range(len(origin)):
            tile.centered[n * width + d] = frames[at + n, d] - frames.dtype.type(origin[d])
    tile.centered[count * width :] = 0


@kernel
def panel_terms(rows: AnyFrames, panel: int, n_features: int, squares: bool, tile: Tile) -> bool:
    """Fill `tile.terms` from rows (T, width) of a panel: x_d, then x_d^2 (or else |x|^2 once).

    A frame that is not within `FARTHEST` gets zeros, and NaN in `tile.lower`, where the others get minus
    infinity. Returns whether all frames are within. The panel has no pairs yet.
    """
    stride = marks_stride(tile)
    tile.marks[panel * stride : (panel + 1) * stride] = 0
    width = len(rows) // len(tile.highest)
    for lane in range(0, PANEL, BLOCK):
        for d in range(0, width, BLOCK):
            transpose_block(rows, (panel * PANEL + lane) * width + d, width, tile.terms, d * PANEL + lane)
    terms, lower = tile.terms, tile.lower
    norm = np.zeros(PANEL, np.float32)
    for d in range(n_features):
        for lane in range(PANEL):
            x = terms[d * PANEL + lane]
            norm[lane] += x * x
    within = True
    for lane in range(PANEL):
        lower[lane] = -np.inf
        if not norm[lane] <= np.float32(FARTHEST**2):
            within = False
            lower[lane] = np.nan
            norm[lane] = 0
            for d in range(n_features):
                terms[d * PANEL + lane] = 0
    rest = n_features * PANEL
    if squares:
        for i in range(rest):
            terms[rest + i] = terms[i] * terms[i]
    else:
        for lane in range(PANEL):
            terms[rest + lane] = norm[lane]
    return within


@kernel
def first_fault(frames: AnyFrames, at: int, count: int) -> int:
    """Find the first of `count` frames from `at` that holds NaN or infinity, or `ALL_FINITE`."""
    for n in range(at, min(at + count, len(frames))):
        for d in range(frames.shape[1]):
            if not np.isfinite(frames[n, d]):
                return n
    return ALL_FINITE


@kernel
def list_survivors(
    panel: int, m: int, count: int, widen_lower: float, widen_upper: float, log_cut: float, tile: Tile
) -> int:
    """Mark the pairs of a panel that no bound rules out; return how many there are now, with the m before.

    A true score is at most upper / widen_upper, and the best one is at least lower * widen_lower. A posterior
    is at most exp(score - best), so a pair is ruled out if upper / widen_upper < lower * widen_lower +
    log_cut. Frames with infinity in `lower` are left out.
    """
    set_cuts(panel, count, widen_lower, widen_upper, log_cut, tile)
    upper, lower, marks, base = tile.upper, tile.lower, tile.marks, panel * marks_stride(tile)
    for k in range(len(tile.begin) - 1):
        m += mark_survivors(upper, k * PANEL, lower, marks, base + k)
    return m


@kernel
def list_screened(
    panel: int, slot: int, m: int, count: int, log_cut: float, n_listed: int, margins: Margins, tile: Tile
) -> int:
    """As `list_survivors` with bounds of the listed components alone; the margins of `slot` are updated."""
    upper, lower, marks, row = tile.upper, tile.lower, tile.marks, panel * marks_stride(tile)
    codes, lows, base = margins.codes, margins.lows, slot * len(margins.keys)
    for lane in range(PANEL):
        lows[slot * PANEL + lane] = lower[lane]
    set_cuts(panel, count, 1.0, 1.0, log_cut, tile)
    for i in range(n_listed):
        k = int(margins.listed[i])
        n_pairs = mark_survivors(upper, i * PANEL, lower, marks, row + k)
        if n_pairs > 0:
            m += n_pairs
            codes[base + k] = 0
        else:
            codes[base + k] = margin_code(largest_difference(upper, i * PANEL, lows, slot * PANEL))
    return m


@kernel
def set_cuts(
    panel: int, count: int, widen_lower: float, widen_upper: float, log_cut: float, tile: Tile
) -> None:
    """Turn a panel's lower bounds of the best score into what an upper bound must reach."""
    for lane in range(PANEL):
        bound: float = (np.float64(tile.lower[lane]) * widen_lower + log_cut) * widen_upper
        bound -= 1e-6 * abs(bound)
        if panel * PANEL + lane >= count or tile.lower[lane] == np.inf:
            bound = np.inf
        elif not np.isfinite(bound):
            bound = -np.inf
        tile.lower[lane] = bound


@kernel
def marks_stride(tile: Tile) -> int:
    """Return the numbers of `tile.marks` for each panel."""
    return len(tile.marks) * PANEL // len(tile.highest)


@kernel
def gather_marked(n_panels: int, tile: Tile) -> None:
    """List the marked pairs by component, then frame: fills `begin` and `member`."""
    begin, marks, member, stride = tile.begin, tile.marks, tile.member, marks_stride(tile)
    m = 0
    for k in range(len(begin) - 1):
        begin[k] = m
        for panel in range(n_panels):
            bits = np.int64(marks[panel * stride + k])
            if bits == 0:
                continue
            if COMPRESS:
                m = list_bits(bits, panel * PANEL, member, m)
            else:
                while bits != 0:
                    member[m] = panel * PANEL + lowest_bit(bits)
                    bits &= bits - 1
                    m += 1
    begin[len(begin) - 1] = m


@kernel
def gather(n_pairs: int, tile: Tile) -> None:
    """Sort the pairs in `found` by component, and keep their order there: fills `begin` and `member`."""
    begin, owner, found, member = tile.begin, tile.owner, tile.found, tile.member
    begin[:] = 0
    for i in range(n_pairs):
        begin[owner[i] + 1] += 1
    for k in range(len(begin) - 1):
        begin[k + 1] += begin[k]
    for i in range(n_pairs):
        k = owner[i]
        member[begin[k]] = found[i]
        begin[k] += 1
    for k in range(len(begin) - 1, 0, -1):
        begin[k] = begin[k - 1]
    begin[0] = 0


@kernel
def exponentiate(n_pairs: int, tile: Tile) -> None:
    """Find the highest score of each frame, turn scores into exp(score - highest), and sum these by frame."""
    score, member, highest, total = tile.score, tile.member, tile.highest, tile.total
    highest[:] = -np.inf
    for i in range(n_pairs):
        n = member[i]
        if score[i] > highest[n]:
            highest[n] = score[i]
    for i in range(n_pairs):
        score[i] -= highest[member[i]]
    for i in range(n_pairs):
        score[i] = exponential(score[i])
    total[:] = 0.0
    for i in range(n_pairs):
        total[member[i]] += score[i]


@kernel
def weigh(at: int, count: int, n_pairs: int, weights: FloatArray, tile: Tile) -> float:
    """Turn scores into posteriors times weights (empty: 1); return the weighted log-likelihood, nats."""
    log_likelihood = 0.0
    for n in range(count):
        weight = weights[at + n] if len(weights) else 1.0
        log_likelihood += weight * (tile.highest[n] + np.log(tile.total[n]))
        tile.total[n] = weight / tile.total[n]
    for i in range(n_pairs):
        tile.score[i] *= tile.total[tile.member[i]]
    for i in range(n_pairs):
        tile.gamma[i] = tile.score[i]
    return log_likelihood


@kernel
def exponential(x: float) -> float:
    """Compute exp(x) for x from -700 to 0, to a unit or two in the last place; below it is exp(-700).

    Cody and Waite's reduction by ln 2 in two parts, then the series up to r^13 on |r| < 0.347. Additions and
    multiplications only, so that LLVM may take several numbers at once and the result is the same.
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
    result: float = series * power_of_two(np.int64(n))
    return result
