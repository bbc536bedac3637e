"""A recording in a page: its spectrogram and score with the threshold, its events, and their sound."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.report.page.content import ReportedEvent, ReportedRecording
from audiogmm.report.page.events import LONGEST, EventAnchors, event_row, play_button, sound_data
from audiogmm.report.page.figure import figure, strip
from audiogmm.report.page.markup import Markup, tag
from audiogmm.report.page.wording import count, length, number, shortened, span

ROWS = 12
"""Events listed below a recording before a reader asks for more."""


@dataclass(frozen=True)
class RecordingCard:
    """A recording as HTML, and where its events are."""

    html: Markup
    places: dict[tuple[str, float], EventAnchors]


def recording_card(
    shown: ReportedRecording, anchor: str, name: str, threshold: float, release: float | None, unit: str
) -> RecordingCard:
    """A recording as a section of the page.

    Parameters
    ----------
    shown : ReportedRecording
        The recording.
    anchor : str
        Its id in the page.
    name : str
        Its name, brief.
    threshold, release : float
        Nats; `release` None is not drawn.
    unit : str
        "s", or nothing for rows without time.
    """
    name = shortened(name, 120)
    places = {
        (found.event.id, found.event.start): _place(shown, anchor, found, k)
        for k, found in enumerate(shown.found)
    }
    rows = [
        event_row(found, places[found.event.id, found.event.start], name, threshold, unit)
        for found in shown.found
    ]
    parts = [_head(shown, anchor, name, threshold, unit)]
    if shown.trouble:
        parts.append(
            tag("p", "It could not be heard again: ", shortened(shown.trouble, 2 * LONGEST), class_="trouble")
        )
    if shown.note:
        parts.append(tag("p", shown.note, class_="note"))
    if shown.strip is not None:
        parts.append(strip(shown, shown.strip, anchor, threshold, unit))
    parts += [
        figure(shown, stretch, f"{anchor}w{j}", name, threshold, release, unit, places)
        for j, stretch in enumerate(shown.stretches)
    ]
    if rows:
        parts.append(tag("ol", *rows[:ROWS], class_="events"))
    if len(rows) > ROWS:
        summary = tag("summary", f"Show {count(len(rows) - ROWS, 'more event')}")
        parts.append(tag("details", summary, tag("ol", *rows[ROWS:], class_="events")))
    if shown.n_events > len(rows):
        parts.append(tag("p", f"and {shown.n_events - len(rows):,} milder ones", class_="quiet"))
    if shown.quiet is not None:
        parts.append(_least_normal(shown, anchor, name, threshold, unit))
    sounds = [
        sound_data(found.clip, f"{anchor}s{k}")
        for k, found in enumerate(shown.found)
        if found.clip is not None
    ]
    if shown.quiet is not None:
        sounds.append(sound_data(shown.quiet, f"{anchor}q"))
    html = tag("section", *parts, *sounds, id=anchor, class_="recording", aria_labelledby=f"{anchor}h")
    return RecordingCard(html, places)


def _place(shown: ReportedRecording, anchor: str, found: ReportedEvent, k: int) -> EventAnchors:
    peak = _peak_time(found)
    inside = (j for j, stretch in enumerate(shown.stretches) if stretch.start <= peak <= stretch.end)
    j = next(inside, None)
    return EventAnchors(
        recording=anchor,
        sound=f"{anchor}s{k}" if found.clip is not None else "",
        stretch="" if j is None else f"{anchor}w{j}",
        row=f"{anchor}e{k}",
    )


def _peak_time(found: ReportedEvent) -> float:
    event = found.event
    return (event.start + event.end) / 2 if event.peak_time is None else event.peak_time


def _head(shown: ReportedRecording, anchor: str, name: str, threshold: float, unit: str) -> Markup:
    facts = [count(shown.n_events, "event") if shown.n_events else "no event"]
    if shown.seconds:
        facts.insert(0, length(shown.seconds, unit))
    if not shown.n_events and shown.seconds:
        facts.append(f"{number(shown.lowest - threshold)} nats above the threshold at its lowest")
    return tag(
        "header",
        tag("h3", name, id=f"{anchor}h", title=shortened(shown.id, LONGEST)),
        tag("p", " · ".join(facts)),
        tag("p", shortened(shown.path, LONGEST), class_="path") if shown.path else None,
    )


def _least_normal(shown: ReportedRecording, anchor: str, name: str, threshold: float, unit: str) -> Markup:
    """What there is to hear of a recording without an event."""
    clip = shown.quiet
    assert clip is not None
    when = span(clip.start, clip.start + clip.duration, unit)
    middle = clip.start + clip.duration / 2
    inside = (j for j, s in enumerate(shown.stretches) if s.start <= middle <= s.end)
    j = next(inside, None)
    place = EventAnchors(anchor, f"{anchor}q", "" if j is None else f"{anchor}w{j}")
    louder = f" (played {clip.gain:.0f} dB louder)" if clip.gain >= 1 else ""
    return tag(
        "div",
        play_button(place, f"{name}, {when}"),
        tag("div", "Its least normal moment, ", tag("span", when, class_="when"), louder, class_="what"),
        class_="event least",
    )
