"""Events: segments of recordings that are not normal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audiogmm.documents import parse_finite
from audiogmm.methods import call_above
from audiogmm.timeline import Segment
from audiogmm.types import Json, Seconds
from audiogmm.wall_clock import format_time, parse_time
from audiogmm.words import SOUND, Terms


@dataclass(frozen=True, slots=True)
class Event:
    """An anomalous segment of a recording.

    Attributes
    ----------
    audio_filepath : str or None
        The recording's file, where known.
    id : str
        The recording's name.
    start, end : Seconds
        From the start of the first frame to the end of the last one, on the recording's clock. Of an event
        that spans entries of a stream, `id` is the entry in which it begins, and its clock goes on through
        gaps: `end` may lie beyond the entry.
    score : float or None
        Mean of the smoothed scores from start to end, nats.
    peak : float or None
        The lowest smoothed score, nats: the least normal moment.
    peak_time : Seconds or None
        Centre of that frame.
    threshold : float or None
        Smoothed score at or under which an event begins, nats.
    p_value : float or None
        How often a window of normal audio scores `peak` or less: of one window, however many were searched.
    severity : float or None
        How far `peak` lies from a typical normal window, in units of the threshold's distance: 1 is just an
        event, 2 is twice as far away.
    alarms_per_hour : float or None
        How often normal audio has an event with a peak as low, where that is known.
    reasons : tuple of str
        What made it anomalous, in sentences, where known.
    explanation : dict or None
        The same for programs, as JSON.
    time, end_time : Seconds or None
        When it began and ended, as `audiogmm.wall_clock` has it, where the recording's time is known.
    kind : dict or None
        What its sound is, where that was asked for: `group`, `name` and `probability`; a `group` of None is
        like none of them.
    verdict : str or None
        Of a model that watches for drift: ``"transient"``, ``"changed"`` or ``"rising"``.
    change : dict or None
        What changed, where it did: see `audiogmm.anomaly.drift.change.Change.to_dict`.
    clip : str or None
        File with its sound, where one was written; JSONL alone keeps it.

    Examples
    --------
    >>> event = Event("a.wav", "a", 1.0, 2.0, -60.0, -70.0, 1.5, -55.0)
    >>> event.segment.duration, Event.from_dict(event.to_dict()) == event
    (1.0, True)
    """

    audio_filepath: str | None
    id: str
    start: Seconds
    end: Seconds
    score: float | None = None
    peak: float | None = None
    peak_time: Seconds | None = None
    threshold: float | None = None
    p_value: float | None = None
    severity: float | None = None
    alarms_per_hour: float | None = None
    reasons: tuple[str, ...] = ()
    explanation: Json | None = field(default=None, hash=False)
    time: Seconds | None = None
    end_time: Seconds | None = None
    kind: Json | None = field(default=None, hash=False)
    verdict: str | None = None
    change: Json | None = field(default=None, hash=False)
    clip: str | None = None

    @property
    def kind_name(self) -> str:
        """The name of its kind, "group 3" where that has none, and "" where it is of none."""
        if self.kind is None or self.kind["group"] is None:
            return ""
        return self.kind["name"] or f"group {self.kind['group']}"

    @property
    def segment(self) -> Segment:
        """Where it lies."""
        return Segment(self.start, self.end)

    def to_dict(self) -> Json:
        """Return the event as a JSON object; the keys in `OPTIONAL` only where they are known."""
        row: Json = {name: getattr(self, name) for name in REQUIRED}
        row |= {name: getattr(self, name) for name in OPTIONAL if getattr(self, name) not in (None, ())}
        if self.reasons:
            row["reasons"] = list(self.reasons)
        if self.kind is not None:
            row["kind"] = self.kind
        times = {name: format_time(time) for name in TIMES if (time := getattr(self, name)) is not None}
        row |= times
        row |= {name: getattr(self, name) for name in JUDGED if getattr(self, name) is not None}
        return row if self.clip is None else row | {"clip": self.clip}

    def __repr__(self) -> str:
        severity = "" if self.severity is None else f", severity {self.severity:.1f}"
        return f"Event({self.id!r}, {self.start:.2f} to {self.end:.2f}{severity})"

    def _repr_html_(self) -> str:
        return str(call_above("to_html", self))

    @classmethod
    def from_dict(cls, row: Json) -> Event:
        """Read an event from a JSON object; unknown keys are ignored.

        Raises
        ------
        KeyError
            If `id`, `start` or `end` is missing.
        ValueError
            If a number is not finite.
        """
        return cls(
            audio_filepath=row.get("audio_filepath"),
            id=str(row["id"]),
            start=parse_finite(row["start"]),
            end=parse_finite(row["end"]),
            reasons=tuple(row.get("reasons") or ()),
            explanation=row.get("explanation"),
            kind=None if row.get("kind") is None else _parse_kind(row["kind"]),
            clip=row.get("clip"),
            **{name: None if row.get(name) is None else parse_finite(row[name]) for name in _NUMBERS},
            **{name: None if row.get(name) is None else parse_time(row[name]) for name in TIMES},
            verdict=row.get("verdict"),
            change=row.get("change"),
        )


class EventList(list[Event]):
    """The events of some recordings: a list that a notebook shows as a table, with their sounds.

    Parameters
    ----------
    events : iterable of Event
    recordings : mapping of str to Entry, optional
        The recording of each id, for the sounds.
    terms : Terms
        Of recordings, or of tables.

    Examples
    --------
    >>> EventList([Event("a.wav", "a", 1.0, 2.5, severity=1.2)])
    [Event('a', 1.00 to 2.50, severity 1.2)]
    """

    def __init__(
        self,
        events: Iterable[Event] = (),
        recordings: Mapping[str, Any] | None = None,
        terms: Terms = SOUND,
    ) -> None:
        super().__init__(events)
        self.recordings = dict(recordings or {})
        self.terms = terms

    def _repr_html_(self) -> str:
        return str(call_above("to_html", self))


REQUIRED = ("audio_filepath", "id", "start", "end", "score", "peak", "peak_time", "threshold")
"""The keys of every row of a JSONL or CSV file of events."""

OPTIONAL = ("p_value", "severity", "alarms_per_hour", "reasons", "explanation")
"""What a row has in addition, where it is known."""

TIMES = ("time", "end_time")
"""When an event began and ended, last in a row, where that is known."""

JUDGED = ("verdict", "change")
"""Whether it ended, changed for good or is rising, last in a row, of a model that watches for drift."""

_NUMBERS = ("score", "peak", "peak_time", "threshold", "p_value", "severity", "alarms_per_hour")


def _parse_kind(kind: Json) -> Json:
    """Read the kind of an event.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is none.
    """
    group, probability = kind["group"], kind["probability"]
    return {
        "group": None if group in (None, "") else int(group),
        "name": str(kind.get("name") or ""),
        "probability": None if probability in (None, "") else parse_finite(probability),
    }
