"""Window scores: right by their naive twin, and the same bytes in any chunks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.smoothing import Smoother, smooth, window_sums
from tests.anomaly.tracks import normal_scores, restless, track
from tests.naive import scores as naive


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 80), half=st.integers(0, 12), seed=st.integers(0, 99))
def test_window_scores_agree_with_their_naive_twin(n: int, half: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    recording = track(rng.normal(size=n), voiced=rng.random(n) < 0.6)
    found = smooth(recording, half)
    expected = naive.window_scores(recording.scores, recording.voiced, half)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=12), half=st.integers(0, 30))
def test_window_scores_have_the_same_bytes_however_they_arrive(cuts: list[int], half: int) -> None:
    recording = restless(1, 200)
    smoother, parts = Smoother(half), []
    bounds = [0, *sorted(cuts), len(recording)]
    for first, last in pairwise(bounds):
        parts.append(smoother.push(recording.scores[first:last], recording.voiced[first:last]))
        assert sum(map(len, parts)) == max(0, last - half)  # the latency that is stated
    parts.append(smoother.flush())
    assert np.concatenate(parts).tobytes() == smooth(recording, half).tobytes()


@pytest.mark.parametrize("width", [1, 2, 3, 8, 51, 64])
def test_window_sums_are_sums_of_windows(width: int) -> None:
    values = np.random.default_rng(0).normal(size=100)
    expected = [values[i : i + width].sum() for i in range(100 - width + 1)]
    np.testing.assert_allclose(window_sums(values, width), expected, atol=1e-12)


def test_one_absurd_score_does_not_outlive_its_window() -> None:
    scores = normal_scores(500)
    scores[100] = -1e30
    clean = scores.copy()
    clean[100] = -40
    spoilt, expected = smooth(track(scores), 25), smooth(track(clean), 25)
    assert spoilt[126:].tobytes() == expected[126:].tobytes()
