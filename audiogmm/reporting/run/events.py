"""The events of a run, read in bounded memory: the most severe ones, and those of chosen recordings."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from audiogmm.anomaly.event import OPTIONAL, REQUIRED, Event
from audiogmm.anomaly.formats import FORMATS, format_of, read_events
from audiogmm.errors import ManifestError
from audiogmm.reading import reading
from audiogmm.reporting.page.content import ReportedEvent

FURTHER = 6
"""Most keys of an event that audiogmm does not know and a page shows."""

LONGEST = 200
"""Most characters of the text of such a key."""

_OURS = frozenset((*REQUIRED, *OPTIONAL))


@dataclass(frozen=True)
class SevereRecording:
    """A recording and its most severe event."""

    id: str
    found: ReportedEvent
    n_events: int  # number of events in the recording


@dataclass
class RunEvents:
    """The file of events in figures, and the most severe of its events."""

    n_events: int = 0  # number of events, and of recordings with an event
    n_recordings: int = 0
    seconds: float = 0.0  # total length of the events
    severest: list[ReportedEvent] = field(default_factory=list)  # the most severe first
    worst: list[SevereRecording] = field(default_factory=list)  # the recording of the most severe event first


class _Later:
    """Reverses the order: `heapq` removes the smallest, and here the mildest is to be removed."""

    __slots__ = ("value",)

    def __init__(self, value: tuple[Any, ...]) -> None:
        self.value = value

    def __lt__(self, other: _Later) -> bool:
        return other.value < self.value


class MostSevere:
    """Collection of the `most` values of lowest rank; equal ranks are in order of arrival."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._heap: list[tuple[_Later, Any]] = []
        self._n = 0

    def put(self, rank: tuple[Any, ...], value: Any) -> None:
        """Add a value, if it is among them so far."""
        self._n += 1
        entry = (_Later((*rank, self._n)), value)
        if len(self._heap) < self.most:
            heapq.heappush(self._heap, entry)
        elif self.most:
            heapq.heappushpop(self._heap, entry)

    def values(self) -> list[Any]:
        """Return the values, that of lowest rank first."""
        return [value for _, value in sorted(self._heap, key=lambda entry: entry[0].value)]


def iterate_events(path: Path) -> Iterator[ReportedEvent]:
    """Read the events of a file one at a time, with all their keys.

    Raises
    ------
    ChoiceError
        If the format is unknown.
    ManifestError
        If the file is missing, or a line is not an event.
    """
    if format_of(path) is not FORMATS["jsonl"]:
        for event in read_events(path):
            yield ReportedEvent(event, _finite(getattr(event, "severity", None)))
        return
    with (
        reading(path, ManifestError, needed="a file of events in UTF-8", remedy="run detect again"),
        path.open(encoding="utf-8") as file,
    ):
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _found(line, f"{path}:{number}")


def summarize_events(path: Path, most_events: int, most_recordings: int) -> RunEvents:
    """Count the events of a file, and find the most severe ones, in one pass.

    Memory holds the `most_events` and `most_recordings` most severe ones, however long the file is. Events of
    a recording follow each other, as `detect` writes them; a recording that appears again counts again in
    `n_recordings`, and only there.
    """
    run = RunEvents()
    events = MostSevere(most_events)
    recordings: dict[str, SevereRecording] = {}
    for id, group in groupby(iterate_events(path), key=lambda found: found.event.id):
        run.n_recordings += 1
        worst: ReportedEvent | None = None
        n = 0
        for found in group:
            n += 1
            run.seconds += found.event.end - found.event.start
            events.put(found.rank, found)
            if worst is None or found.rank < worst.rank:
                worst = found
        assert worst is not None
        run.n_events += n
        earlier = recordings.get(id)
        if earlier is not None:
            worst = min(worst, earlier.found, key=lambda found: found.rank)
            n += earlier.n_events
        recordings[id] = SevereRecording(id, worst, n)
        if len(recordings) > 2 * most_recordings + 64:
            recordings = _first(recordings, most_recordings)
    run.severest = events.values()
    run.worst = list(_first(recordings, most_recordings).values())
    return run


def _first(recordings: Mapping[str, SevereRecording], most: int) -> dict[str, SevereRecording]:
    """Return the most severe of them, in order."""
    ranked = sorted(recordings.values(), key=lambda worst: worst.found.rank)
    return {worst.id: worst for worst in ranked[:most]}


def collect_events(path: Path, ids: set[str], most: int) -> dict[str, tuple[int, list[ReportedEvent]]]:
    """Collect the events of some recordings.

    Parameters
    ----------
    path : Path
    ids : set of str
        Ids of the recordings.
    most : int
        Events kept of each, the most severe ones.

    Returns
    -------
    dict
        For each recording the number of its events, and those kept, the most severe first.
    """
    kept = {id: MostSevere(most) for id in ids}
    counts = dict.fromkeys(ids, 0)
    for found in iterate_events(path):
        id = found.event.id
        if id in kept:
            counts[id] += 1
            kept[id].put(found.rank, found)
    return {id: (counts[id], kept[id].values()) for id in ids}


def _found(line: str, where: str) -> ReportedEvent:
    needed, again = "a line of events as `audiogmm detect` writes them", "run detect again"
    place = f"{where}: {line.strip()[:200]!r}"
    with reading(place, ManifestError, needed=needed, remedy=again, what="is not an event"):
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("not an object")
        row = {_whole(key): _whole(value) for key, value in row.items()}
        event = Event.from_dict(row)
        severity = _finite(row.get("severity"))
        if not (math.isfinite(event.start) and math.isfinite(event.end) and event.end >= event.start):
            raise ValueError(f"from {event.start} s to {event.end} s")
        return ReportedEvent(event, severity, _further(row))


def _further(row: Mapping[str, Any]) -> dict[str, str | float]:
    """Return the keys of an event that audiogmm does not know, with a number or a short text."""
    said: dict[str, str | float] = {}
    for key, value in row.items():
        if key in _OURS or isinstance(value, bool) or not isinstance(value, (str, int, float)):
            continue
        said[str(key)[:40]] = value[:LONGEST] if isinstance(value, str) else float(value)
        if len(said) == FURTHER:
            break
    return said


def _whole(value: Any) -> Any:
    """Return a value that can be written and compared: without NaN and infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None
