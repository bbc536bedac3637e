"""Which entries are pieces of one stream, in which order, and where gaps end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from audiogmm.errors import ChoiceError
from audiogmm.manifest.entry import Entry
from audiogmm.types import Seconds
from audiogmm.words import amount

STREAM_KEY = "stream"
"""The key of a manifest that names the stream of an entry, unless another one is named."""

OVERLAP: Seconds = 0.010
"""Entries may overlap by so much: times are rounded."""

LEAST_GAP: Seconds = 60.0
"""Gaps up to this length end no window and no event."""

STEPS = 2.5
"""Nor do gaps of so many usual steps from one start to the next: snapshots may be an hour apart."""


def key_of(entry: Entry, key: str) -> str | None:
    """Return what an entry says under any key of the manifest, as text; None where it says nothing."""
    value = entry.extra.get(key)
    if value is None and key in ("speaker", "label", "channel", "id"):
        value = getattr(entry, key)
    return None if value is None else str(value)


def stream_of(entry: Entry, key: str = STREAM_KEY) -> str:
    """Return the name of an entry's stream; empty where it names none: all of those are one.

    Examples
    --------
    >>> stream_of(Entry("a.wav", extra={"site": 3}), "site"), stream_of(Entry("a.wav"))
    ('3', '')
    """
    return key_of(entry, key) or ""


@dataclass(frozen=True)
class StreamRule:
    """Which entries with a time are one stream.

    Those that say the same under `key`; those that say nothing are one stream together, unless their times
    overlap, and each stays alone. A stream is sorted by time. It ends, and another begins, at a gap of more
    than `max_gap`: by default 60 s, or 2.5 times the median step from one start to the next if that is more.
    Where entries of a named stream overlap, the later one begins or continues another part, so that nothing
    is lost and no sound counts in two windows.

    Parameters
    ----------
    key : str
        A key of the manifest.
    max_gap : Seconds, optional
        Longest gap within a stream; 0 takes each entry alone.

    Raises
    ------
    ChoiceError
        If the gap is negative, or the key empty.

    Examples
    --------
    >>> entries = [Entry("a.wav", offset=t / 10, duration=0.1, time=t) for t in (20.0, 0.0, 10.0, 500.0)]
    >>> parts = StreamRule().parts(entries, lambda entry: 0.1)
    >>> [[entry.time for entry in part] for part in parts]
    [[0.0, 10.0, 20.0], [500.0]]
    """

    key: str = STREAM_KEY
    max_gap: Seconds | None = None

    def __post_init__(self) -> None:
        if not self.key or (self.max_gap is not None and not self.max_gap >= 0):
            raise ChoiceError(
                f"stream={self.key!r}, max_gap={self.max_gap}",
                needed="a key of the manifest, and seconds of at least 0",
            )

    def parts(
        self,
        entries: Iterable[Entry],
        length: Callable[[Entry], Seconds],
        say: Callable[[str], None] = lambda _: None,
    ) -> list[list[Entry]]:
        """Divide entries with a time into streams without a long gap, each in the order of time.

        Parameters
        ----------
        entries : iterable of Entry
            All with a time.
        length : callable
            Seconds of an entry that states no duration.
        say : callable
            Takes a note where entries overlap.
        """
        by_name: dict[str, list[Entry]] = {}
        for entry in entries:
            by_name.setdefault(stream_of(entry, self.key), []).append(entry)
        found: list[list[Entry]] = []
        for name, members in by_name.items():
            members.sort(key=lambda entry: (entry.time or 0.0, entry.id))
            parts, overlaps = self._joined(members, length)
            if overlaps and not name:
                say(
                    f"{amount(overlaps, 'recording')} overlap others in time, and nothing says which are "
                    "of one recorder: each stays alone; --stream KEY names the key of the manifest that "
                    "tells them apart"
                )
                parts = [[entry] for entry in members]
            elif overlaps:
                say(
                    f"{amount(overlaps, 'recording')} of the stream {name} overlap the one before: "
                    "windows and events do not span both"
                )
            found += parts
        return found

    def _joined(
        self, members: list[Entry], length: Callable[[Entry], Seconds]
    ) -> tuple[list[list[Entry]], int]:
        """The parts of a stream that is sorted by time, and how many entries overlap an earlier one."""
        starts = [entry.time or 0.0 for entry in members]
        steps = [after - before for before, after in pairwise(starts) if after > before]
        usual = max(LEAST_GAP, STEPS * median(steps)) if steps else LEAST_GAP
        most = usual if self.max_gap is None else self.max_gap
        parts: list[list[Entry]] = []
        going: list[tuple[Seconds, list[Entry]]] = []  # the end of each part that may go on
        overlaps = 0
        latest = float("-inf")
        for start, entry in zip(starts, members, strict=True):
            end = start + (length(entry) if entry.duration is None else entry.duration)
            overlaps += start < latest - OVERLAP
            latest = max(latest, end)
            going = [(last, part) for last, part in going if start - last <= most]
            for i, (last, part) in enumerate(going):
                if self.max_gap != 0 and start >= last - OVERLAP:
                    part.append(entry)
                    going[i] = end, part
                    break
            else:
                parts.append([entry])
                going.append((end, parts[-1]))
        return parts, overlaps


BY_TIME = StreamRule()
"""The rule where nobody says otherwise."""
