"""Coordinates: what differs within segments is white, and the units of the statistics do not matter."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly.kinds import likeness
from audiogmm.anomaly.kinds.likeness import Likeness


def some(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(6, 6))
    within = mixing @ mixing.T / 6
    return random.normal(size=(80, 6)) @ mixing * 2, within


def test_what_differs_within_segments_is_white(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "SHRINKAGE", 0.0)
    vectors, within = some()
    found = Likeness.learned(vectors, within)
    np.testing.assert_allclose(found.transform.T @ within @ found.transform, np.eye(6), atol=1e-9)
    between = np.cov(found.coordinates(vectors).T)
    np.testing.assert_allclose(between, np.diag(np.diag(between)), atol=1e-9)
    assert np.all(np.diff(np.diag(between)) < 0)


def test_units_of_the_statistics_do_not_matter() -> None:
    vectors, within = some()
    units = np.array([1e-3, 1.0, 50.0, 7.0, 1e3, 0.2])
    plain = Likeness.learned(vectors, within).coordinates(vectors)
    scaled = Likeness.learned(vectors * units, within * np.outer(units, units)).coordinates(vectors * units)
    np.testing.assert_allclose(np.abs(scaled), np.abs(plain), rtol=1e-4, atol=1e-4)


def test_without_pieces_distances_are_bounded() -> None:
    vectors, within = some()
    found = Likeness.learned(vectors, np.zeros_like(within)).coordinates(vectors)
    assert found.std(axis=0).max() < 20


def test_a_constant_statistic_and_one_segment_are_taken() -> None:
    vectors, within = some()
    vectors[:, 2] = 3.0
    assert np.isfinite(Likeness.learned(vectors, within).coordinates(vectors)).all()
    assert Likeness.learned(vectors[:1], within).coordinates(vectors[:1]).shape == (1, 1)
