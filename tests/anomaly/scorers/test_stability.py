"""Scores whose false-alarm rates differ between normal recordings are found, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from audiogmm.anomaly.scorers import stability
from audiogmm.anomaly.scorers.stability import FEWEST, false_alarm_misses, find_stable_scores
from tests.naive import stability as naive


@given(
    lengths=st.lists(st.integers(1, 40), min_size=2, max_size=6),
    level=st.floats(0.01, 0.9),
    seed=st.integers(0, 1000),
)
def test_misses_are_counted(lengths: list[int], level: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    recordings = [rng.normal(rng.normal(), 1, n) for n in lengths]
    assert_allclose(false_alarm_misses(recordings, level), naive.misses(recordings, level), atol=1e-12)


def material(shift: float, n: int = 8) -> list[np.ndarray]:
    """Recordings that one score sees alike, and another, a copy of it, moves up and down."""
    rng = np.random.default_rng(3)
    own = [rng.normal(size=300) for _ in range(n)]
    return [np.stack([x, x + shift * (-1) ** i], axis=1) for i, x in enumerate(own)]


def test_only_an_unsteady_score_is_left_out() -> None:
    kept, misses = find_stable_scores(material(3.0))
    assert kept.tolist() == [True, False] and misses[1] > misses[0]
    assert find_stable_scores(material(0.0))[0].tolist() == [True, True]


def test_units_do_not_matter() -> None:
    wanted, misses = find_stable_scores(material(3.0))
    moved = [np.stack([x[:, 0], np.exp(x[:, 1]) * 1000], axis=1) for x in material(3.0)]
    kept, again = find_stable_scores(moved)
    assert kept.tolist() == wanted.tolist()
    assert_allclose(misses, again, atol=0.02)  # a quantile between two scores is not quite a rank


def test_few_recordings_speak_against_none() -> None:
    kept, misses = find_stable_scores(material(3.0, FEWEST - 1))
    assert kept.tolist() == [True, True] and np.isnan(misses).all()


def test_of_many_recordings_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is compared with all others: of thousands, that would take minutes."""
    compared = []

    def counting(recordings: list[np.ndarray]) -> np.ndarray:
        compared.append(len(recordings))
        return false_alarm_misses(recordings)

    monkeypatch.setattr(stability, "MOST", 7)
    monkeypatch.setattr(stability, "false_alarm_misses", counting)
    assert find_stable_scores(material(3.0, 20))[0].tolist() == [True, False]
    assert compared == [7, 7]
