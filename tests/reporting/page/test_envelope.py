"""Envelopes: those of the naive twin in any chunking, and bounded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiogmm.reporting.page.envelope import Envelope
from tests.naive.envelope import envelope


@given(
    st.lists(st.floats(-1e6, 1e6), max_size=300),
    st.integers(1, 12),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_it_is_the_naive_one_in_any_chunking(values: list[float], columns: int, cuts: list[int]) -> None:
    curve = np.array(values)
    found = Envelope(columns)
    bounds = sorted({0, len(values), *(cut for cut in cuts if cut <= len(values))})
    for first, last in pairwise(bounds):
        found.push(curve[first:last])
    low, high, step = envelope(curve, columns)
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.high, high)
    assert (found.step, found.n) == (step, len(values))
    if values:
        assert found.lowest_at == int(curve.argmin())


def test_it_is_small_however_long_the_curve() -> None:
    found = Envelope(100)
    for _ in range(50):
        found.push(np.zeros(100_000))
    assert 100 <= len(found.low) <= 201
    assert found.n == 5_000_000
