"""The figures of an event: how rare it is in normal audio, in words that fit audio and tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audiogmm.reporting.page.content import DetectorSummary
from audiogmm.reporting.page.events import figures
from tests.reporting.page.pages import DETECTOR, found
from tests.reporting.page.reader import Reader

TABLE = DetectorSummary(-60.0, normal_seconds=500.0, unit="")


@pytest.mark.parametrize(
    ("per_hour", "detector", "said"),
    [
        (0.4, DETECTOR, "no normal event like it in 2.50 h (fewer than 0.4 an hour)"),
        (0.8, DETECTOR, "1 normal event like it in 2.50 h (0.8 an hour)"),
        (4000.0, DETECTOR, "9,999 normal events like it in 2.50 h (4,000 an hour)"),
        (
            24.0,
            replace(DETECTOR, normal_seconds=150.0),
            "no normal event like it in 2.5 min (fewer than 24",
        ),
        (24.0, replace(DETECTOR, normal_seconds=0.0), "at most 24 normal events like it an hour"),
        (7.2, TABLE, "no normal event like it in 500 rows"),
        (14.4, TABLE, "1 normal event like it in 500 rows"),
        (21.6, TABLE, "2 normal events like it in 500 rows"),
    ],
)
def test_how_rare_an_event_is(per_hour: float, detector: DetectorSummary, said: str) -> None:
    one = found("a", 1.0, -70.0, clip=None)
    one = replace(one, event=replace(one.event, alarms_per_hour=per_hour))
    text = Reader(figures(one, detector)).text
    assert said in text
    assert "10.0 nats below the threshold" in text and "p 0.01" in text
