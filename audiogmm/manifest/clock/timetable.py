"""How the entries of a manifest follow one another: gaps, overlaps, and steps back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from audiogmm.manifest.clock.streams import STREAM_KEY, stream_of
from audiogmm.manifest.entry import Entry
from audiogmm.types import Json, Seconds
from audiogmm.wall_clock import format_time
from audiogmm.words import amount

SLACK: Seconds = 0.010
"""Entries that are less apart, or overlap by less, follow one another."""


@dataclass
class Timetable:
    """Takes the entries of a manifest in their order, and says how they follow; 40 bytes an entry.

    Parameters
    ----------
    key : str
        Of the manifest, which names the stream of an entry.

    Examples
    --------
    >>> seen = Timetable()
    >>> for start in (0.0, 10.0, 30.0):
    ...     seen.add(Entry("a.wav", offset=start, duration=10.0, time=start))
    >>> seen.summary()["gaps"], seen.summary()["longest_gap"]
    (1, 10.0)
    """

    key: str = STREAM_KEY
    timed: int = 0
    untimed: int = 0
    back: int = 0
    first_back: str = ""
    _pieces: dict[str, list[tuple[Seconds, Seconds, str]]] = field(default_factory=dict)
    _last: dict[str, Seconds] = field(default_factory=dict)

    def add(self, entry: Entry, length: Seconds | None = None) -> None:
        """Take the next entry; `length` is that of its file, for one without a duration."""
        if entry.time is None:
            self.untimed += 1
            return
        self.timed += 1
        name = stream_of(entry, self.key)
        if entry.time < self._last.get(name, entry.time):
            self.back += 1
            self.first_back = self.first_back or entry.id
        self._last[name] = entry.time
        duration = entry.duration or max(0.0, (length or 0.0) - entry.offset)
        self._pieces.setdefault(name, []).append((entry.time, entry.time + duration, entry.id))

    def _found(self) -> tuple[list[tuple[Seconds, str]], list[tuple[Seconds, str]]]:
        gaps, overlaps = [], []
        for pieces in self._pieces.values():
            pieces.sort()
            end = pieces[0][1]
            for start, stop, id in pieces[1:]:
                if start > end + SLACK:
                    gaps.append((start - end, id))
                elif start < end - SLACK:
                    overlaps.append((end - start, id))
                end = max(end, stop)
        return gaps, overlaps

    def summary(self) -> Json:
        """Return what `--json` prints of it."""
        gaps, overlaps = self._found()
        ends = [(pieces[0][0], max(stop for _, stop, _ in pieces)) for pieces in self._pieces.values()]
        return {
            "timed": self.timed,
            "untimed": self.untimed,
            "streams": len(self._pieces),
            "first": format_time(min(start for start, _ in ends)) if ends else None,
            "last": format_time(max(stop for _, stop in ends)) if ends else None,
            "gaps": len(gaps),
            "longest_gap": round(max(gaps)[0], 3) if gaps else None,
            "overlaps": len(overlaps),
            "out_of_order": self.back,
        }

    def lines(self) -> Iterator[str]:
        """Yield what a person should know; nothing where no entry has a time."""
        if not self.timed:
            return
        found = self.summary()
        yield f"times: {found['first']} to {found['last']}, {amount(found['streams'], 'stream')}"
        gaps, overlaps = self._found()
        if gaps:
            longest, id = max(gaps)
            yield f"{amount(len(gaps), 'gap')} between entries, the longest of {longest:,.6g} s before {id}"
        if overlaps:
            longest, id = max(overlaps)
            yield (
                f"{amount(len(overlaps), 'entry', 'entries')} overlap others, {id} by {longest:,.6g} s; "
                "where several recorders are meant, name the key that tells them apart: --stream KEY"
            )
        if self.back:
            yield (
                f"{amount(self.back, 'entry', 'entries')} precede the line above, {self.first_back} first: "
                "streams are sorted by time"
            )
        if self.untimed:
            yield f"{amount(self.untimed, 'entry', 'entries')} without a time"
