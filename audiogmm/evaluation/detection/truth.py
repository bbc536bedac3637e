"""What a manifest says is true of a recording: whether it is anomalous, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.errors import AudioDataError, ManifestError
from audiogmm.timeline import Segment
from audiogmm.types import Seconds

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

NORMAL = ("normal",)
ANOMALOUS = ("anomaly", "anomalous", "abnormal")
"""What a `label` says of a whole recording; other labels say nothing of it."""

SLACK = 0.010
"""Seconds by which an event may reach past its recording: it is cut there."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a recording."""

    anomalous: bool  # whether anything in it is
    # where, seconds on the recording's clock; none for a normal one. None where only the whole is known
    # to be anomalous
    events: tuple[Segment, ...] | None


def truth_of(entry: Entry) -> Truth:
    """Read the keys `events` and `label` of an entry.

    `events` is a list of where something is, and an empty list says that nothing is. A `label` of "normal"
    says so too, and one of "anomaly" that something is, but not where. Without either, nothing is known.

    Raises
    ------
    ManifestError
        If neither key says anything, or they contradict each other.

    Examples
    --------
    >>> from audiogmm.manifest import Entry
    >>> truth_of(Entry("a.wav", id="a", events=(Segment(1.0, 2.0),))).events
    (Segment(start=1.0, end=2.0),)
    >>> truth_of(Entry("b.wav", id="b", label="anomaly"))
    Truth(anomalous=True, events=None)
    >>> truth_of(Entry("c.wav", id="c", label="fan"))
    Traceback (most recent call last):
    ...
    audiogmm.errors.ManifestError: it is not known whether c is anomalous (label 'fan'); needed: ...
    """
    has_events = bool(entry.events) or "events" in entry.extra
    label = (entry.label or "").strip().lower()
    place = f"{entry.source}: " if entry.source else ""
    if not has_events and label not in (*NORMAL, *ANOMALOUS):
        said = f" (label {entry.label!r})" if entry.label else ""
        raise ManifestError(
            f"{place}it is not known whether {entry.id} is anomalous{said}",
            needed="a key events ([] for none), or a label of normal or anomaly",
        )
    if (label in NORMAL and entry.events) or (label in ANOMALOUS and has_events and not entry.events):
        raise ManifestError(
            f"{place}{entry.id} has the label {entry.label!r} and {len(entry.events)} events",
            needed="a label and events that agree",
            remedy="remove one of the two from the manifest",
        )
    if has_events or label in NORMAL:
        return Truth(bool(entry.events), entry.events)
    return Truth(True, None)


def within(truth: Truth, start: Seconds, end: Seconds, slack: Seconds = SLACK) -> Truth:
    """Cut the events of a truth to the recording.

    Parameters
    ----------
    truth : Truth
        As the manifest has it.
    start, end : Seconds
        Of the recording, or of the piece of it that the entry is.
    slack : Seconds
        By which an event may reach past it.

    Raises
    ------
    AudioDataError
        If an event reaches further.

    Examples
    --------
    >>> within(Truth(True, (Segment(1.0, 2.004),)), 0.0, 2.0).events
    (Segment(start=1.0, end=2.0),)
    """
    if not truth.events:
        return truth
    for event in truth.events:
        if event.start < start - slack or event.end > end + slack:
            raise AudioDataError(
                f"its truth has an event from {event.start:g} to {event.end:g} s, "
                f"and it reaches from {start:g} to {end:.3f} s",
                needed=f"events inside the recording, to {1000 * slack:.0f} ms",
                remedy="correct the events or the duration in the manifest",
            )
    cut = (Segment(min(max(e.start, start), end), max(min(e.end, end), start)) for e in truth.events)
    return Truth(truth.anomalous, tuple(cut))
