"""Events in a page: the list of the most severe, and the rows below a recording."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiogmm.report.page.content import ReportedEvent
from audiogmm.report.page.markup import Markup, joined, tag
from audiogmm.report.page.sound import Clip
from audiogmm.report.page.wording import count, number, shortened, span

AT_ONCE = 40
"""Events listed before a reader asks for more."""


MOST_REASONS, LONGEST = 8, 300
"""Reasons of an event, and characters of each, that are shown."""


@dataclass(frozen=True)
class EventAnchors:
    """Where a page shows an event.

    Attributes
    ----------
    recording : str
        Anchor of its recording; empty if that is not shown in full.
    sound : str
        Anchor of its sound; empty if there is none.
    stretch : str
        Anchor of the stretch that it lies in; empty if none shows it.
    row : str
        Anchor of its row below the recording.
    """

    recording: str = ""
    sound: str = ""
    stretch: str = ""
    row: str = ""


def icon(name: str) -> Markup:
    """One of the icons of the page."""
    return tag("svg", tag("use", href=f"#i-{name}"), class_="icon", viewBox="0 0 24 24", aria_hidden="true")


def play_button(place: EventAnchors, what: str) -> Markup:
    """A button that plays a sound, or nothing where there is none."""
    if not place.sound:
        return tag("span", class_="mute", title="no sound is kept of this one")
    return tag(
        "button",
        icon("play"),
        type="button",
        class_="play",
        data_sound=place.sound,
        data_stretch=place.stretch or None,
        data_row=place.row or None,
        data_what=what,
        aria_label=f"Play {what}",
        aria_pressed="false",
    )


def sound_data(clip: Clip, anchor: str) -> Markup:
    """A sound as text that a browser leaves alone until it is asked for."""
    return tag(
        "script",
        Markup(base64.b64encode(clip.mp3).decode("ascii")),
        type="text/plain",
        id=anchor,
        data_start=f"{clip.start:.3f}",
        data_seconds=f"{clip.duration:.3f}",
        data_gain=f"{clip.gain:.0f}" if clip.gain >= 1 else None,
    )


def reasons(found: ReportedEvent) -> Markup | None:
    """Why it is one, where that is known, and what else it says of itself."""
    parts = [tag("li", shortened(reason, LONGEST)) for reason in found.event.reasons[:MOST_REASONS]]
    further = [f"{key.replace('_', ' ')} {_plain(value)}" for key, value in found.further.items()]
    if further:
        parts.append(tag("li", " · ".join(further), class_="further"))
    return tag("ul", *parts, class_="reasons") if parts else None


def figures(found: ReportedEvent, threshold: float) -> Markup:
    """How far below the threshold, how rare in normal audio, how severe."""
    event, parts = found.event, []
    if found.severity is not None:
        parts.append(tag("span", "severity ", tag("b", number(found.severity, 2))))
    if (depth := _depth(found, threshold)) is not None:
        below = tag("b", number(abs(depth)))
        where = " nats below the threshold" if depth >= 0 else " nats above the threshold"
        parts.append(tag("span", below, where, title=f"lowest score {event.peak:.2f}"))
    elif event.score is not None:
        parts.append(tag("span", "mean score ", tag("b", number(event.score)), " nats"))
    if event.p_value is not None:
        parts.append(
            tag("span", "p ", tag("b", f"{event.p_value:.2g}"), title="of one window of normal audio")
        )
    if event.alarms_per_hour is not None:
        often = tag(
            "b",
            f"{event.alarms_per_hour:.2g}"
            if event.alarms_per_hour < 10
            else number(event.alarms_per_hour, 0),
        )
        parts.append(tag("span", "normal audio has ", often, " an hour like it"))
    return tag("div", joined(parts), class_="figures")


def event_row(found: ReportedEvent, place: EventAnchors, name: str, threshold: float, unit: str) -> Markup:
    """An event below its recording."""
    event = found.event
    when = span(event.start, event.end, unit)
    gain = found.clip.gain if found.clip else 0.0
    louder = tag("span", f"played {gain:.0f} dB louder", class_="quiet") if gain >= 1 else None
    return tag(
        "li",
        play_button(place, f"{name}, {when}"),
        tag("div", tag("span", when, class_="when"), louder, class_="what"),
        figures(found, threshold),
        reasons(found),
        id=place.row or None,
        class_="event",
    )


def event_list(
    found: Sequence[ReportedEvent],
    places: Mapping[tuple[str, float], EventAnchors],
    names: Mapping[str, str],
    n_events: int,
    threshold: float,
    unit: str,
) -> Markup:
    """The most severe events of the run, the worst first.

    Parameters
    ----------
    found : sequence of ReportedEvent
        In that order.
    places : mapping of (str, float) to EventAnchors
        By the recording and the start of the event.
    names : mapping of str to str
        Of recordings, brief.
    n_events : int
        In all.
    threshold : float
        Nats.
    unit : str
        Of time.
    """
    depths = [_depth(one, threshold) for one in found]
    if any(one.severity is not None for one in found):  # what they are sorted by
        depths = [one.severity for one in found]
    deepest = max([1e-9, *(depth for depth in depths if depth is not None)])
    shares = [None if depth is None else min(1.0, max(0.0, depth / deepest)) for depth in depths]
    rows = [
        _list_row(one, places, names, threshold, unit, share)
        for one, share in zip(found, shares, strict=True)
    ]
    first = tag("ol", *rows[:AT_ONCE], class_="events")
    rest = None
    if len(rows) > AT_ONCE:
        summary = tag("summary", f"Show {count(len(rows) - AT_ONCE, 'more event')}")
        rest = tag("details", summary, tag("ol", *rows[AT_ONCE:], class_="events", start=AT_ONCE + 1))
    left = None
    if n_events > len(rows):
        left = tag(
            "p",
            f"{n_events - len(rows):,} milder events are not listed: the file holds all {n_events:,}.",
            class_="quiet",
        )
    return joined(part for part in (first, rest, left) if part is not None)


def _list_row(
    found: ReportedEvent,
    places: Mapping[tuple[str, float], EventAnchors],
    names: Mapping[str, str],
    threshold: float,
    unit: str,
    share: float | None,
) -> Markup:
    event = found.event
    place = places.get((event.id, event.start), EventAnchors())
    name = shortened(names.get(event.id, event.id), 120)
    when = span(event.start, event.end, unit)
    link = (
        tag("a", name, href=f"#{place.recording}", title=shortened(event.id, LONGEST), class_="name")
        if place.recording
        else tag("span", name, title=shortened(event.id, LONGEST), class_="name")
    )
    bar = None
    if share is not None:
        bar = tag(
            "svg",
            tag("rect", width=f"{100 * share:.1f}%", height="100%", rx=2),
            class_="depth",
            aria_hidden="true",
        )
    return tag(
        "li",
        play_button(place, f"{name}, {when}"),
        tag("div", link, " ", tag("span", when, class_="when"), class_="what"),
        tag("div", bar, figures(found, threshold), class_="how"),
        reasons(found),
        class_="event",
    )


def _depth(found: ReportedEvent, threshold: float) -> float | None:
    """How far below the threshold it reaches, nats."""
    event = found.event
    limit = threshold if event.threshold is None else event.threshold
    return None if event.peak is None else limit - event.peak


def _plain(value: str | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else value
