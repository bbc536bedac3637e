"""Times in names of files, and patterns of one's own."""

from __future__ import annotations

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.manifest.clock.names import find_time_in_name
from audiogmm.manifest.clock.pattern import TimePattern
from audiogmm.wall_clock import find_zone, format_time

NOON = 1714564800.0


@pytest.mark.parametrize(
    "name",
    [
        "20240501_120000.WAV",
        "20240501_120000T.WAV",
        "a/b/SMU01234_20240501_120000.wav",
        "S4A01234_0_20240501$120000.wav",
        "2024-05-01T12-00-00.wav",
        "2024-05-01T12:00:00Z.flac",
        "mic3_2024-05-01_14.00.00+02:00.ogg",
        "20240501120000.mp3",
        "20240501T140000+0200.wav",
        "zip://20240501_120000.wav::/data/20200101_000000.zip",
    ],
)
def test_recorders_names(name: str) -> None:
    assert find_time_in_name(name) == NOON


def test_milliseconds_and_hexadecimal_seconds() -> None:
    assert find_time_in_name("X_20240501_120000_250.wav") == NOON + 0.25
    assert find_time_in_name("5CC0A3B0.WAV") == 0x5CC0A3B0


@pytest.mark.parametrize(
    "name",
    [
        "20249901_120000.WAV",
        "20240230_120000.WAV",
        "20240501_250000.WAV",
        "19700101_000000.WAV",
        "20240501.wav",
        "12345678.wav",
        "DEADBEEF.wav",
        "take_1202405011200001.wav",
        "20240501_120000/a.wav",
        "a.wav",
        "",
    ],
)
def test_a_name_whose_digits_are_no_date_has_no_time(name: str) -> None:
    assert find_time_in_name(name) is None


def test_a_zone_moves_names_that_have_none() -> None:
    berlin = find_zone("Europe/Berlin")
    assert find_time_in_name("20240501_140000.WAV", berlin) == NOON
    assert find_time_in_name("20240501_120000Z.WAV", berlin) == NOON


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("%Y-%m-%d/%H%M%S", "/site/2024-05-01/120000.wav"),
        ("%d.%m.%y %Hh%M", "Ann 01.05.24 12h00.wav"),
        ("%s", "mic_1714564800.wav"),
        ("%Y/%j/%H", "2024/122/12/x.wav"),
        ("%d%b%Y_%H%M%S%z", "01May2024_140000+0200.wav"),
    ],
)
def test_patterns(pattern: str, path: str) -> None:
    found = TimePattern(pattern).find(path)
    assert found is not None
    assert format_time(found) == "2024-05-01T12:00:00.000Z"


def test_a_pattern_that_does_not_fit_finds_nothing() -> None:
    pattern = TimePattern("%Y%m%d_%H%M%S")
    assert pattern.find("a.wav") is None
    assert pattern.find("20241301_120000.wav") is None


@pytest.mark.parametrize(
    ("pattern", "word"), [("%Y%m%d_%Q", "%Q"), ("%H%M%S", "no whole date"), ("", "no whole")]
)
def test_a_pattern_without_a_date_is_refused(pattern: str, word: str) -> None:
    with pytest.raises(ChoiceError, match=word):
        TimePattern(pattern)
