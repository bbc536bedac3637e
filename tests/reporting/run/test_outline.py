"""What a page shows of a long recording: the right stretches, the same however its scores arrive."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiogmm.anomaly.event import Event
from audiogmm.reporting.page.content import ReportedEvent
from audiogmm.reporting.run.outline import Outline, choose_stretches, describe_change
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(8000, 80, 200, offset=3.0)


def at(time: float, length: float = 1.0, peak: float = -70.0) -> ReportedEvent:
    return ReportedEvent(Event(None, "a", time, time + length, peak=peak, peak_time=time + length / 2))


@given(
    st.lists(st.tuples(st.floats(0, 4000), st.floats(0, 200)), max_size=12),
    st.integers(0, 5),
    st.floats(0, 100),
)
def test_stretches_lie_apart_hold_the_worst_events_and_are_bounded(
    events: list[tuple[float, float]], most: int, offset: float
) -> None:
    found = [at(offset + start, length) for start, length in events]
    stretches = choose_stretches(found, most, offset, window=20.0)
    assert len(stretches) <= most
    assert stretches == sorted(stretches)
    for (start, end), (after, _) in zip(stretches, [*stretches, (np.inf, np.inf)][1:], strict=True):
        assert offset <= start < end <= after
        assert end - start <= 60.0 + 1e-9
    if found and most:
        peak = found[0].event.peak_time
        assert peak is not None
        assert any(start <= peak <= end for start, end in stretches)


@given(st.integers(1, 900), st.lists(st.integers(0, 900), max_size=10))
def test_pieces_are_the_same_however_the_scores_arrive(n: int, cuts: list[int]) -> None:
    scores = np.random.default_rng(n).normal(-50, 5, n)
    wanted = [(2.0, 4.0), (5.0, 5.5), (100.0, 200.0)]
    whole = Outline.of(CLOCK, wanted)
    whole.push(scores)
    cut = Outline.of(CLOCK, wanted)
    bounds = sorted({0, n, *(c for c in cuts if c < n)})
    for first, last in pairwise(bounds):
        cut.push(scores[first:last])
    for one, other in zip(whole.pieces, cut.pieces, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(whole.strip.low, cut.strip.low)
    assert whole.seconds == cut.seconds == CLOCK.end(n - 1) - 3.0
    np.testing.assert_array_equal(whole.pieces[0].values, scores[:100])
    np.testing.assert_array_equal(whole.pieces[1].values, scores[200:250])
    assert not len(whole.pieces[2].values)


def test_a_change_is_told_and_rounding_is_not() -> None:
    outline = Outline.of(CLOCK, [(3.0, 8.0)])
    scores = np.full(500, -50.0)
    scores[120] = -70.0
    outline.push(scores)
    time = CLOCK.center(120)
    event = Event(None, "a", time - 0.5, time + 0.5, peak=-70.0, peak_time=time)
    assert describe_change([ReportedEvent(event)], outline.pieces, CLOCK, 8.0) == ""
    near = Event(None, "a", time - 0.5, time + 0.5, peak=-70.00001, peak_time=time)
    assert describe_change([ReportedEvent(near)], outline.pieces, CLOCK, 8.0) == ""
    other = Event(None, "a", time - 0.5, time + 0.5, peak=-71.0, peak_time=time)
    told = describe_change([ReportedEvent(other)], outline.pieces, CLOCK, 8.0)
    assert "it scored -71.00 nats then, and scores -70.00 now" in told
    assert "beyond its end at 1.00 s" in describe_change([ReportedEvent(event)], outline.pieces, CLOCK, 1.0)
    unknown = Event(None, "a", time - 0.5, time + 0.5)
    assert describe_change([ReportedEvent(unknown)], outline.pieces, CLOCK, 8.0) == ""
