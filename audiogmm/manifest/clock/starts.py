"""When a recording began, by all that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from audiogmm.errors import ManifestError
from audiogmm.manifest.clock.names import find_time_in_name
from audiogmm.manifest.clock.pattern import TimePattern
from audiogmm.manifest.entry import STANDARD_INPUT, Entry, display_name
from audiogmm.types import Seconds
from audiogmm.wall_clock import find_zone, format_time, is_absolute

AGREE: Seconds = 2.0
"""Seconds by which two sources may differ: a name is written some time before the first sample."""

_QUARTER = 900
"""Time zones differ by multiples of so many seconds."""

ReadTimes = Callable[[str, tzinfo], Mapping[str, Seconds]]
"""Opens a file and says when it was begun, by each kind of metadata."""


def read_nothing(path: str, zone: tzinfo) -> Mapping[str, Seconds]:
    """Read no metadata."""
    return {}


@dataclass(frozen=True)
class StartFinder:
    """Finds when a recording began: by a pattern, else GUANO, AudioMoth's comment, the name, BWF.

    GUANO and AudioMoth's comment name their zone; a name and BWF are in `zone`.

    Parameters
    ----------
    pattern : TimePattern, optional
        To be searched in the path, in place of the known names.
    zone : tzinfo
        Of what names none.
    read : callable
        Reads the metadata of a file (`audio.decoders.wave_times.read_wave_times`).

    Examples
    --------
    >>> StartFinder().timed(Entry("20240501_120000.WAV", offset=0.5)).time
    1714564800.5
    """

    pattern: TimePattern | None = None
    zone: tzinfo = UTC
    read: ReadTimes = read_nothing

    @classmethod
    def of(cls, pattern: str | None, zone: str | None, read: ReadTimes) -> StartFinder:
        """Make the finder that options ask for.

        Raises
        ------
        ChoiceError
            If the pattern or the zone is none.
        """
        return cls(None if pattern is None else TimePattern(pattern), find_zone(zone), read)

    def starts(self, entry: Entry) -> dict[str, Seconds]:
        """Return when the entry's file began, by each source that says so, the most reliable one first."""
        if entry.audio_filepath is None or entry.path == STANDARD_INPUT:
            return {}
        by_name = (
            find_time_in_name(entry.path, self.zone)
            if self.pattern is None
            else self.pattern.find(entry.path, self.zone)
        )
        found = dict(self.read(entry.path, self.zone))
        order: dict[str, Seconds | None] = {
            "GUANO": found.get("GUANO"),
            "AudioMoth": found.get("AudioMoth"),
            "name": by_name,
            "BWF": found.get("BWF"),
        }
        if self.pattern is not None:
            order = {"name": by_name} | order
        return {source: time for source, time in order.items() if time is not None}

    def timed(self, entry: Entry) -> Entry:
        """Return the entry with the time at which it begins, if that is found and it has none."""
        starts = {} if entry.time is not None else self.starts(entry)
        return replace(entry, time=next(iter(starts.values())) + entry.offset) if starts else entry

    def refuse_contradiction(self, entry: Entry) -> None:
        """Refuse an entry whose time, name and metadata differ by more than `AGREE`.

        Raises
        ------
        ManifestError
            With both times.
        """
        said = self.starts(entry)
        if entry.time is not None and is_absolute(entry.time):
            said = {"time in the manifest": entry.time - entry.offset} | said
        if len(said) < 2:
            return
        (first, time), *others = said.items()
        for source, other in others:
            apart = abs(other - time)
            if apart > AGREE:
                zone = apart < 15 * 3600 and min(apart % _QUARTER, -apart % _QUARTER) <= AGREE
                raise ManifestError(
                    f"{display_name(entry.path)} began at {format_time(time)} by its {first}, and at "
                    f"{format_time(other)} by its {source}: {apart:,.6g} s apart",
                    needed=f"times that differ by {AGREE:g} s at most",
                    remedy="--time-zone, if the recorder's clock shows local time"
                    if zone
                    else "correct time in the manifest, or leave it out",
                )
