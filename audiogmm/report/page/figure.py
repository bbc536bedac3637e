"""Figures of a recording: spectrogram above, score below, events shaded; the whole of it as a strip."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from audiogmm.report.page.charts import GRID, axis, band, percent, ticks, time_ticks
from audiogmm.report.page.content import ReportedEvent, ReportedRecording, ScoreCurve, Stretch
from audiogmm.report.page.events import EventAnchors
from audiogmm.report.page.markup import Markup, joined, tag
from audiogmm.report.page.wording import count, length, moment, number, span

SPECTROGRAM = 9 / 15.5
"""Share of a figure's height, as in the style sheet: the score lies below."""


def recordings_legend(truth: bool) -> Markup:
    """What the lines and colours of the figures are."""

    def line(look: str) -> Markup:
        return tag("svg", tag("line", x1="0", x2="100%", y1="50%", y2="50%", class_=look), aria_hidden="true")

    def block(look: str) -> Markup:
        return tag("svg", tag("rect", width="100%", height="100%", class_=look), aria_hidden="true")

    entries = [
        (block("shade-key"), "an event: click to hear it"),
        (line("curve"), "score, averaged over a window"),
        (line("threshold"), "threshold: an event begins"),
        (line("release"), "release: it goes on"),
    ]
    if truth:
        entries.append((block("truth"), "what there was, as the manifest says"))
    return tag("p", *(tag("span", key, text) for key, text in entries), class_="legend")


def strip(shown: ReportedRecording, curve: ScoreCurve, anchor: str, threshold: float, unit: str) -> Markup:
    """The whole recording, small: its score, its events, and links to the stretches below."""
    total = shown.seconds or 1.0

    def at(time: float) -> str:
        return percent(min(1.0, max(0.0, (time - shown.start) / total)))

    marks = []
    for found in shown.found:
        wide = max((found.event.end - found.event.start) / total, 0.002)
        marks.append(tag("rect", x=at(found.event.start), width=percent(wide), height="100%", class_="mark"))
    links = []
    for j, stretch in enumerate(shown.stretches):
        wide = max((stretch.end - stretch.start) / total, 0.006)
        frame = tag("rect", x=at(stretch.start), width=percent(wide), height="100%", class_="frame")
        text = f"Go to {span(stretch.start, stretch.end, unit)}"
        links.append(tag("a", tag("title", text), frame, href=f"#{anchor}w{j}", aria_label=text))
    inner = tag(
        "svg",
        tag("path", d=band(curve, shown.strip_limits, total), class_="curve"),
        viewBox=f"0 0 {GRID} {GRID}",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )
    label = f"The whole recording, {length(total, unit)}: {count(shown.n_events, 'event')}"
    level = _level(shown.strip_limits, threshold, "threshold")
    svg = tag("svg", joined(marks), inner, level, joined(links), class_="strip", role="img", aria_label=label)
    places = time_ticks(shown.start, shown.start + total) if unit else ticks(shown.start, shown.start + total)
    numbers = axis(places, shown.start, shown.start + total, [_tick(t, places, unit) for t in places])
    return tag("div", svg, numbers, class_="whole")


