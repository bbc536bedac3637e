"""The events that were found, by recording."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import read_events
from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.evaluation.detection.truth import SLACK
from audiogmm.manifest.clock.streams import stream_of
from audiogmm.manifest.entry import Entry
from audiogmm.runs.aside import Aside
from audiogmm.timeline import Segment

Events = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Iterable[Event]
"""A file of events, several files, or the events themselves."""


@dataclass
class FoundEvents:
    """The events found in each recording."""

    of: dict[str, list[Segment]] = field(default_factory=dict)  # by the recording's id
    files: tuple[str, ...] = ()  # the files that were read
    n_repeated: int = 0  # events that repeat an earlier line; they count once
    timed: list[Event] = field(default_factory=list)  # those that have a time

    @property
    def n_events(self) -> int:
        """Number of events."""
        return sum(map(len, self.of.values()))

    def spread(self, entries: Iterable[Entry], key: str) -> None:
        """Divide events that reach beyond their recording among the recordings of its stream.

        A recording has the part that lies in it, on its own clock; gaps have none.

        Parameters
        ----------
        entries : iterable of Entry
            The recordings, with their times.
        key : str
            Of the manifest, which names their streams.
        """
        streams: dict[str, list[Entry]] = {}
        by_id: dict[str, Entry] = {}
        for entry in entries:
            if entry.time is not None:
                streams.setdefault(stream_of(entry, key), []).append(entry)
                by_id[entry.id] = entry
        for members in streams.values():
            members.sort(key=lambda entry: entry.time or 0.0)
        for event in self.timed:
            first = by_id.get(event.id)
            if first is None or first.end is None or event.end <= first.end + SLACK:
                continue
            self.of[event.id].remove(event.segment)
            members = streams[stream_of(first, key)]
            start, end = event.time or 0.0, event.end_time or 0.0
            place = bisect_left(members, first.time or 0.0, key=lambda entry: entry.time or 0.0)
            for entry in islice(members, place, None):
                began = entry.time or 0.0
                if began >= end:
                    break
                last = end if entry.duration is None else min(end, began + entry.duration)
                if last > max(began, start):
                    inside = Segment(entry.offset + max(0.0, start - began), entry.offset + last - began)
                    self.of.setdefault(entry.id, []).append(inside)


def gather_events(events: Events, aside: Aside) -> FoundEvents:
    """Gather events by recording; one whose times are impossible is set aside.

    Raises
    ------
    ManifestError, ChoiceError
        If a file holds no events.

    Examples
    --------
    >>> events = [Event("a.wav", "a", 1.0, 2.0), Event("a.wav", "a", 1.0, 2.0), Event("b.wav", "b", 3.0, 1.0)]
    >>> aside = Aside()
    >>> found = gather_events(events, aside)
    >>> found.of, found.n_repeated, [row.id for row in aside.rows]
    ({'a': [Segment(start=1.0, end=2.0)]}, 1, ['b'])
    """
    found = FoundEvents()
    seen: set[tuple[str, Segment]] = set()
    for path, event in _read(events):
        if path and path not in found.files:
            found.files += (path,)
        if event is None:
            continue
        try:
            segment = event.segment
        except AudioGMMError as error:
            wrong = ManifestError(f"an event is {error}", remedy="remove it")
            aside.put(event.id, path or event.audio_filepath or "", wrong)
            continue
        if (event.id, segment) in seen:
            found.n_repeated += 1
            continue
        seen.add((event.id, segment))
        found.of.setdefault(event.id, []).append(segment)
        if event.time is not None and event.end_time is not None:
            found.timed.append(event)
    return found


def _read(events: Events) -> Iterator[tuple[str, Event | None]]:
    """Each event with its file; a file once without, so that an empty one is known."""
    for source in [events] if isinstance(events, (str, os.PathLike)) else events:
        if isinstance(source, Event):
            yield "", source
            continue
        yield os.fspath(source), None
        for event in read_events(Path(source)):
            yield os.fspath(source), event
