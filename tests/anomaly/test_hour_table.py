"""Events and sound by hour of day and by day, by the clocks of a zone."""

from __future__ import annotations

import pytest

from audiogmm.anomaly.hour_table import HourTable
from audiogmm.wall_clock import find_zone, parse_time


def test_sound_is_divided_at_the_hours_and_days_of_the_zone() -> None:
    table = HourTable(find_zone("Asia/Kolkata"))  # half an hour off
    table.add_sound(parse_time("2024-05-01T18:00:00Z"), 3600.0)  # 23:30 to 00:30 there
    assert table.rows(by_day=False) == [("00", 0, 0.5), ("23", 0, 0.5)]
    assert table.rows(by_day=True) == [("2024-05-01", 0, 0.5), ("2024-05-02", 0, 0.5)]


@pytest.mark.parametrize(("day", "hours", "two"), [("2024-03-31", 23.0, 0.0), ("2024-10-27", 25.0, 2.0)])
def test_a_night_in_which_the_clocks_change(day: str, hours: float, two: float) -> None:
    table = HourTable(find_zone("Europe/Berlin"))
    table.add_sound(parse_time(f"{day}T00:00:00", find_zone("Europe/Berlin")), hours * 3600)
    assert table.rows(by_day=True) == [(day, 0, hours)]
    assert {name: seen for name, _, seen in table.rows(by_day=False)}.get("02", 0.0) == two


def test_events_an_hour() -> None:
    table = HourTable()
    noon = parse_time("2024-05-01T12:00:00Z")
    for start in range(4):
        table.add_sound(noon + 900 * start, 360.0)
    for minute in (1, 2, 16):
        table.add_event(noon + 60 * minute)
    row = table.summary()["by_hour"]["12"]
    assert (row["events"], row["hours"], row["events_per_hour"]) == (3, 0.4, 7.5)


def test_relative_times_have_days_and_no_hour_of_day() -> None:
    table = HourTable()
    table.add_sound(86390.0, 20.0)
    table.add_event(86395.0)
    assert table.rows(by_day=False) == []
    assert [(name, n) for name, n, _ in table.rows(by_day=True)] == [("day 0", 1), ("day 1", 0)]


def test_an_event_where_no_sound_is_known_has_no_rate() -> None:
    table = HourTable()
    table.add_event(parse_time("2024-05-01T12:00:00Z"))
    assert table.summary()["by_hour"]["12"]["events_per_hour"] is None
