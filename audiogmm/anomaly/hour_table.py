"""How many events there are by hour of day and by day, beside how much sound there is of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from audiogmm.types import Json, Seconds
from audiogmm.wall_clock import is_absolute, local_time

DAY, HOUR = 86400, 3600


@dataclass
class HourTable:
    """Counts events, and the seconds of sound among which they are, by hour of day and by day.

    Days and hours are those of a time zone; an hour that the clock showed twice counts both. Times since a
    start without a name have days, counted from 0, and no hour of day.

    Parameters
    ----------
    zone : tzinfo
        Whose clocks count.

    Examples
    --------
    >>> table = HourTable()
    >>> table.add_sound(1714564800.0, 5400.0)
    >>> table.add_event(1714564800.0 + 60)
    >>> table.summary()["by_day"]
    {'2024-05-01': {'events': 1, 'hours': 1.5, 'events_per_hour': 0.667}}
    >>> [(hour, row["hours"]) for hour, row in table.summary()["by_hour"].items()]
    [('12', 1.0), ('13', 0.5)]
    """

    zone: tzinfo = UTC
    events: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, Seconds] = field(default_factory=dict)

    def add_event(self, time: Seconds) -> None:
        """Count an event that begins at a time, as `audiogmm.wall_clock` has it."""
        for place in self._places(time)[0]:
            self.events[place] = self.events.get(place, 0) + 1

    def add_sound(self, time: Seconds, seconds: Seconds) -> None:
        """Count so many seconds of sound from a time on."""
        while seconds > 0:
            places, left = self._places(time)
            step = min(seconds, left)
            for place in places:
                self.seconds[place] = self.seconds.get(place, 0.0) + step
            time, seconds = time + step, seconds - step

    def _places(self, time: Seconds) -> tuple[tuple[str, ...], Seconds]:
        """The day and the hour of a time, and how long they last from there."""
        if not is_absolute(time):
            return (f"day {int(time // DAY)}",), DAY - time % DAY
        local = local_time(time, self.zone)
        left = HOUR - (60 * local.minute + local.second + local.microsecond / 1e6)
        return (f"{local:%Y-%m-%d}", f"{local:%H}"), max(left, 1e-6)

    def rows(self, *, by_day: bool) -> list[tuple[str, int, float]]:
        """Return the days, or the hours of day, in order, with their events and their hours of sound."""
        names = sorted(
            {name for name in (*self.events, *self.seconds) if (len(name) > 2) == by_day},
            key=lambda name: (len(name), name),
        )
        return [(name, self.events.get(name, 0), self.seconds.get(name, 0.0) / HOUR) for name in names]

    def summary(self) -> Json:
        """Return what `--json` prints: by hour of day, and by day."""
        return {
            "zone": str(self.zone),
            **{
                name: {
                    place: {
                        "events": n,
                        "hours": round(hours, 6),
                        "events_per_hour": round(n / hours, 3) if hours else None,
                    }
                    for place, n, hours in self.rows(by_day=name == "by_day")
                }
                for name in ("by_hour", "by_day")
            },
        }
