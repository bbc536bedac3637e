"""Rows of events, as `detect` writes them: each is a segment of its recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from audiogmm.documents import parse_finite
from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.formats import FORMATS
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.read import Manifest
from audiogmm.types import Seconds


def read_events(manifest: Manifest) -> Manifest:
    """Return a JSONL or CSV list of events with each of them as a segment; another manifest as it is.

    Of a list of events, the first row has a `start` and an `end`, seconds.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from audiogmm.manifest.read import read_manifest
    >>> file = Path(tempfile.mkdtemp()) / "events.jsonl"
    >>> _ = file.write_text('{"audio_filepath": "a.wav", "id": "a", "start": 1.5, "end": 2.0}\\n')
    >>> [(entry.id, entry.offset, entry.duration) for entry in read_events(read_manifest(file))]
    [('a-1', 1.5, 0.5)]
    """
    if manifest.format not in ("jsonl", "csv", "nemo") or manifest.entries is not None:
        return manifest
    with suppress(ManifestError):  # an empty one; it is raised where the entries are read
        for first in islice(replace(manifest, on_error=lambda _: None), 1):
            if _times(first) is not None:
                return replace(manifest, entries=_EventLines(manifest.format, manifest.path))
    return manifest


@dataclass(frozen=True)
class _EventLines:
    format: str
    path: str

    def __iter__(self) -> Iterator[ManifestLine]:
        for count, (number, item) in enumerate(FORMATS[self.format].read(self.path), 1):
            try:
                yield number, item if isinstance(item, ManifestError) else _segment(item, count)
            except ManifestError as error:
                yield number, error


def _times(entry: Entry) -> tuple[Seconds, Seconds] | None:
    """Start and end of an event; None if the entry is none."""
    try:
        return parse_finite(str(entry.extra["start"])), parse_finite(str(entry.extra["end"]))
    except (KeyError, ValueError):
        return None


def _segment(event: Entry, count: int) -> Entry:
    times = _times(event)
    if times is None or not 0 <= times[0] < times[1]:
        start, end = event.extra.get("start"), event.extra.get("end")
        raise ManifestError(
            f"{event.source}: an event from {start} to {end}", needed="0 <= start < end, in seconds"
        )
    return replace(
        event,
        id=f"{event.id}-{count}",  # several events have the id of their recording
        offset=times[0],
        duration=round(times[1] - times[0], 9),
        label=event.label or ("anomaly" if "threshold" in event.extra else None),
        extra={"recording": event.id}
        | {key: value for key, value in event.extra.items() if key not in ("id", "start", "end")},
    )
