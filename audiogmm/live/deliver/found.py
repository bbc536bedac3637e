"""Events of recordings, on their way to the receivers of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from audiogmm.audio.decoders.notices import Warn
from audiogmm.errors import AudioGMMError
from audiogmm.live.deliver.deliveries import Deliveries
from audiogmm.live.deliver.ids import event_id
from audiogmm.live.deliver.ring import LONGEST
from audiogmm.manifest.entry import Entry
from audiogmm.types import Json, Seconds

Excerpt = Callable[[Entry, Seconds, Seconds], tuple[Any, float]]
"""Gives samples and sample rate of a recording, from one time to another."""


class FoundSender:
    """Give events their clips, and hand each to the receivers once, however often it is sent.

    Parameters
    ----------
    deliveries : Deliveries or None
        None: nothing is done.
    entries : iterable of Entry
        The recordings.
    excerpt : callable
        Reads the sound of clips.
    say : callable
        Takes notes for the user.

    Examples
    --------
    >>> FoundSender(None, [], lambda entry, start, end: ([], 1.0), print).send({"id": "a", "events": []})
    {'id': 'a', 'events': []}
    """

    def __init__(
        self, deliveries: Deliveries | None, entries: Iterable[Entry], excerpt: Excerpt, say: Warn
    ) -> None:
        self._deliveries = deliveries
        self._excerpt = excerpt
        self._say = say
        has_clips = deliveries is not None and deliveries.clips is not None
        self._entries = {entry.id: entry for entry in entries} if has_clips else {}
        self._clips: dict[str, str | None] = {}

    def send(self, row: Json) -> Json:
        """Send the events of a row of `detect`; return the row with the clips of its events."""
        if self._deliveries is None:
            return row
        events = []
        for event in row["events"]:
            line = {"type": "closed", "input": event["audio_filepath"] or event["id"], "event": event}
            id = event_id(line)
            is_new = id not in self._clips
            if is_new:
                self._clips[id] = self._write_clip(id, event)
            if (clip := self._clips[id]) is not None:
                event = {**event, "clip": clip}
            if is_new:
                self._deliveries.put({"event_id": id, **line, "event": event})
            events.append(event)
        return {**row, "events": events}

    def _write_clip(self, id: str, event: Json) -> str | None:
        entry = self._entries.get(event["id"])
        if self._deliveries is None or self._deliveries.clips is None or entry is None:
            return None
        pre_roll = self._deliveries.settings.pre_roll
        start, end = event["start"], min(event["end"], event["start"] + LONGEST)
        try:
            samples, sample_rate = self._excerpt(entry, max(entry.offset, start - pre_roll), end)
        except AudioGMMError as error:
            self._say(f"{event['id']}: no clip: {error}")
            return None
        if not len(samples):
            return None
        path = self._deliveries.clips.write(id, event, samples, round(sample_rate))
        return None if path is None else str(path)
