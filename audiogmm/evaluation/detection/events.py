"""The events that were found, by recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import read_events
from audiogmm.errors import AudioGMMError, ManifestError
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

    @property
    def n_events(self) -> int:
        """Number of events."""
        return sum(map(len, self.of.values()))


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
