"""Channels that cancel, or hold nothing, are named."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.audio.mixdown import Mixdown

NOISE = np.random.default_rng(0).normal(0, 0.1, (8000, 8)).astype(np.float32)
FIRST, SECOND = NOISE[:, 0], NOISE[:, 1]


def notes(*channels: np.ndarray, channel: int | None = None) -> tuple[str, ...]:
    mixdown = Mixdown("a.wav", 8000, len(channels), channel, 1.0)
    for block in np.split(np.ascontiguousarray(np.stack(channels, axis=1), np.float32), 5):
        mixdown.mono(np.ascontiguousarray(block))
    return mixdown.notes


@pytest.mark.parametrize("gain", [-1.0, -0.9])
def test_channels_that_cancel(gain: float) -> None:
    (said,) = notes(FIRST, gain * FIRST)
    assert "a.wav: its channels cancel: their mix is " in said
    assert notes(FIRST, gain * FIRST, channel=1) == ()


@pytest.mark.parametrize("n", [2, 8])
def test_unrelated_and_equal_channels_do_not(n: int) -> None:
    assert notes(*NOISE.T[:n]) == ()
    assert notes(FIRST, FIRST, SECOND / 1000) == ()


def test_a_channel_that_holds_nothing() -> None:
    (said,) = notes(FIRST, 0 * FIRST)
    assert said.startswith(
        "a.wav: channel 1 holds nothing but zeros, and the mix of all 2 channels is quieter"
    )
    (said,) = notes(0 * FIRST, FIRST, 0 * FIRST)
    assert "channels 0, 2 hold nothing but zeros" in said
    (said,) = notes(FIRST, 0 * FIRST + 0.25)
    assert "channel 1 holds nothing but one value" in said
    (said,) = notes(0 * FIRST, 0 * FIRST)
    assert said == "a.wav holds nothing but zeros: 1.000 s of digital silence"
