"""The events of a page: the list of the most severe, and the rows below a recording."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiogmm.reporting.page.content import DetectorSummary, ReportedEvent
from audiogmm.reporting.page.markup import Markup, joined, tag
from audiogmm.reporting.page.sound import Clip
from audiogmm.reporting.page.wording import length, number, shortened, span
from audiogmm.words import amount

AT_ONCE = 40
"""Events that are listed; the rest is folded away."""

MOST_REASONS, LONGEST = 8, 300
"""Most reasons of an event, and most characters of each."""


@dataclass(frozen=True)
class EventAnchors:
    """The ids of the elements that show an event; an empty one is not there."""

    recording: str = ""
    sound: str = ""
    stretch: str = ""  # the stretch that it lies in
    row: str = ""  # its row below the recording


def icon(name: str) -> Markup:
    """Draw one of the icons of the page."""
    return tag("svg", tag("use", href=f"#i-{name}"), class_="icon", viewBox="0 0 24 24", aria_hidden="true")


def play_button(anchors: EventAnchors, what: str) -> Markup:
    """Make a button that plays a sound; without a sound, a dot in its place."""
    if not anchors.sound:
        return tag("span", class_="mute", title="The page has no sound of this one")
    return tag(
        "button",
        icon("play"),
        type="button",
        class_="play",
        data_sound=anchors.sound,
        data_stretch=anchors.stretch or None,
        data_row=anchors.row or None,
        data_what=what,
        aria_label=f"Play {what}",
        aria_pressed="false",
    )


def sound_data(clip: Clip, anchor: str) -> Markup:
    """Make an element that holds a sound as text, which the browser does not decode until it is played."""
    return tag(
        "script",
        Markup(base64.b64encode(clip.mp3).decode("ascii")),
        type="text/plain",
        id=anchor,
        data_start=f"{clip.start:.3f}",
        data_seconds=f"{clip.duration:.3f}",
        data_gain=f"{clip.gain:.0f}" if clip.gain >= 1 else None,
    )


def reasons(reported: ReportedEvent) -> Markup | None:
    """List the reasons of an event, and the other keys of its line."""
    parts = [tag("li", shortened(reason, LONGEST)) for reason in reported.event.reasons[:MOST_REASONS]]
    further = [f"{key.replace('_', ' ')} {_plain(value)}" for key, value in reported.further.items()]
    if further:
        parts.append(tag("li", " · ".join(further), class_="further"))
    return tag("ul", *parts, class_="reasons") if parts else None


def figures(reported: ReportedEvent, detector: DetectorSummary) -> Markup:
    """List how severe an event is, how far below the threshold, and how rare in normal audio."""
    event, parts = reported.event, []
    if event.kind is not None:
        probability = event.kind["probability"]
        sure = None if probability is None else f"probability {probability:.2f}"
        parts.append(tag("span", tag("b", shortened(event.kind_name, 80) or "of no known kind"), title=sure))
    if reported.severity is not None:
        parts.append(tag("span", "severity ", tag("b", number(reported.severity, 2))))
    if (depth := _depth(reported, detector.threshold)) is not None:
        below = tag("b", number(abs(depth)))
        where = " nats below the threshold" if depth >= 0 else " nats above the threshold"
        parts.append(tag("span", below, where, title=f"lowest score {number(event.peak or 0.0, 2)} nats"))
    elif event.score is not None:
        parts.append(tag("span", "mean score ", tag("b", number(event.score)), " nats"))
    if event.p_value is not None:
        title = "share of normal windows that score as low"
        parts.append(tag("span", "p ", tag("b", f"{event.p_value:.2g}"), title=title))
    if event.alarms_per_hour is not None:
        parts.append(tag("span", *_rarity(event.alarms_per_hour, detector)))
    return tag("div", joined(parts), class_="figures")


def _rarity(per_hour: float, detector: DetectorSummary) -> list[object]:
    """Say how many such events normal audio has; the rate counts one more than there were."""
    rate = f"{per_hour:.2g}" if per_hour < 10 else number(per_hour, 0)
    if not detector.normal_seconds:
        return ["at most ", tag("b", rate), " normal events like it an hour"]
    n = max(0, round(per_hour * detector.normal_seconds / 3600) - 1)
    normal = length(detector.normal_seconds, detector.unit)
    text = f" normal event{'s' * (n > 1)} like it in {normal}"
    if detector.unit:
        text += f" ({rate} an hour)" if n else f" (fewer than {rate} an hour)"
    return [tag("b", f"{n:,}" if n else "no"), text]


def event_row(reported: ReportedEvent, anchors: EventAnchors, name: str, detector: DetectorSummary) -> Markup:
    """Make the row of an event below its recording."""
    event = reported.event
    when = span(event.start, event.end, detector.unit)
    gain = reported.clip.gain if reported.clip else 0.0
    louder = tag("span", f"played {gain:.0f} dB louder", class_="quiet") if gain >= 1 else None
    return tag(
        "li",
        play_button(anchors, f"{name}, {when}"),
        tag("div", tag("span", when, class_="when"), louder, class_="what"),
        figures(reported, detector),
        reasons(reported),
        id=anchors.row or None,
        class_="event",
    )


def event_list(
    events: Sequence[ReportedEvent],
    anchors: Mapping[tuple[str, float], EventAnchors],
    names: Mapping[str, str],
    n_events: int,
    detector: DetectorSummary,
) -> Markup:
    """Make the list of the most severe events of the run.

    Parameters
    ----------
    events : sequence of ReportedEvent
        The most severe first.
    anchors : mapping of (str, float) to EventAnchors
        By recording and start of the event.
    names : mapping of str to str
        Short names of recordings.
    n_events : int
        Number of events of the run.
    detector : DetectorSummary
    """
    depths = [_depth(one, detector.threshold) for one in events]
    if any(one.severity is not None for one in events):  # what they are sorted by
        depths = [one.severity for one in events]
    deepest = max([1e-9, *(depth for depth in depths if depth is not None)])
    shares = [None if depth is None else min(1.0, max(0.0, depth / deepest)) for depth in depths]
    rows = [
        _list_row(one, anchors.get((one.event.id, one.event.start), EventAnchors()), names, detector, share)
        for one, share in zip(events, shares, strict=True)
    ]
    parts = [tag("ol", *rows[:AT_ONCE], class_="events")]
    if len(rows) > AT_ONCE:
        summary = tag("summary", f"Show {amount(len(rows) - AT_ONCE, 'more event')}")
        parts.append(tag("details", summary, tag("ol", *rows[AT_ONCE:], class_="events", start=AT_ONCE + 1)))
    if n_events > len(rows):
        text = f"Not listed: {amount(n_events - len(rows), 'less severe event')}; the file has them all."
        parts.append(tag("p", text, class_="quiet"))
    return joined(parts)


def _list_row(
    reported: ReportedEvent,
    anchors: EventAnchors,
    names: Mapping[str, str],
    detector: DetectorSummary,
    share: float | None,
) -> Markup:
    event = reported.event
    name = shortened(names.get(event.id, event.id), 120)
    when = span(event.start, event.end, detector.unit)
    kind, target = ("a", f"#{anchors.recording}") if anchors.recording else ("span", None)
    link = tag(kind, name, href=target, title=shortened(event.id, LONGEST), class_="name")
    bar = None
    if share is not None:
        rect = tag("rect", width=f"{100 * share:.1f}%", height="100%", rx=2)
        bar = tag("svg", rect, class_="depth", aria_hidden="true")
    return tag(
        "li",
        play_button(anchors, f"{name}, {when}"),
        tag("div", link, " ", tag("span", when, class_="when"), class_="what"),
        tag("div", bar, figures(reported, detector), class_="how"),
        reasons(reported),
        class_="event",
    )


def _depth(reported: ReportedEvent, threshold: float) -> float | None:
    """Return how far below the threshold an event reaches, nats."""
    event = reported.event
    limit = threshold if event.threshold is None else event.threshold
    return None if event.peak is None else limit - event.peak


def _plain(value: str | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else value
