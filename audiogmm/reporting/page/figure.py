"""The figures of a recording: spectrogram above, score below, events shaded; a strip of the whole."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from audiogmm.reporting.page.charts import GRID, axis, band, percent, ticks, time_ticks
from audiogmm.reporting.page.content import (
    DetectorSummary,
    ReportedEvent,
    ReportedRecording,
    ScoreCurve,
    Stretch,
)
from audiogmm.reporting.page.events import EventAnchors
from audiogmm.reporting.page.markup import Markup, tag
from audiogmm.reporting.page.wording import length, moment, number, span
from audiogmm.words import amount

SPECTROGRAM = 9 / 15.5
"""Share of a figure's height, as in the style sheet: the score lies below."""


def recordings_legend(truth: bool, unit: str) -> Markup:
    """Explain the lines and colors of the figures."""

    def line(look: str) -> Markup:
        return tag("svg", tag("line", x1="0", x2="100%", y1="50%", y2="50%", class_=look), aria_hidden="true")

    def block(look: str) -> Markup:
        return tag("svg", tag("rect", width="100%", height="100%", class_=look), aria_hidden="true")

    entries = [
        (block("shade-key"), "event (click to play)" if unit else "event"),
        (line("curve"), f"score, averaged over {'a window' if unit else 'rows'}"),
        (line("threshold"), "threshold, below which an event begins"),
        (line("release"), "release, above which it ends"),
    ]
    if truth:
        entries.append((block("truth"), "true event, from the manifest"))
    return tag("p", *(tag("span", key, text) for key, text in entries), class_="legend")


def strip(recording: ReportedRecording, curve: ScoreCurve, anchor: str, detector: DetectorSummary) -> Markup:
    """Draw the score of the whole recording, with its events, and links to the stretches below."""
    total, unit = recording.seconds or 1.0, detector.unit

    def at(time: float) -> str:
        return percent(min(1.0, max(0.0, (time - recording.start) / total)))

    marks = []
    for one in recording.events:
        wide = max((one.event.end - one.event.start) / total, 0.002)
        marks.append(tag("rect", x=at(one.event.start), width=percent(wide), height="100%", class_="mark"))
    links = []
    for j, stretch in enumerate(recording.stretches):
        wide = max((stretch.end - stretch.start) / total, 0.006)
        frame = tag("rect", x=at(stretch.start), width=percent(wide), height="100%", class_="frame")
        text = f"Go to {span(stretch.start, stretch.end, unit)}"
        links.append(tag("a", tag("title", text), frame, href=f"#{anchor}w{j}", aria_label=text))
    label = f"The whole recording, {length(total, unit)}: {amount(recording.n_events, 'event')}"
    level = _level(recording.strip_limits, detector.threshold, "threshold")
    path = _path(curve, recording.strip_limits, total)
    svg = tag("svg", *marks, path, level, *links, class_="strip", role="img", aria_label=label)
    return tag("div", svg, _time_axis(recording.start, recording.start + total, unit), class_="whole")


