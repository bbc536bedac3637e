"""Times of day: read with their zone, written in UTC, refused where they are none."""

from __future__ import annotations

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.wall_clock import exact_time, find_zone, format_time, local_time, parse_time

NOON = 1714564800.0
"""2024-05-01T12:00:00Z."""


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01T14:00+02:00",
        "20240501T120000Z",
        "2024-05-01 12:00:00.000+0000",
        NOON,
        "1714564800",
    ],
)
def test_one_moment_is_one_number(text: object) -> None:
    assert parse_time(text) == NOON
    assert format_time(parse_time(text)) == "2024-05-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ("2024-05-01T12:00:00", "no time zone"),
        ("2024-02-30T12:00:00Z", "is no time"),
        ("1970-01-01T00:00:10Z", "not set"),
        (1714564800000, "milliseconds"),
        (-1, "below 0"),
        (float("nan"), "no number"),
        (True, "is no time"),
        ([1], "is no time"),
        ("noon", "is no time"),
        ("0001-01-01T00:00:00+14:00", "not set"),
    ],
)
def test_what_is_no_time_says_why(bad: object, word: str) -> None:
    with pytest.raises(ValueError, match=word) as raised:
        parse_time(bad)
    assert "; needed: ISO 8601 with a zone" in str(raised.value)


def test_a_zone_is_used_where_a_text_names_none() -> None:
    berlin = find_zone("Europe/Berlin")
    assert parse_time("2024-05-01T14:00:00", berlin) == NOON == parse_time("2024-05-01T12:00:00Z", berlin)
    with pytest.raises(ChoiceError, match="Mars"):
        find_zone("Mars/Olympus")


def test_a_night_in_which_the_zone_changes_has_the_hours_that_passed() -> None:
    berlin = find_zone("Europe/Berlin")
    before = parse_time("2024-10-27T02:30:00+02:00")
    after = parse_time("2024-10-27T02:30:00+01:00")
    assert after - before == 3600
    assert local_time(before, berlin).hour == local_time(after, berlin).hour == 2


def test_the_exact_time_reads_as_itself() -> None:
    for time in (0.0, 12.3456789012, NOON, NOON + 0.25, NOON + 1 / 3):
        assert parse_time(exact_time(time)) == time
