"""Events against true ones: by the naive twins, and by sed_eval's own figures."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection.event_figures import rates
from audiogmm.evaluation.detection.matching import (
    Collars,
    active,
    covered,
    delays,
    n_matched,
    n_segments,
    touching,
    union,
)
from audiogmm.timeline import Segment
from tests.naive import detection as naive

DURATION = 10.0


def segments(most: int) -> st.SearchStrategy[list[Segment]]:
    """Events inside ten seconds, on a grid of 0.05 s so that ends meet and collars are hit exactly."""
    one = st.tuples(st.integers(0, 190), st.integers(1, 60)).map(
        lambda t: Segment(t[0] / 20, min(t[0] + t[1], 200) / 20)
    )
    return st.lists(one, max_size=most)


collars = st.builds(Collars, st.sampled_from([0.05, 0.2, 0.5, 1.0]), st.sampled_from([0.0, 0.2, 0.5, 1.0]))


@settings(max_examples=150)
@given(found=segments(6), truth=segments(5), near=collars, offsets=st.booleans())
def test_as_many_pairs_are_made_as_can_be(
    found: list[Segment], truth: list[Segment], near: Collars, offsets: bool
) -> None:
    expected = naive.most_pairs(found, truth, near.collar, near.offset_share, offsets)
    assert n_matched(found, truth, near, offsets=offsets) == expected


def test_a_greedy_matching_would_pair_one_less() -> None:
    truth = [Segment(1.0, 2.0), Segment(1.4, 2.4)]
    for found in ([Segment(1.3, 2.3), Segment(1.8, 2.6)], [Segment(1.8, 2.6), Segment(1.3, 2.3)]):
        assert n_matched(found, truth, Collars(0.5)) == 2
        assert n_matched(found, truth[::-1], Collars(0.5)) == 2


def test_an_event_is_paired_once() -> None:
    assert n_matched([Segment(1, 2)] * 3, [Segment(1, 2)], Collars()) == 1
    assert n_matched([Segment(1, 2)], [Segment(1, 2)] * 3, Collars()) == 1
    assert n_matched([], [Segment(1, 2)], Collars()) == n_matched([Segment(1, 2)], [], Collars()) == 0


def test_the_offset_may_be_off_by_a_share_of_the_true_event() -> None:
    truth = [Segment(1.0, 9.0)]
    late, later = [Segment(1.0, 5.0)], [Segment(1.0, 4.9)]
    assert [n_matched(found, truth, Collars(0.5, 0.5)) for found in (late, later)] == [1, 0]
    assert n_matched(late, truth, Collars(0.5, 0.4)) == 0
    assert n_matched(later, truth, Collars(0.5, 0.4), offsets=False) == 1


@pytest.mark.parametrize(
    ("collar", "share", "words"),
    [
        (0.0, 0.5, "a collar of 0.0 s"),
        (math.inf, 0.5, "a collar of inf s"),
        (0.5, 1.1, "offset share of 1.1"),
    ],
)
def test_collars_out_of_range_are_refused(collar: float, share: float, words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        Collars(collar, share)


@settings(max_examples=60)
@given(events=segments(6), length=st.sampled_from([0.25, 1.0, 3.0]))
def test_a_segment_is_active_if_an_event_reaches_into_it(events: list[Segment], length: float) -> None:
    n = n_segments(DURATION, length)
    assert active(events, n, length).tolist() == naive.active(events, n, length)
    moved = [Segment(e.start + 7, e.end + 7) for e in events]
    assert active(moved, n, length, start=7.0).tolist() == naive.active(events, n, length)


def test_what_reaches_past_the_recording_is_cut() -> None:
    assert active([Segment(2.5, 9.0), Segment(0.0, 0.5)], 4, 1.0).tolist() == [True, False, True, True]
    assert active([Segment(0.0, 3.0)], 2, 1.0, start=2.0).tolist() == [True, False]
    assert n_segments(10.0000001, 1.0) == 10


@settings(max_examples=60)
@given(events=segments(6), edges=st.lists(st.integers(0, 200), min_size=2, max_size=8, unique=True))
def test_covered_seconds_are_counted_once(events: list[Segment], edges: list[int]) -> None:
    times = np.array(sorted(edges)) / 20
    expected = [naive.covered(events, a, b) for a, b in itertools.pairwise(times)]
    np.testing.assert_allclose(covered(events, times), expected, atol=1e-12)
    joined = union(events)
    assert all(a.end < b.start for a, b in itertools.pairwise(joined))


@settings(max_examples=100)
@given(found=segments(6), truth=segments(6))
def test_delays_and_false_alarms_are_those_of_the_definitions(
    found: list[Segment], truth: list[Segment]
) -> None:
    np.testing.assert_array_equal(delays(found, truth), naive.delays(found, truth))
    assert int((~touching(found, truth)).sum()) == naive.untouched(found, truth)


def test_an_event_that_began_before_the_onset_has_a_negative_delay() -> None:
    assert delays([Segment(1.0, 5.0)], [Segment(2.0, 3.0)]).tolist() == [-1.0]
    assert math.isnan(delays([Segment(1.0, 2.0)], [Segment(2.0, 3.0)])[0])


def drawn_events(seed: int) -> tuple[list[Segment], list[Segment]]:
    """True events of a recording of ten seconds, and what a careless detector makes of them."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for start in rng.uniform(0, 8.5, size=rng.integers(1, 5)):
        true = Segment(round(start, 3), round(start + rng.uniform(0.2, 1.5), 3))
        truth.append(true)
        for _ in range(rng.integers(0, 3)):
            at = max(0.0, true.start + rng.normal(scale=0.4))
            found.append(Segment(round(at, 3), round(at + 0.1 + rng.exponential(0.8), 3)))
    found.append(Segment(9.0, round(9.0 + rng.uniform(0.1, 0.9), 3)))
    return found, truth