def figure(
    recording: ReportedRecording,
    stretch: Stretch,
    anchor: str,
    name: str,
    detector: DetectorSummary,
    anchors: Mapping[tuple[str, float], EventAnchors],
) -> Markup:
    """Draw the spectrogram of a stretch, its score below, and its events across both, as buttons."""
    total = (stretch.end - stretch.start) or 1.0
    inside = [
        one for one in recording.events if one.event.end > stretch.start and one.event.start < stretch.end
    ]
    when = span(stretch.start, stretch.end, detector.unit)

    def at(time: float) -> float:
        return min(1.0, max(0.0, (time - stretch.start) / total))

    parts = []
    if stretch.image:
        source = "data:image/webp;base64," + base64.b64encode(stretch.image).decode("ascii")
        top = f"{stretch.top / 1000:g} kHz"
        text = f"Spectrogram of {name}, {when}, 0 to {top}, {amount(len(inside), 'event')}"
        parts.append(tag("img", src=source, alt=text, class_="spectrogram", loading="lazy", decoding="async"))
        parts.append(tag("span", top, class_="hertz", aria_hidden="true"))
    threshold, release = detector.threshold, detector.release
    levels = [_level(recording.limits, threshold, "threshold")]
    if release is not None and release > threshold:
        levels.insert(0, _level(recording.limits, release, "release"))
    lowest = float(stretch.curve.low.min())
    label = f"Score of {name}, {when}: lowest {number(lowest)} nats, threshold {number(threshold)} nats"
    parts.append(
        tag(
            "svg",
            *levels,
            _path(stretch.curve, recording.limits, total),
            _level_name(recording, threshold, [(at(o.event.start), at(o.event.end)) for o in inside]),
            class_="score",
            role="img",
            aria_label=label,
        )
    )
    over = []
    for true in recording.truth:
        if true.end > stretch.start and true.start < stretch.end:
            x, wide = percent(at(true.start)), percent(at(true.end) - at(true.start))
            over.append(tag("rect", x=x, width=wide, y=0, height=4, class_="truth"))
    for one in sorted(inside, key=lambda one: one.event.start):
        left, right = at(one.event.start), at(one.event.end)
        ids = anchors[one.event.id, one.event.start]
        over.append(_shade(one, left, right, name, detector.unit, ids, bool(stretch.image)))
    over.append(tag("line", x1="-1%", x2="-1%", y1="0", y2="100%", class_="cursor"))
    plot = tag(
        "div",
        *parts,
        tag("svg", *over, class_="over"),
        class_="plot" if stretch.image else "plot bare",
        data_start=f"{stretch.start:.3f}",
        data_end=f"{stretch.end:.3f}",
        id=anchor,
    )
    return tag("figure", plot, _time_axis(stretch.start, stretch.end, detector.unit))


def _path(curve: ScoreCurve, limits: tuple[float, float], total: float) -> Markup:
    """Draw a curve that stretches with its parent."""
    path = tag("path", d=band(curve, limits, total), class_="curve")
    box = f"0 0 {GRID} {GRID}"
    return tag("svg", path, viewBox=box, preserveAspectRatio="none", width="100%", height="100%")


def _time_axis(start: float, end: float, unit: str) -> Markup:
    values = time_ticks(start, end) if unit else ticks(start, end)
    return axis(values, start, end, [_tick(time, values, unit) for time in values])


def _shade(
    reported: ReportedEvent,
    left: float,
    right: float,
    name: str,
    unit: str,
    anchors: EventAnchors,
    image: bool,
) -> Markup:
    """Draw an event across a figure, as a button."""
    when = span(reported.event.start, reported.event.end, unit)
    about = "; ".join(reported.event.reasons)
    title = tag("title", f"{when}: {about}" if about else when)
    x, wide = percent(left), percent(max(right - left, 0.004))
    y, height = (percent(SPECTROGRAM), percent(1 - SPECTROGRAM)) if image else ("0", "100%")
    return tag(
        "g",
        tag("rect", x=x, width=wide, y=y, height=height, class_="under"),
        tag("rect", title, x=x, width=wide, height="100%", class_="body"),
        tag("rect", x=x, width=wide, height=5, y=5, class_="top"),
        class_="shade",
        role="button",
        tabindex=0,
        data_sound=anchors.sound or None,
        data_stretch=anchors.stretch,
        data_row=anchors.row,
        data_what=f"{name}, {when}",
        aria_label=f"Play {name}, {when}" if anchors.sound else f"Go to {name}, {when}",
    )


def _level(limits: tuple[float, float], value: float, name: str) -> Markup:
    y = percent(_height(limits, value))
    return tag("line", x1="0", x2="100%", y1=y, y2=y, class_=name)


def _level_name(
    recording: ReportedRecording, threshold: float, events: Sequence[tuple[float, float]]
) -> Markup:
    """Name the threshold, at the end where no event is in the way."""
    taken = [
        any(start < last and end > first for start, end in events) for first, last in ((0.7, 1.0), (0.0, 0.3))
    ]
    left = taken[0] and not taken[1]
    height = _height(recording.limits, threshold)
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
    """Return the place of a value, 0 at the top and 1 at the bottom."""
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
