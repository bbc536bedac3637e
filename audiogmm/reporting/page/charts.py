"""Charts as SVG that stretches with the page: places are percentages, so that text is not stretched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from audiogmm.reporting.page.content import ScoreCurve
from audiogmm.reporting.page.markup import Markup, joined, tag
from audiogmm.reporting.page.wording import number
from audiogmm.types import FloatArray

GRID = 1000
"""Coordinates of a path are integers up to this: short to write, finer than a screen."""


def percent(value: float) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.12345), percent(1.0)
    ('12.35%', '100%')
    """
    return f"{100 * value:.2f}".rstrip("0").rstrip(".") + "%"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`, at most `most`.

    Examples
    --------
    >>> ticks(0.0, 10.0), ticks(-63.2, -41.0, 4), ticks(1.0, 1.0)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [-60.0, -55.0, -50.0, -45.0], [1.0])
    """
    if not high > low:
        return [low]
    exponent = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * exponent
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [round(i * step, 10) + 0.0 for i in range(first, last + 1)]


_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Steps between round times, seconds."""


def time_ticks(start: float, end: float, most: int = 6) -> list[float]:
    """Return round times from `start` to `end`, seconds, at most `most`.

    Examples
    --------
    >>> time_ticks(0.0, 600.0), time_ticks(3.0, 5.5)
    ([0.0, 120.0, 240.0, 360.0, 480.0, 600.0], [3.0, 3.5, 4.0, 4.5, 5.0, 5.5])
    """
    step = next((step for step in _TIMES if (end - start) / step <= most - 1 + 1e-9), 0)
    if end - start < 5 or not step:
        return ticks(start, end, most)
    return [float(i * step) for i in range(math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9) + 1)]


def tick_text(value: float, values: Sequence[float]) -> str:
    """Write a tick with as many decimals as tell it from its neighbors.

    Examples
    --------
    >>> tick_text(0.5, [0.0, 0.5, 1.0]), tick_text(1200.0, [1200.0, 1400.0])
    ('0.5', '1,200')
    """
    step = min((abs(b - a) for a, b in pairwise(values)), default=1.0)
    return number(value, max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0)


def band(curve: ScoreCurve, limits: tuple[float, float], length: float) -> str:
    """Return the path that fills a curve from its lows to its highs, on a grid of `GRID` by `GRID`.

    Parameters
    ----------
    curve : ScoreCurve
    limits : tuple of float
        Values at the bottom and at the top; beyond them, the path runs along the edge.
    length : float
        Seconds from the left edge to the right one.

    Examples
    --------
    >>> band(ScoreCurve(np.array([0.0, 1.0]), np.array([0.0, 2.0]), 0.5), (0.0, 2.0), 1.0)
    'M250 1000L750 0 750 500z'
    """
    x = np.clip((np.arange(len(curve.low)) + 0.5) * curve.per_column / length, 0.0, 1.0)
    across = (x * GRID).round().astype(int)
    high, low = (_down(values, limits) for values in (curve.high, curve.low))
    points = [*zip(across, high, strict=True), *reversed(list(zip(across, low, strict=True)))]
    kept = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    if len(kept) > 1 and kept[-1] == kept[0]:
        kept.pop()
    head, *rest = (f"{a} {b}" for a, b in kept)
    return f"M{head}L{' '.join(rest)}z" if rest else f"M{head}z"


def _down(values: FloatArray, limits: tuple[float, float]) -> list[int]:
    low, high = limits
    share = np.clip((high - values) / (high - low), 0.0, 1.0)
    down: list[int] = (share * GRID).round().astype(int).tolist()
    return down


def axis(values: Sequence[float], low: float, high: float, texts: Sequence[str] = ()) -> Markup:
    """Draw the numbers below a chart, at values between `low` and `high`."""
    texts = texts or [tick_text(value, values) for value in values]
    marks = []
    for value, text in zip(values, texts, strict=True):
        place = (value - low) / (high - low) if high > low else 0.5
        anchor = "start" if place < 0.03 else "end" if place > 0.97 else "middle"
        marks.append(tag("text", text, x=percent(place), y=12, text_anchor=anchor))
    return tag("svg", *marks, class_="axis", height=16, aria_hidden="true")


def histogram(
    windows: FloatArray, threshold: float, release: float | None, peaks: Sequence[float], label: str
) -> Markup:
    """Draw a histogram of normal scores, with the threshold, and the lowest score of each event as a tick.

    Parameters
    ----------
    windows : ndarray of shape (n,), float64, sorted
        Scores of normal windows, nats.
    threshold, release : float
        Nats; `release` None is not drawn.
    peaks : sequence of float
        Lowest scores of events, nats.
    label : str
        Text for screen readers.
    """
    body = float(np.quantile(windows, 0.999)), float(windows[-1])
    low = min(float(windows[0]), threshold)
    deepest = low - 1.5 * max(body[1] - low, 1.0)
    low = max(min([low, *peaks]), deepest)
    margin = 0.03 * max(body[1] - low, 1e-6)
    low, high = low - margin, body[1] + margin
    counts, _ = np.histogram(windows, 60, (low, high))
    width = 1.0 / len(counts)
    tallest = max(int(counts.max()), 1)

    def at(value: float) -> str:
        return percent(float(np.clip((value - low) / (high - low), 0.0, 1.0)))

    bars = [
        tag(
            "rect",
            x=percent(i * width),
            width=percent(width * 0.92),
            y=percent(1 - 0.86 * n / tallest),
            height=percent(0.86 * n / tallest),
        )
        for i, n in enumerate(counts.tolist())
        if n
    ]
    lines = [
        tag("line", x1=at(peak), x2=at(peak), y1="90%", y2="100%", class_="peak") for peak in sorted(peaks)
    ]
    if release is not None and release > threshold:
        lines.append(tag("line", x1=at(release), x2=at(release), y1="0", y2="100%", class_="release"))
    lines.append(tag("line", x1=at(threshold), x2=at(threshold), y1="0", y2="100%", class_="threshold"))
    share = (threshold - low) / (high - low)
    side, shift = ("end", -6) if share > 0.3 else ("start", 6)
    text = f"threshold {number(threshold)}"
    lines.append(tag("text", text, x=at(threshold), y=14, dx=shift, text_anchor=side, class_="name"))
    chart = tag("svg", *bars, *lines, class_="chart histogram", height=170, role="img", aria_label=label)
    return joined([chart, axis(ticks(low, high), low, high)])


def line_chart(points: Sequence[tuple[float, float]], label: str, *, height: int = 170) -> Markup:
    """Draw a curve with a scale beside it and one below.

    Parameters
    ----------
    points : sequence of (x, y)
        In order of x; those whose y is not finite are left out.
    label : str
        Text for screen readers.
    height : int
        Pixels.
    """
    points = [(x, y) for x, y in points if math.isfinite(y)]
    if not points:
        return tag("p", "No values.", class_="quiet")
    left, right = points[0][0], points[-1][0]
    bottom, top = min(y for _, y in points), max(y for _, y in points)
    pad = 0.08 * max(top - bottom, 1e-9 * max(abs(top), 1.0))
    bottom, top = bottom - pad, top + pad

    def across(x: float) -> float:
        return 0.5 if right == left else 0.02 + 0.96 * (x - left) / (right - left)

    def down(y: float) -> float:
        return (top - y) / (top - bottom)

    grid = ticks(bottom, top, 4)
    texts = [tick_text(value, grid) for value in grid]
    wide = 6.2 * max(map(len, texts)) + 8
    marks, scale = [], []
    for value, text in zip(grid, texts, strict=True):
        level = percent(down(value))
        marks.append(tag("line", x1="0", x2="100%", y1=level, y2=level, class_="grid"))
        scale.append(tag("text", text, x=f"{wide - 6:.0f}", y=level, dy=4, text_anchor="end"))
    path = " ".join(f"{GRID * across(x):.0f},{GRID * down(y):.0f}" for x, y in points)
    stroke = tag("polyline", points=path, class_="series")
    box = f"0 0 {GRID} {GRID}"
    marks.append(tag("svg", stroke, viewBox=box, preserveAspectRatio="none", width="100%", height="100%"))
    if len(points) <= 40:
        marks += [
            tag("circle", cx=percent(across(x)), cy=percent(down(y)), r=2.5, class_="dot") for x, y in points
        ]
    chart = tag("svg", *marks, class_="chart", height=height, role="img", aria_label=label)
    values = ticks(left, right, 7)
    numbers = tag("svg", *scale, class_="scale", width=f"{wide:.0f}", aria_hidden="true")
    below = axis([across(x) for x in values], 0.0, 1.0, [tick_text(x, values) for x in values])
    return tag("div", numbers, chart, below, class_="graph")