# precision, recall, F1 and error rate that sed_eval 0.2.1 gives (EventBasedMetrics and SegmentBasedMetrics of
# one label, results_overall_metrics) for the 40 recordings of `drawn_events`, evaluated to ten seconds each
SED_EVAL = [
    (
        (0.2, 0.2, True, 1.0),
        (0.078947368421, 0.108108108108, 0.091254752852, 2.153153153153),
        (0.627118644068, 0.64161849711, 0.634285714286, 0.739884393064),
    ),
    (
        (0.5, 0.5, True, 1.0),
        (0.309210526316, 0.423423423423, 0.357414448669, 1.522522522523),
        (0.627118644068, 0.64161849711, 0.634285714286, 0.739884393064),
    ),
    (
        (0.5, 0.5, False, 0.5),
        (0.453947368421, 0.621621621622, 0.524714828897, 1.126126126126),
        (0.541516245487, 0.559701492537, 0.550458715596, 0.914179104478),
    ),
    (
        (1.0, 0.0, True, 0.1),
        (0.467105263158, 0.63963963964, 0.539923954373, 1.09009009009),
        (0.471454880295, 0.515609264854, 0.492544492544, 1.062437059416),
    ),
]

Figures = tuple[float, ...]


def ours(
    recordings: list[tuple[list[Segment], list[Segment]]], near: Collars, offsets: bool, length: float
) -> tuple[Figures, Figures]:
    """Precision, recall, F1 and error rate of events, and of segments."""
    events, parts = np.zeros(3), np.zeros(3)
    for found, truth in recordings:
        events += [n_matched(found, truth, near, offsets=offsets), len(found), len(truth)]
        n = n_segments(DURATION, length)
        here, there = active(found, n, length), active(truth, n, length)
        parts += [(here & there).sum(), here.sum(), there.sum()]
    return tuple(rates(events)), tuple(rates(parts))


@pytest.mark.parametrize(("how", "events", "parts"), SED_EVAL)
def test_figures_are_those_of_sed_eval(
    how: tuple[float, float, bool, float], events: Figures, parts: Figures
) -> None:
    collar, share, offsets, length = how
    found = ours([drawn_events(seed) for seed in range(40)], Collars(collar, share), offsets, length)
    assert found[0] == pytest.approx(events, abs=1e-11)
    assert found[1] == pytest.approx(parts, abs=1e-11)


@settings(max_examples=30)
@given(
    recordings=st.lists(st.tuples(segments(4), segments(4)), min_size=1, max_size=3),
    near=collars,
    offsets=st.booleans(),
    length=st.sampled_from([0.1, 0.5, 1.0]),
)
def test_sed_eval_agrees_where_it_is_installed(
    recordings: list[tuple[list[Segment], list[Segment]]], near: Collars, offsets: bool, length: float
) -> None:
    sed_eval = pytest.importorskip("sed_eval", exc_type=ImportError)
    events = sed_eval.sound_event.EventBasedMetrics(
        ["x"], t_collar=near.collar, percentage_of_length=near.offset_share, evaluate_offset=offsets
    )
    parts = sed_eval.sound_event.SegmentBasedMetrics(["x"], time_resolution=length)
    for found, truth in recordings:
        theirs = [
            [
                {"event_onset": e.start, "event_offset": e.end, "event_label": "x", "filename": "f"}
                for e in those
            ]
            for those in (truth, found)
        ]
        events.evaluate(*theirs)
        parts.evaluate(*theirs, evaluated_length_seconds=DURATION)
    for mine, peer in zip(ours(recordings, near, offsets, length), (events, parts), strict=True):
        theirs = peer.results_overall_metrics()
        precision, recall, f1, error_rate = mine
        for name, value in (("precision", precision), ("recall", recall)):
            assert value == pytest.approx(theirs["f_measure"][name], nan_ok=True), name
        if math.isfinite(precision) and math.isfinite(recall):  # sed_eval has no F1 where one of them is none
            assert f1 == pytest.approx(theirs["f_measure"]["f_measure"])
        if math.isfinite(error_rate):
            assert error_rate == pytest.approx(theirs["error_rate"]["error_rate"])
