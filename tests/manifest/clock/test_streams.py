"""Which entries are one stream, and where it ends."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.manifest.clock.streams import StreamRule
from audiogmm.manifest.entry import Entry


def entry(time: float, duration: float | None = 0.1, **extra: object) -> Entry:
    id = f"{time}-{extra.get('site', '')}-{extra.get('n', '')}"
    return Entry("a.wav", id=id, duration=duration, time=time, extra=extra)


def times(entries: list[Entry], **rule: object) -> list[list[float | None]]:
    return [[one.time for one in part] for part in StreamRule(**rule).parts(entries, lambda _: 5.0)]


def test_snapshots_are_one_stream_and_a_long_gap_ends_it() -> None:
    found = [entry(10.0 * i) for i in range(5)] + [entry(200.0 + 10 * i) for i in range(3)]
    assert times(found) == [[0, 10, 20, 30, 40], [200, 210, 220]]
    assert times(found, max_gap=200.0) == [[0, 10, 20, 30, 40, 200, 210, 220]]
    assert times(found, max_gap=0.0) == [[one.time] for one in found]


def test_the_usual_step_says_what_a_long_gap_is() -> None:
    hourly = [entry(3600.0 * i) for i in range(6)]
    assert len(times(hourly)) == 1
    assert times([*hourly, entry(3600.0 * 9)])[-1] == [3600.0 * 9]


def test_the_order_of_the_lines_does_not_matter() -> None:
    found = [entry(10.0 * i) for i in range(20)]
    shuffled = random.Random(0).sample(found, 20)
    assert times(shuffled) == times(found)


def test_recorders_without_a_name_whose_times_overlap_stay_alone_and_that_is_said() -> None:
    found = [entry(10.0 * i, n=n) for i in range(3) for n in "ab"]
    notes: list[str] = []
    parts = StreamRule().parts(found, lambda _: 0.1, notes.append)
    assert [len(part) for part in parts] == [1] * 6
    assert len(notes) == 1
    assert "3 recordings overlap" in notes[0]
    assert "--stream KEY" in notes[0]


def test_a_key_tells_streams_apart() -> None:
    found = [entry(10.0 * i, site=site) for i in range(3) for site in ("near", 7)]
    assert times(found, key="site") == [[0, 10, 20], [0, 10, 20]]


def test_an_hour_that_the_clock_showed_twice_is_lost_in_neither_half() -> None:
    day = [entry(60.0 * i, 60.0, stream="a", n=1) for i in range(4)]
    again = [entry(60.0 * i, 60.0, stream="a", n=2) for i in range(2, 4)]
    notes: list[str] = []
    parts = StreamRule().parts([*day, *again], lambda _: 0.1, notes.append)
    assert sorted(len(part) for part in parts) == [2, 4]
    assert "2 recordings of the stream a overlap" in notes[0]
    for part in parts:
        assert all(b.time >= a.time + 60 for a, b in pairwise(part))


def test_an_entry_without_a_duration_is_as_long_as_its_file() -> None:
    found = [entry(0.0, None), entry(64.0, None), entry(66.0, None)]
    notes: list[str] = []
    assert [len(p) for p in StreamRule(key="site").parts(found, lambda _: 5.0, notes.append)] == [1, 1, 1]
    assert len(StreamRule().parts(found[:2], lambda _: 5.0)) == 1


def test_a_rule_that_is_none_is_refused() -> None:
    for rule in ({"max_gap": -1.0}, {"key": ""}):
        with pytest.raises(ChoiceError, match="seconds of at least 0"):
            StreamRule(**rule)
