"""Labels that stay: the best segmentation, whatever the windows, and the times of its segments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.scoring.assignment import Assignment
from audiogmm.scoring.component_segments import find_segments
from audiogmm.scoring.segmentation import CERTAIN, segment_labels
from audiogmm.timeline import FrameClock
from tests.naive.scores import best_segmentation

CLOCK = FrameClock(8000, 80, 200)


def windows(posteriors: np.ndarray, voiced: np.ndarray, step: int) -> Iterator[Assignment]:
    for start in range(0, len(posteriors), step):
        part = posteriors[start : start + step]
        labels = part.argmax(axis=1).astype(np.int32)
        yield Assignment(
            start, CLOCK, voiced[start : start + step], part, labels, part.max(axis=1), np.zeros(len(part))
        )


def labels_of(posteriors: np.ndarray, voiced: np.ndarray, shortest: float, step: int) -> np.ndarray:
    found = segment_labels(windows(posteriors, voiced, step), shortest)
    return np.concatenate([part.labels for part in found])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(3, 7), K=st.integers(2, 3), frames=st.floats(0.25, 2.0))
def test_the_labels_are_those_of_the_naive_twin(seed: int, n: int, K: int, frames: float) -> None:
    rng = np.random.default_rng(seed)
    posteriors, voiced = rng.dirichlet(np.full(K, 0.4), size=n), rng.random(n) < 0.8
    labels = labels_of(posteriors, voiced, frames / CLOCK.frame_rate, step=4)
    evidence = 1 - np.log(np.maximum(posteriors, CERTAIN)) / np.log(CERTAIN)
    evidence[~voiced] = 0
    cost = frames / 2
    reached = sum(evidence[t, k] for t, k in enumerate(labels)) - cost * sum(
        a != b for a, b in pairwise(labels)
    )
    assert reached == pytest.approx(best_segmentation(evidence, cost), abs=1e-9)


def test_what_is_short_does_not_interrupt() -> None:
    truth = np.repeat([0, 1, 0, 1], [300, 15, 285, 400])
    posteriors = np.where(truth[:, None] == [0, 1], 0.99, 0.01)
    found = segment_labels(windows(posteriors, np.ones(1000, bool), 64), 0.2)
    segments = list(find_segments("a", found))
    assert [(each.component, each.n_frames) for each in segments] == [(0, 600), (1, 400)]
    assert segments[0].mean_posterior == pytest.approx((585 * 0.99 + 15 * 0.01) / 600)
    assert segments[0].segment.end == segments[1].segment.start == pytest.approx(6.0075)


def test_the_window_does_not_matter_where_it_is_long_enough() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat(rng.integers(0, 3, 12), 100)
    posteriors = 0.7 * rng.dirichlet(np.ones(3), 1200) + 0.3 * (truth[:, None] == np.arange(3))
    voiced = rng.random(1200) < 0.9
    whole = labels_of(posteriors, voiced, 0.2, 1200)
    assert labels_of(posteriors, voiced, 0.2, 256).tobytes() == whole.tobytes()
    assert np.mean(whole == truth) > 0.97
    assert np.mean(posteriors.argmax(axis=1) == truth) < 0.97
