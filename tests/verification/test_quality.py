"""How noisy a recording is, and what a score is worth in noise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audiogmm as ag
from audiogmm.verification.quality import FLOOR_SHARE, STEP, SignalToNoise, noise
from tests.naive import quality as naive


def ratio_of(levels: np.ndarray, voiced: np.ndarray, cuts: list[int] | None = None) -> float:
    heard, places = SignalToNoise(), sorted({0, len(levels), *(cuts or [])})
    for start, stop in itertools.pairwise(places):
        heard.push(levels[start:stop], voiced[start:stop])
    return heard.decibels


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 400), cuts=st.lists(st.integers(0, 400), max_size=20))
def test_the_ratio_is_the_formula_however_frames_are_cut(seed: int, n: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.normal(-40, 15, n).astype(np.float32)
    voiced = rng.random(n) < 0.6
    voiced[rng.integers(n)] = True
    levels[(rng.random(n) < 0.2) & ~voiced] = -np.inf
    whole = ratio_of(levels, voiced)
    assert ratio_of(levels, voiced, [min(cut, n) for cut in cuts]) == whole
    assert whole == pytest.approx(
        naive.signal_to_noise(levels.tolist(), voiced.tolist(), FLOOR_SHARE), abs=STEP
    )


@pytest.mark.parametrize("decibels", [30.0, 15.0, 5.0])
@pytest.mark.parametrize("gain", [1.0, 1e-3])
def test_speech_in_noise_has_about_the_ratio_that_it_was_mixed_at(decibels: float, gain: float) -> None:
    rng = np.random.default_rng(3)
    n = 80_000
    loud = (np.arange(n) // 8000) % 2 == 0  # a second of sound, a second of pause
    signal = np.where(loud, rng.normal(0, 0.2, n), 0.0)
    samples = signal + rng.normal(0, 0.2 * 10 ** (-decibels / 20), n)
    stream = ag.FrontEnd.preset("speech").stream(8000)
    heard = SignalToNoise()
    for block in stream.push((gain * samples).astype(np.float32)) + stream.flush():
        heard.push(block.levels, (block.times % 2) < 1)
    speech = 10 * math.log10(1 + 10 ** (decibels / 10))  # voiced frames hold the noise too
    assert heard.decibels == pytest.approx(speech, abs=3.0)


def test_what_has_no_levels_or_no_voice_has_no_ratio() -> None:
    heard = SignalToNoise()
    heard.push(None, np.ones(3, bool))
    heard.push(np.full(3, -np.inf, np.float32), np.zeros(3, bool))
    assert math.isnan(heard.decibels)
    assert noise([math.nan, 10.0, 10.0], [30.0, math.nan, 10.0]).tolist() == [0.0, 1.5, 0.0]
