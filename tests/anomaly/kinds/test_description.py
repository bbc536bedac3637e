"""What a segment sounds like does not depend on its level, and hardly on its length."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly.kinds.description import PIECE, describe_segment


def pulses(n: int, seed: int = 0, every: int = 25) -> np.ndarray:
    """Decibels of bands that rise every so many frames, and fall again."""
    random = np.random.default_rng(seed)
    shape = np.linspace(0, -20, 64) + 3 * np.sin(np.arange(64))
    level = -12.0 * (np.arange(n) % every) / every
    return (shape + level[:, None] + random.normal(0, 1, (n, 64))).astype(np.float32)


@pytest.mark.parametrize("gain", [-30.0, 12.0])
def test_level_does_not_change_a_description(gain: float) -> None:
    plain, louder = describe_segment(pulses(300)), describe_segment(pulses(300) + np.float32(gain))
    np.testing.assert_allclose(louder.vector, plain.vector, atol=2e-4)
    np.testing.assert_allclose(louder.pieces, plain.pieces, atol=2e-4)


def test_length_changes_it_less_than_another_sound_does() -> None:
    short, long = describe_segment(pulses(200)).vector, describe_segment(pulses(800, seed=1)).vector
    other = describe_segment(pulses(200, every=60)).vector
    spread = describe_segment(pulses(400)).pieces.std(axis=0) + 0.1
    assert np.linalg.norm((short - long) / spread) < 0.5 * np.linalg.norm((short - other) / spread)


def test_silence_around_a_sound_does_not_count_as_sound() -> None:
    sound = pulses(100)
    padded = np.concatenate([np.full((80, 64), -90, np.float32), sound, np.full((80, 64), -90, np.float32)])
    cepstra = slice(0, 19)
    found, plain = describe_segment(padded).vector[cepstra], describe_segment(sound).vector[cepstra]
    np.testing.assert_allclose(found, plain, atol=1.0)


@pytest.mark.parametrize(("n", "pieces"), [(1, 1), (2, 1), (PIECE, 1), (2 * PIECE, 2), (10 * PIECE, 4)])
def test_short_segments_have_fewer_pieces(n: int, pieces: int) -> None:
    found = describe_segment(pulses(n))
    assert found.pieces.shape == (pieces, 82)
    assert np.isfinite(found.vector).all() and np.isfinite(found.pieces).all()


def test_digital_silence_is_described() -> None:
    found = describe_segment(np.full((50, 64), -120, np.float32))
    assert np.isfinite(found.vector).all()
