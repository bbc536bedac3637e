"""Charts as SVG that stretches with the page: geometry in percent, so that text is never stretched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from audiogmm.report.page.content import ScoreCurve
from audiogmm.report.page.markup import Markup, joined, tag
from audiogmm.report.page.wording import number
from audiogmm.types import FloatArray

GRID = 1000
"""A path's coordinates are integers up to this: short to write, finer than a screen."""

SERIES = {"diag": "s0", "full": "s1", "tied": "s2", "spherical": "s3"}
"""The look of each covariance form, a class of the style sheet."""


def percent(value: float) -> str:
    """A coordinate.

    Examples
    --------
    >>> percent(0.12345), percent(1.0)
    ('12.35%', '100%')
    """
    return f"{100 * value:.2f}".rstrip("0").rstrip(".") + "%"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, at most `most`.

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
"""Steps between moments that a clock shows as round, seconds."""


def time_ticks(start: float, end: float, most: int = 6) -> list[float]:
    """Round moments from `start` to `end`, seconds, at most `most`.

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
    """A tick with the decimals that its neighbours ask for.

    Examples
    --------
    >>> tick_text(0.5, [0.0, 0.5, 1.0]), tick_text(1200.0, [1200.0, 1400.0])
    ('0.5', '1,200')
    """
    step = min((abs(b - a) for a, b in pairwise(values)), default=1.0)
    return number(value, max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0)


def scale_texts(values: Sequence[float]) -> list[str]:
    """Ticks of the axis upwards: thousands and millions are said so.

    Examples
    --------
    >>> scale_texts([1_200_000.0, 1_400_000.0]), scale_texts([-41.5, -41.0])
    (['1.2 M', '1.4 M'], ['−41.5', '−41.0'])
    """
    largest = max(map(abs, values))
    unit, name = next(
        ((unit, name) for unit, name in ((1e6, " M"), (1e4, " k")) if largest >= unit), (1.0, "")
    )
    unit = min(unit, 1e3) if name == " k" else unit
    scaled = [value / unit for value in values]
    return [tick_text(value, scaled) + name for value in scaled]


def band(curve: ScoreCurve, limits: tuple[float, float], length: float) -> str:
    """The path that fills a curve from its lows to its highs, on a grid of `GRID` by `GRID`.

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
    """A line of numbers below a chart."""
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
    """The scores of normal windows, with the threshold, and the lowest score of each event as a tick.

    Parameters
    ----------
    windows : ndarray of shape (n,), float64
        Nats.
    threshold, release : float
        Nats.
    peaks : sequence of float
        Of events, nats.
    label : str
        What a reader who cannot see it hears.
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


def lines_chart(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    label: str,
    *,
    logarithmic: bool = False,
    marked: tuple[str, float] | None = None,
    height: int = 170,
) -> Markup:
    """Curves over a common axis, each with a look of its own, told apart by name at their ends.

    Parameters
    ----------
    curves : mapping of str to sequence of (x, y)
    label : str
        What a reader who cannot see it hears.
    logarithmic : bool
        Of the axis across, which then has a tick for each x.
    marked : tuple of str and float, optional
        The curve and x of a point with a ring around it.
    """
    xs = sorted({x for points in curves.values() for x, _ in points})
    ys = [y for points in curves.values() for _, y in points if math.isfinite(y)]
    if not ys:
        return tag("p", "No values.", class_="quiet")
    left, right = (math.log2(xs[0]), math.log2(xs[-1])) if logarithmic else (xs[0], xs[-1])
    bottom, top = min(ys), max(ys)
    pad = 0.08 * max(top - bottom, 1e-9 * max(abs(top), 1.0))
    bottom, top = bottom - pad, top + pad

    def across(x: float) -> float:
        x = math.log2(x) if logarithmic else x
        return 0.5 if right == left else 0.02 + 0.96 * (x - left) / (right - left)

    def down(y: float) -> float:
        return (top - y) / (top - bottom)

    marks = []
    grid = ticks(bottom, top, 4)
    texts = scale_texts(grid)
    wide = 6.2 * max(map(len, texts)) + 8
    scale = []
    for value, text in zip(grid, texts, strict=True):
        level = percent(down(value))
        marks.append(tag("line", x1="0", x2="100%", y1=level, y2=level, class_="grid"))
        scale.append(tag("text", text, x=f"{wide - 6:.0f}", y=level, dy=4, text_anchor="end"))
    for name, points in curves.items():
        look = SERIES.get(name, "s0")
        kept = [(x, y) for x, y in points if math.isfinite(y)]
        path = " ".join(f"{GRID * across(x):.0f},{GRID * down(y):.0f}" for x, y in kept)
        stroke = tag("polyline", points=path, class_=f"series {look}")
        marks.append(
            tag(
                "svg",
                stroke,
                viewBox=f"0 0 {GRID} {GRID}",
                preserveAspectRatio="none",
                width="100%",
                height="100%",
            )
        )
        if len(kept) <= 40:
            marks += [
                tag("circle", cx=percent(across(x)), cy=percent(down(y)), r=2.5, class_=f"dot {look}")
                for x, y in kept
            ]
        for x, y in kept:
            if marked == (name, x):
                place = {"cx": percent(across(x)), "cy": percent(down(y))}
                marks.append(tag("circle", r=7, class_="ring", **place))
    chart = tag("svg", *marks, class_="chart", height=height, role="img", aria_label=label)
    values = xs if logarithmic else ticks(xs[0], xs[-1], 7)
    texts = [f"{x:g}" if logarithmic else tick_text(x, values) for x in values]
    numbers = tag("svg", *scale, class_="scale", width=f"{wide:.0f}", aria_hidden="true")
    return tag("div", numbers, chart, _spread([across(x) for x in values], texts), class_="graph")


def _spread(places: Sequence[float], texts: Sequence[str]) -> Markup:
    """Numbers below a chart at places from 0 to 1; such as would touch are left out."""
    shown, last = [], -1.0
    for place, text in zip(places, texts, strict=True):
        if place - last >= 0.06:
            shown.append((place, text))
            last = place
    return axis([place for place, _ in shown], 0.0, 1.0, [text for _, text in shown])


def legend(names: Sequence[str]) -> Markup:
    """Which look is which curve."""
    keys = (
        tag("span", tag("i", class_=f"key {SERIES.get(name, 's0')}"), name, class_="entry") for name in names
    )
    return tag("p", joined(keys), class_="legend")