def figure(
    shown: ReportedRecording,
    stretch: Stretch,
    anchor: str,
    name: str,
    threshold: float,
    release: float | None,
    unit: str,
    places: Mapping[tuple[str, float], EventAnchors],
) -> Markup:
    """Spectrogram above, score below, events shaded across both, to be clicked."""
    total = (stretch.end - stretch.start) or 1.0
    inside = [f for f in shown.found if f.event.end > stretch.start and f.event.start < stretch.end]
    when = span(stretch.start, stretch.end, unit)

    def at(time: float) -> float:
        return min(1.0, max(0.0, (time - stretch.start) / total))

    parts = []
    if stretch.image:
        source = "data:image/webp;base64," + base64.b64encode(stretch.image).decode("ascii")
        text = (
            f"Spectrogram of {name}, {when}, 0 to {stretch.top / 1000:g} kHz, {count(len(inside), 'event')}"
        )
        parts.append(tag("img", src=source, alt=text, class_="spectrogram", loading="lazy", decoding="async"))
        parts.append(tag("span", f"{stretch.top / 1000:g} kHz", class_="hertz", aria_hidden="true"))
    levels = [_level(shown.limits, threshold, "threshold")]
    if release is not None and release > threshold:
        levels.insert(0, _level(shown.limits, release, "release"))
    path = tag("path", d=band(stretch.curve, shown.limits, total), class_="curve")
    inner = tag(
        "svg", path, viewBox=f"0 0 {GRID} {GRID}", preserveAspectRatio="none", width="100%", height="100%"
    )
    lowest = float(stretch.curve.low.min())
    label = f"Score of {name}, {when}: lowest {number(lowest)} nats, threshold {number(threshold)} nats"
    parts.append(
        tag(
            "svg",
            *levels,
            inner,
            _level_name(shown, threshold, [(at(f.event.start), at(f.event.end)) for f in inside]),
            class_="score",
            role="img",
            aria_label=label,
        )
    )
    shades = [
        tag(
            "rect",
            x=percent(at(s.start)),
            width=percent(at(s.end) - at(s.start)),
            y=0,
            height=4,
            class_="truth",
        )
        for s in shown.truth
        if s.end > stretch.start and s.start < stretch.end
    ]
    for found in sorted(inside, key=lambda one: one.event.start):
        left, right = at(found.event.start), at(found.event.end)
        shades.append(_shade(found, left, right, name, unit, places, bool(stretch.image)))
    shades.append(tag("line", x1="-1%", x2="-1%", y1="0", y2="100%", class_="cursor"))
    parts.append(tag("svg", *shades, class_="over"))
    values = time_ticks(stretch.start, stretch.end) if unit else ticks(stretch.start, stretch.end)
    numbers = axis(values, stretch.start, stretch.end, [_tick(t, values, unit) for t in values])
    plot = tag(
        "div",
        *parts,
        class_="plot" if stretch.image else "plot bare",
        data_start=f"{stretch.start:.3f}",
        data_end=f"{stretch.end:.3f}",
        id=anchor,
    )
    return tag("figure", plot, numbers)


def _shade(
    found: ReportedEvent,
    left: float,
    right: float,
    name: str,
    unit: str,
    places: Mapping[tuple[str, float], EventAnchors],
    image: bool,
) -> Markup:
    """An event across a figure: a button of its own."""
    place = places[found.event.id, found.event.start]
    when = span(found.event.start, found.event.end, unit)
    said = f"{name}, {when}"
    about = "; ".join(found.event.reasons)
    title = tag("title", f"{when}: {about}" if about else when)
    wide = max(right - left, 0.004)
    body = tag("rect", title, x=percent(left), width=percent(wide), height="100%", class_="body")
    top = tag("rect", x=percent(left), width=percent(wide), height=5, y=5, class_="top")
    y, height = (percent(SPECTROGRAM), percent(1 - SPECTROGRAM)) if image else ("0", "100%")
    under = tag("rect", x=percent(left), width=percent(wide), y=y, height=height, class_="under")
    return tag(
        "g",
        under,
        body,
        top,
        class_="shade",
        role="button",
        tabindex=0,
        data_sound=place.sound or None,
        data_stretch=place.stretch,
        data_row=place.row,
        data_what=said,
        aria_label=f"Play {said}" if place.sound else f"Go to {said}",
    )


def _level(limits: tuple[float, float], value: float, name: str) -> Markup:
    y = percent(_height(limits, value))
    return tag("line", x1="0", x2="100%", y1=y, y2=y, class_=name)


def _level_name(shown: ReportedRecording, threshold: float, events: Sequence[tuple[float, float]]) -> Markup:
    """What the line is, at the end where no event is in the way."""
    taken = [
        any(start < last and end > first for start, end in events) for first, last in ((0.7, 1.0), (0.0, 0.3))
    ]
    left = taken[0] and not taken[1]
    height = _height(shown.limits, threshold)
    return tag(
        "text",
        f"threshold {number(threshold)} nats",
        x="0" if left else "100%",
        y=percent(height),
        dx=6 if left else -6,
        dy=13 if height < 0.8 else -4,
        text_anchor="start" if left else "end",
        class_="name",
    )


def _height(limits: tuple[float, float], value: float) -> float:
    """Where a value lies, 0 at the top and 1 at the bottom."""
    low, high = limits
    return min(1.0, max(0.0, (high - value) / ((high - low) or 1.0)))


def _tick(time: float, values: list[float], unit: str) -> str:
    if not unit:
        return f"{time:,.0f}"
    step = values[1] - values[0] if len(values) > 1 else 1.0
    if values[-1] < 60:
        return f"{time:.0f} s" if step >= 1 else f"{time:.1f} s"
    text = moment(time, unit)
    return (
        text.removesuffix(" s").split(".")[0] + (" s" if text.endswith(" s") else "") if step >= 1 else text
    )
