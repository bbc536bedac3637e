"""Quantiles of more numbers than fit in memory are those of all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.scoring.quantile import quantiles
from audiogmm.scoring.summary import summarize_track
from audiogmm.timeline import FrameClock

LEVELS = [0.0, 0.01, 0.3, 0.5, 0.99, 1.0]
finite = st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e300, max_value=1e300)


@pytest.mark.parametrize("in_memory", [0, 1000])
@settings(max_examples=40, deadline=None)
@given(numbers=st.lists(finite, min_size=1, max_size=60), cut=st.integers(0, 60))
def test_both_ways_agree_with_numpy(in_memory: int, numbers: list[float], cut: int) -> None:
    values = np.array(numbers)

    def parts() -> Iterator[np.ndarray]:
        yield values[:cut]
        yield values[cut:]

    found = quantiles(parts, len(values), LEVELS, in_memory=in_memory)
    np.testing.assert_allclose(found, np.quantile(values, LEVELS), rtol=1e-12)


def test_radix_selection_tells_neighbouring_numbers_apart() -> None:
    values = np.nextafter(-40.0, 0) + np.zeros(3)
    values[1] = -40.0
    assert quantiles(lambda: iter([values]), 3, [0.0], in_memory=0) == [-40.0]
    assert quantiles(lambda: iter([-values]), 3, [1.0], in_memory=0) == [40.0]


def test_a_summary_is_of_the_voiced_frames() -> None:
    clock = FrameClock(8000, 80, 200)
    scores, voiced = np.array([-1.0, -3.0, -100.0]), np.array([True, True, False])
    row = summarize_track("a", clock, lambda: iter([(scores, voiced)]))
    assert (row.frames, row.voiced, row.mean, row.std, row.min, row.max) == (3, 2, -2.0, 1.0, -3.0, -1.0)
    assert row.duration == pytest.approx(0.045)
    assert row.to_dict()["id"] == "a"


def test_a_summary_without_a_voiced_frame_is_of_all() -> None:
    scores = np.array([-1.0, -3.0])
    row = summarize_track("a", FrameClock.for_rows(), lambda: iter([(scores, np.zeros(2, bool))]))
    assert (row.voiced, row.mean) == (0, -2.0)
