"""Which frames hold sound and which hold speech: levels against quantiles of a sliding window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.policy import kernel
from audiogmm.types import BoolArray, Samples

STEP = 0.25
"""Resolution of the histogram of levels, decibels."""

LOWEST = -400.0
"""Lower edge of the histogram, decibels."""

N_BINS = 3200
"""Bins of the histogram, which thus ends at 400 decibels."""

SILENT, QUIET, LOUD = 0, 1, 2
"""States of a frame: its samples are all exactly zero; below the threshold; above it."""


@kernel
def first_non_finite(samples: Samples) -> int:
    """Find the first NaN or infinite sample; -1 if there is none.

    samples : IN, float32 (n,).
    """
    bits = samples.view(np.uint32)
    worst = np.uint32(0)
    for i in range(len(bits)):
        worst = max(worst, bits[i] & np.uint32(0x7F800000))
    if worst < np.uint32(0x7F800000):
        return -1
    i = 0
    while np.isfinite(samples[i]):
        i += 1
    return i


@kernel
def mark_silent(samples: Samples, base: int, hop: int, length: int, levels: Samples) -> None:
    """Set the level of frames whose samples are all exactly zero to minus infinity.

    samples : IN, float32 (n,).
    base, hop, length : IN, int, first sample of the first frame; samples between frames, and in one.
    levels : INOUT, float32 (n_frames,), decibels.
    """
    last_sound = base - 1
    seen = base
    for frame in range(len(levels)):
        start = base + frame * hop
        end = start + length
        at = end - 1
        seen = max(seen, start)
        while at >= seen and samples[at] == 0.0:
            at -= 1
        if at >= seen:
            last_sound = at
        seen = end
        if last_sound < start:
            levels[frame] = -np.inf


@kernel
def classify(
    levels: Samples,
    first: int,
    start: int,
    last: int,
    settings: tuple[int, float, float, float, float],
    histogram: NDArray[np.int64],
    bounds: NDArray[np.int64],
    states: NDArray[np.uint8],
) -> None:
    """Compare each level with a threshold between the quiet and the loud ones around it.

    The threshold is `margin` decibels above the quiet level (a low quantile) of a centered window that is
    pushed inwards at the edges (the window of `context.slide`), but never more than `depth` decibels below
    the loud level (a high quantile). Frames of exact silence have no part in the quantiles. A window of which
    less than a third is sound shows no floor, and only `depth` counts: a short word may fill its recording.

    levels : IN, float32 (n,), decibels, minus infinity for exact silence.
    first : IN, int, absolute index of levels[0].
    start : IN, int, absolute index of states[0].
    last : IN, int, absolute index of the last level that there is.
    settings : IN, (int, float, float, float, float): window in frames, low quantile, high quantile, margin,
    depth.
    histogram : INOUT, int64 (N_BINS,), of the levels within bounds.
    bounds : INOUT, int64 (7,), from and up to which frame; levels in the histogram; then the bin of either
    quantile and the
        number of levels below it.
    states : OUT, uint8 (m,), SILENT, QUIET or LOUD.
    """
    window, low, high, margin, depth = settings
    for t in range(start, start + len(states)):
        begin = max(t - window // 2, 0)
        end = begin + window
        if end > last + 1:
            end = last + 1
            begin = max(end - window, 0)
        for leaving in range(bounds[0], begin):
            _count(levels[leaving - first], -1, histogram, bounds)
        for entering in range(bounds[1], end):
            _count(levels[entering - first], 1, histogram, bounds)
        bounds[0] = begin
        bounds[1] = end
        level = levels[t - first]
        if level == -np.inf:
            states[t - start] = SILENT
            continue
        quiet = _quantile(low, histogram, bounds, 3)
        loud = _quantile(high, histogram, bounds, 5)
        threshold = loud - depth
        if 3 * bounds[2] >= window:
            threshold = max(quiet + margin, threshold)
        states[t - start] = LOUD if level > threshold else QUIET


@kernel
def _count(level: float, sign: int, histogram: NDArray[np.int64], bounds: NDArray[np.int64]) -> None:
    """Put a level into the histogram, or take it out."""
    if level == -np.inf:
        return
    place = min(max(int((level - LOWEST) / STEP), 0), N_BINS - 1)
    histogram[place] += sign
    bounds[2] += sign
    for tracker in (3, 5):
        if place < bounds[tracker]:
            bounds[tracker + 1] += sign


@kernel
def _quantile(share: float, histogram: NDArray[np.int64], bounds: NDArray[np.int64], tracker: int) -> float:
    """Return the center of the bin that holds a quantile, decibels, found from where it was last."""
    rank = int(share * (bounds[2] - 1))
    place = bounds[tracker]
    below = bounds[tracker + 1]
    while below > rank:
        place -= 1
        below -= histogram[place]
    while below + histogram[place] <= rank:
        below += histogram[place]
        place += 1
    bounds[tracker] = place
    bounds[tracker + 1] = below
    return LOWEST + (float(place) + 0.5) * STEP


@kernel
def hang_over(
    states: NDArray[np.uint8], first: int, start: int, last: int, before: int, after: int, voiced: BoolArray
) -> None:
    """Mark frames that are loud, come shortly before a loud one, or shortly after one; never exact silence.

    states : IN, uint8 (n,).
    first : IN, int, absolute index of states[0].
    start : IN, int, absolute index of voiced[0].
    last : IN, int, absolute index of the last state that there is.
    before, after : IN, int, frames marked ahead of a loud one, and behind it.
    voiced : OUT, bool (m,).
    """
    for t in range(start, start + len(voiced)):
        marked = False
        if states[t - first] != SILENT:
            for other in range(max(t - after, 0), min(t + before, last) + 1):
                marked = marked or states[other - first] == LOUD
        voiced[t - start] = marked
