"""Events that span recordings of a stream count in each recording that they reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

import audiogmm as ag
from audiogmm.anomaly.event import Event
from audiogmm.evaluation.detection.events import gather_events
from audiogmm.manifest.entry import Entry
from audiogmm.runs.aside import Aside
from audiogmm.timeline import Segment


def snapshots(n: int, **extra: object) -> list[Entry]:
    return [
        Entry(
            "a.wav",
            id=f"{extra.get('site', 's')}{i}",
            offset=2.0 * i,
            duration=2.0,
            time=10.0 * i,
            extra=extra,
        )
        for i in range(n)
    ]


def spanning(id: str = "s1") -> Event:
    """From the middle of the second recording to the middle of the fourth one."""
    return Event("a.wav", id, 3.0, 23.0, time=11.0, end_time=31.0)


def test_each_recording_has_its_part() -> None:
    found = gather_events([spanning()], Aside())
    found.spread(snapshots(6), "stream")
    assert {id: [(s.start, s.end) for s in part] for id, part in found.of.items() if part} == {
        "s1": [(3.0, 4.0)],
        "s2": [(4.0, 6.0)],
        "s3": [(6.0, 7.0)],
    }


def test_other_streams_have_none_of_it() -> None:
    found = gather_events([spanning("a1")], Aside())
    found.spread([*snapshots(6, site="a"), *snapshots(6, site="b")], "site")
    assert {id for id, part in found.of.items() if part} == {"a1", "a2", "a3"}


def test_an_event_within_its_recording_stays_as_it_is() -> None:
    found = gather_events([Event("a.wav", "s1", 3.0, 4.005, time=11.0, end_time=12.005)], Aside())
    found.spread(snapshots(6), "stream")
    assert found.of == {"s1": [Segment(3.0, 4.005)]}


def test_the_figures_of_events_are_those_of_each_recording() -> None:
    truth = {1: (3.0, 4.0), 2: (4.0, 6.0), 3: (6.0, 7.0)}
    entries = [
        replace(entry, events=(Segment(*truth[i]),)) if i in truth else replace(entry, label="normal")
        for i, entry in enumerate(snapshots(6))
    ]
    detected = ag.evaluate_detect([spanning()], entries).detected
    assert detected.event.f1.value == pytest.approx(1.0)
    assert detected.false_alarms.n == 0
