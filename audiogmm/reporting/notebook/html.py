"""Tracks, events and models as pieces of HTML, each less than a megabyte."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from audiogmm.anomaly.event import Event, EventList
from audiogmm.anomaly.learning.model_parts import terms_of
from audiogmm.errors import AudioGMMError
from audiogmm.mixture.store import Model
from audiogmm.reporting.figure import can_draw, styled_figure
from audiogmm.reporting.notebook.plot import SIZE, describe_track, picture_of, samples_of
from audiogmm.reporting.page.content import ReportedEvent
from audiogmm.reporting.page.markup import Markup, joined, tag
from audiogmm.reporting.page.sound import Clip, clip
from audiogmm.reporting.page.wording import number
from audiogmm.reporting.picture import draw_panels
from audiogmm.reporting.run.excerpt import cut_event
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import Seconds
from audiogmm.words import amount

MOST_EVENTS = 50
"""Rows of a table; the most severe are shown."""

MOST_SOUND = 400_000
"""Bytes of the sounds of one piece of HTML, before they are written as text."""

LONGEST_SOUND: Seconds = 60.0
"""Most of a recording that is played."""

DPI = 96

CELL = "text-align:left;vertical-align:middle;padding:4px 10px;white-space:normal"
SHORT, WIDE = CELL.replace("normal", "nowrap"), f"{CELL};min-width:16em"
PLAYER = "height:32px;width:260px;vertical-align:middle"


@singledispatch
def to_html(what: Any) -> str:
    """Return an object as HTML, for a notebook.

    Parameters
    ----------
    what : ScoreTrack, EventList, Event or Model

    Raises
    ------
    TypeError
        If it is something else.

    Examples
    --------
    >>> to_html(Event(None, "a<b", 1.0, 2.0, severity=2.0))[:5]
    '<div>'
    >>> "a&lt;b" in to_html(Event(None, "a<b", 1.0, 2.0))
    True
    """
    raise TypeError(f"{type(what).__name__} has no HTML")


@to_html.register
def _(track: ScoreTrack) -> str:
    samples, rate = samples_of(track)
    parts: list[Any] = []
    if len(track) and can_draw():
        parts.append(_image(track, samples, rate))
    else:
        parts.append(tag("div", describe_track(track)))
    if not can_draw():
        parts.append(tag("div", "A picture needs matplotlib: pip install 'audiogmm[plot]'"))
    if len(samples):
        heard = samples[: round(LONGEST_SOUND * rate)]
        note = f"the first {LONGEST_SOUND:.0f} s" if len(heard) < len(samples) else None
        parts.append(tag("div", _player(clip(heard, rate, 0.0)), tag("small", note) if note else None))
    return tag("div", *parts)


def _image(track: ScoreTrack, samples: Any, rate: float) -> Markup:
    """Draw a track as an inline picture."""
    file = io.BytesIO()
    with styled_figure(SIZE) as figure:
        draw_panels(figure, picture_of(track, (), samples, rate))
        figure.savefig(file, format="png", dpi=DPI)
    content = base64.b64encode(file.getvalue()).decode("ascii")
    alt = f"Spectrogram and scores of {track.id}" if len(samples) else f"Scores of {track.id}"
    return tag("img", src=f"data:image/png;base64,{content}", alt=alt, style="max-width:100%")


def _player(sound: Clip) -> Markup:
    content = base64.b64encode(sound.mp3).decode("ascii")
    return tag("audio", controls=True, src=f"data:audio/mpeg;base64,{content}", style=PLAYER)


@to_html.register
def _(events: EventList) -> str:
    head = f"{amount(len(events), 'event')}"
    if not events:
        return tag("div", head)
    shown = sorted(events, key=lambda event: -(event.severity or 0.0))[:MOST_EVENTS]
    head += f"; the {len(shown)} most severe:" if len(events) > len(shown) else ", the most severe first:"
    rows, sounds = [], _sounds(events, shown)
    names = (events.terms.recording, "where", "severity", "why", "sound" if events.terms.unit else None)
    heads = [tag("th", name, style=CELL) for name in names if name]
    for event, sound in zip(shown, sounds, strict=True):
        cells = [
            event.id,
            events.terms.span(event.start, event.end),
            "" if event.severity is None else f"{event.severity:.1f}",
            joined(tag("div", reason) for reason in [event.kind_name, *event.reasons] if reason),
            *([_player(sound) if sound else ""] if events.terms.unit else []),
        ]
        styles = (CELL, SHORT, CELL, WIDE, CELL)
        rows.append(tag("tr", *(tag("td", cell, style=styles[i]) for i, cell in enumerate(cells))))
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag("div", tag("div", head), tag("div", table, style="overflow-x:auto"))


def _sounds(events: EventList, shown: list[Event]) -> Iterator[Clip | None]:
    """Yield the sound of each event, as far as there is room and the recordings can be read."""
    room = MOST_SOUND
    for event in shown:
        entry, sound = events.recordings.get(event.id), None
        if entry is not None and events.terms.unit and room > 0:
            try:
                sound = cut_event(entry, ReportedEvent(event))
            except (AudioGMMError, OSError):
                sound = None
        if sound is not None:
            room -= len(sound.mp3)
        yield sound if room > 0 else None


@to_html.register
def _(event: Event) -> str:
    return to_html(EventList([event]))


@to_html.register
def _(model: Model) -> str:
    mixture, metadata, terms = model.mixture, model.metadata, terms_of(model)
    data, training, detector = metadata.data, metadata.training, metadata.detector
    facts = {
        "mixture": f"{amount(mixture.n_components, 'component')} of {amount(mixture.n_features, 'feature')}, "
        f"{mixture.covariance_type} covariance",
        "sample rate": f"{metadata.sample_rate:,} Hz" if metadata.sample_rate else None,
        "trained on": f"{terms.recordings(data['n_recordings'])}, {terms.frames(data['n_frames'])}"
        if data.get("n_recordings") and data.get("n_frames")
        else None,
        "training": f"{amount(training['passes'], 'pass', 'passes')}, {number(training['log_likelihood'])} "
        f"{terms.of('nats a frame')}"
        if training.get("passes") and training.get("log_likelihood") is not None
        else None,
        "detector": f"threshold {number(detector['threshold'])}" if detector else "none",
        "speakers": "back end" if metadata.speakers else None,
        "fingerprint": model.fingerprint[:12],
    }
    rows = [
        tag("tr", tag("th", name, style=CELL), tag("td", fact, style=CELL))
        for name, fact in facts.items()
        if fact is not None
    ]
    return tag("table", tag("caption", "Model", style="font-weight:bold;text-align:left"), *rows)
