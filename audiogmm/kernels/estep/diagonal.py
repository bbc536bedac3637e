"""The E-step of components that are diagonal: spherical, diagonal, and tied once frames are whitened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.dots import LARGEST, Float32Array, IntegerCoefficients, dot_block, quantize
from audiogmm.kernels.estep.margins import Margins, bound_where_needed, list_all, reset_margins
from audiogmm.kernels.estep.moments import score_pairs
from audiogmm.kernels.estep.screens import GROUP, PANEL, score_block
from audiogmm.kernels.estep.tiles import (
    ALL_FINITE,
    Tile,
    center,
    exponentiate,
    first_fault,
    gather_marked,
    list_screened,
    list_survivors,
    panel_terms,
    weigh,
)
from audiogmm.kernels.estep.totals import DiagonalTotals, add_counts, add_moments, squared_norms
from audiogmm.kernels.estep.whitening import whiten
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


class DiagonalScreen(NamedTuple):
    """float32 coefficients of the bounds on scores; `mixture.screening` proves them."""

    coefficients: Float32Array
    """Flat (n_groups, n_terms, GROUP)."""
    start: Float32Array
    """(n_groups * GROUP,): constant of each upper bound."""
    slack: Float32Array
    """(n_groups * GROUP,): upper minus lower bound, before they are widened."""
    n_terms: int
    squares: bool
    """Whether the terms are x_d and x_d^2 for each feature; else x_d, and |x|^2 once."""
    widen_lower: float
    widen_upper: float
    """A true score lies between (upper - slack) * widen_lower and upper / widen_upper."""
    dots: IntegerCoefficients
    """The same in integers; where they are, the above is for frames out of their range."""


class DiagonalComponents(NamedTuple):
    """Parameters of components, of which scores are computed in float64."""

    means: FloatArray
    """Flat (K, width)."""
    scales: FloatArray
    """Flat (K, width): one over the standard deviation; zero in the padding."""
    constants: FloatArray
    """(K,), nats."""
    origin: FloatArray
    """(D,), float32 numbers."""
    factor: FloatArray
    """(width, width): points are (x - origin) @ factor. Empty: points are frames."""


@kernel
def score_tile(
    frames: AnyFrames,
    at: int,
    count: int,
    log_cut: float,
    screen: DiagonalScreen,
    model: DiagonalComponents,
    margins: Margins,
    tile: Tile,
) -> int:
    """List and score the pairs of a tile; return how many, or -2 - n if frame n is not finite.

    Where there is no space for the pairs of all, the tile ends early: `tile.n_frames` says how many it holds.
    Fills `tile.centered`, `begin`, `member`, `score` (exp(score - highest)), `highest` and `total`.
    """
    n_features = frames.shape[1]
    width = len(tile.points) // len(tile.highest)
    center(frames, at, count, model.origin, tile)
    white = len(model.factor) > 0
    if white:
        whiten(frames, at, count, model.origin, model.factor, tile.points)
        tile.points[count * width :] = 0
    else:
        for n in range(count):
            for d in range(n_features):
                tile.points[n * width + d] = frames[at + n, d]
    n_panels = -(-count // PANEL)
    m = 0
    n_components = len(model.constants)
    for panel in range(n_panels):
        if m + PANEL * n_components > len(tile.gamma):
            n_panels, count = panel, panel * PANEL
            break
        if white:
            within = panel_terms(tile.points, panel, n_features, screen.squares, tile)
        else:
            within = panel_terms(tile.centered, panel, n_features, screen.squares, tile)
        if not within:
            fault = first_fault(frames, at + panel * PANEL, PANEL)
            if fault != ALL_FINITE:
                return -2 - fault
        m = screen_panel(panel, at, m, count, log_cut, screen, margins, tile)
    tile.n_frames[0] = count
    gather_marked(n_panels, tile)
    points, member, score = tile.points, tile.member, tile.score
    means, scales, constants = model.means, model.scales, model.constants
    for k in range(n_components):
        score_pairs(
            points,
            width,
            member,
            tile.begin[k],
            tile.begin[k + 1],
            means,
            scales,
            k * width,
            constants[k],
            score,
        )
    exponentiate(m, tile)
    return m


@kernel
def screen_panel(
    panel: int,
    at: int,
    m: int,
    count: int,
    log_cut: float,
    screen: DiagonalScreen,
    margins: Margins,
    tile: Tile,
) -> int:
    """Mark the pairs of a panel that no bound rules out, as `list_survivors`; `at` as in `score_tile`."""
    lower, upper, dots, room = tile.lower, tile.upper, screen.dots, tile.quantized
    n_groups = len(screen.start) // GROUP
    n_within = 0
    if len(dots.per_step) > 0:
        n_within = quantize(tile.terms, dots.per_step, lower, room)
    slot, carries = at // PANEL + panel, len(margins.codes) > 0
    n_components = len(tile.begin) - 1
    if carries and n_within < PANEL:
        reset_margins(slot, n_components, margins)
    elif carries and len(margins.drift.scale) > 0:
        n_listed = bound_where_needed(slot, n_components, log_cut, margins, dots, room, upper, lower)
        return list_screened(panel, slot, m, count, log_cut, n_listed, margins, tile)
    if n_within > 0:
        n_pairs = len(room.pairs) // PANEL
        for g in range(n_groups):
            dot_block(
                room.pairs, n_pairs, dots.coefficients, g * n_pairs * GROUP, dots.limits, g * 3 * GROUP,
                g * GROUP, room.spread, upper, lower,
            )  # fmt: skip
        if carries and n_within == PANEL:
            n_listed = list_all(n_components, margins)
            return list_screened(panel, slot, m, count, log_cut, n_listed, margins, tile)
        for lane in range(PANEL):
            if room.largest[lane] > LARGEST:
                room.spread[lane] = lower[lane]
                lower[lane] = np.inf
        m = list_survivors(panel, m, count, 1.0, 1.0, log_cut, tile)
        if n_within == PANEL:
            return m
        for lane in range(PANEL):
            lower[lane] = -np.inf
            if room.largest[lane] <= LARGEST:
                lower[lane] = np.inf
            elif np.isnan(room.spread[lane]):
                lower[lane] = np.nan
    for g in range(n_groups):
        score_block(
            tile.terms, screen.n_terms, screen.coefficients, g * GROUP * screen.n_terms, screen.start,
            screen.slack, g * GROUP, upper, lower,
        )  # fmt: skip
    return list_survivors(panel, m, count, screen.widen_lower, screen.widen_upper, log_cut, tile)


@kernel
def log_likelihood(
    frames: AnyFrames,
    log_cut: float,
    screen: DiagonalScreen,
    model: DiagonalComponents,
    margins: Margins,
    tile: Tile,
    totals: FloatArray,
) -> int:
    """Compute the log-likelihood of every frame.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    log_cut : float
        IN. A component is skipped where its posterior is proven to be below exp(log_cut).
    screen, model : DiagonalScreen, DiagonalComponents
        IN. The mixture, without the components that have no weight.
    margins : Margins
        Empty.
    tile : Tile
        Arrays to work in.
    totals : ndarray of shape (n,), float64
        OUT. Nats.

    Returns
    -------
    int
        `ALL_FINITE`, or the index of a frame that holds NaN or infinity.
    """
    at = 0
    while at < len(frames):
        count = min(len(tile.highest), len(frames) - at)
        n_pairs = score_tile(frames, at, count, log_cut, screen, model, margins, tile)
        if n_pairs < 0:
            return -2 - n_pairs
        count = tile.n_frames[0]
        for n in range(count):
            totals[at + n] = tile.highest[n] + np.log(tile.total[n])
        at += count
    return ALL_FINITE


@kernel
def accumulate(
    frames: AnyFrames,
    weights: FloatArray,
    log_cut: float,
    screen: DiagonalScreen,
    model: DiagonalComponents,
    margins: Margins,
    tile: Tile,
    totals: DiagonalTotals,
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
    margins : Margins
        INOUT. What is known of these frames from the last pass, if anything.
    totals : DiagonalTotals
        INOUT.

    Returns
    -------
    int
        As of `log_likelihood`.
    """
    n_components = len(model.constants)
    width = len(tile.points) // len(tile.highest)
    norm = np.empty(len(tile.highest))
    by_norm = len(totals.second) == n_components
    at = 0
    while at < len(frames):
        count = min(len(tile.highest), len(frames) - at)
        n_pairs = score_tile(frames, at, count, log_cut, screen, model, margins, tile)
        if n_pairs < 0:
            return -2 - n_pairs
        count = tile.n_frames[0]
        totals.sums[0] += weigh(at, count, n_pairs, weights, tile)
        totals.sums[1] += n_pairs
        if by_norm:
            squared_norms(tile.centered, width, count, norm)
        add_counts(tile.begin, tile.score, totals.counts)
        if by_norm:
            for k in range(n_components):
                for i in range(tile.begin[k], tile.begin[k + 1]):
                    totals.second[k] += tile.score[i] * norm[tile.member[i]]
        add_moments(width, tile, totals)
        at += count
    return ALL_FINITE
