"""A recording of a page: its spectrogram and score with the threshold, its events, and their sound."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.reporting.page.content import DetectorSummary, ReportedEvent, ReportedRecording
from audiogmm.reporting.page.events import LONGEST, EventAnchors, event_row, play_button, sound_data
from audiogmm.reporting.page.figure import figure, strip
from audiogmm.reporting.page.markup import Markup, tag
from audiogmm.reporting.page.wording import length, number, shortened, span
from audiogmm.words import amount

ROWS = 12
"""Events that are listed below a recording; the rest is folded away."""


@dataclass(frozen=True)
class RecordingCard:
    """A recording as HTML, and the ids of its events by recording and start."""

    html: Markup
    anchors: dict[tuple[str, float], EventAnchors]


def recording_card(
    recording: ReportedRecording, anchor: str, name: str, detector: DetectorSummary
) -> RecordingCard:
    """Make the section of a recording.

    Parameters
    ----------
    recording : ReportedRecording
    anchor : str
        Its id in the page.
    name : str
        Its short name.
    detector : DetectorSummary
    """
    name = shortened(name, 120)
    keys = [(one.event.id, one.event.start) for one in recording.events]
    anchors = {key: _anchors(recording, anchor, k) for k, key in enumerate(keys)}
    rows = [
        event_row(one, anchors[key], name, detector) for one, key in zip(recording.events, keys, strict=True)
    ]
    parts = [_head(recording, anchor, name, detector)]
    if recording.error:
        text = shortened(recording.error, 2 * LONGEST)
        parts.append(tag("p", "This recording could not be read again: ", text, class_="trouble"))
    if recording.note:
        parts.append(tag("p", recording.note, class_="note"))
    if recording.strip is not None:
        parts.append(strip(recording, recording.strip, anchor, detector))
    parts += [
        figure(recording, stretch, f"{anchor}w{j}", name, detector, anchors)
        for j, stretch in enumerate(recording.stretches)
    ]
    if rows:
        parts.append(tag("ol", *rows[:ROWS], class_="events"))
    if len(rows) > ROWS:
        summary = tag("summary", f"Show {amount(len(rows) - ROWS, 'more event')}")
        parts.append(tag("details", summary, tag("ol", *rows[ROWS:], class_="events")))
    if recording.n_events > len(rows):
        text = f"Not listed: {amount(recording.n_events - len(rows), 'less severe event')}."
        parts.append(tag("p", text, class_="quiet"))
    clips = {f"{anchor}s{k}": one.clip for k, one in enumerate(recording.events)}
    if recording.least_normal is not None:
        parts.append(_least_normal(recording, anchor, name, detector.unit))
        clips[f"{anchor}q"] = recording.least_normal
    sounds = [sound_data(clip, id) for id, clip in clips.items() if clip is not None]
    html = tag("section", *parts, *sounds, id=anchor, class_="recording", aria_labelledby=f"{anchor}h")
    return RecordingCard(html, anchors)


def _anchors(recording: ReportedRecording, anchor: str, k: int) -> EventAnchors:
    """Return the ids of the k-th event."""
    one = recording.events[k]
    return EventAnchors(
        recording=anchor,
        sound=f"{anchor}s{k}" if one.clip is not None else "",
        stretch=_stretch_at(recording, anchor, _peak_time(one)),
        row=f"{anchor}e{k}",
    )


def _stretch_at(recording: ReportedRecording, anchor: str, time: float) -> str:
    """Return the id of the stretch that shows a time."""
    inside = (j for j, stretch in enumerate(recording.stretches) if stretch.start <= time <= stretch.end)
    j = next(inside, None)
    return "" if j is None else f"{anchor}w{j}"


def _peak_time(reported: ReportedEvent) -> float:
    event = reported.event
    return (event.start + event.end) / 2 if event.peak_time is None else event.peak_time


def _head(recording: ReportedRecording, anchor: str, name: str, detector: DetectorSummary) -> Markup:
    facts = [amount(recording.n_events, "event") if recording.n_events else "no event"]
    if recording.seconds:
        facts.insert(0, length(recording.seconds, detector.unit))
        if not recording.n_events:
            above = number(recording.lowest - detector.threshold)
            facts.append(f"lowest score {above} nats above the threshold")
    return tag(
        "header",
        tag("h3", name, id=f"{anchor}h", title=shortened(recording.id, LONGEST)),
        tag("p", " · ".join(facts)),
        tag("p", shortened(recording.path, LONGEST), class_="path") if recording.path else None,
    )


def _least_normal(recording: ReportedRecording, anchor: str, name: str, unit: str) -> Markup:
    """Make the button for the least normal moment of a recording without an event."""
    clip = recording.least_normal
    assert clip is not None
    when = span(clip.start, clip.start + clip.duration, unit)
    stretch = _stretch_at(recording, anchor, clip.start + clip.duration / 2)
    louder = f" (played {clip.gain:.0f} dB louder)" if clip.gain >= 1 else ""
    return tag(
        "div",
        play_button(EventAnchors(anchor, f"{anchor}q", stretch), f"{name}, {when}"),
        tag("div", "Least normal moment, ", tag("span", when, class_="when"), louder, class_="what"),
        class_="event least",
    )
