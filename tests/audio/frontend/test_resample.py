"""Resampling does not depend on the chunks, and has one rule for its length."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.frontend.resample import Resampler
from audiogmm.errors import ChoiceError

RATES = [(44100, 16000), (48000, 16000), (8000, 16000), (16000, 8000), (22050, 16000), (16000, 16000)]


def resampled(samples: np.ndarray, rates: tuple[int, int], cuts: list[int]) -> np.ndarray:
    resampler = Resampler(*rates)
    pieces = [resampler.push(piece) for piece in np.split(samples, sorted(cuts))]
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize("rates", RATES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_chunks_leave_no_trace(rates: tuple[int, int], data: st.DataObject) -> None:
    n_samples = data.draw(st.integers(0, 30_000))
    cuts = data.draw(st.lists(st.integers(0, n_samples), max_size=40))
    samples = np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32)
    whole = resampled(samples, rates, [])
    assert resampled(samples, rates, cuts).tobytes() == whole.tobytes()
    assert len(whole) == Resampler(*rates).n_output(n_samples)


@pytest.mark.parametrize("rates", RATES)
def test_one_sample_at_a_time(rates: tuple[int, int]) -> None:
    samples = np.random.default_rng(0).standard_normal(9_000).astype(np.float32)
    single = resampled(samples, rates, list(range(1, 9_000)))
    assert single.tobytes() == resampled(samples, rates, []).tobytes()


@pytest.mark.parametrize("rates", RATES)
def test_soxr_over_the_whole_recording_says_the_same(rates: tuple[int, int]) -> None:
    samples = np.random.default_rng(1).standard_normal(12_345).astype(np.float32)
    whole = soxr.resample(samples, *rates, quality="HQ")
    np.testing.assert_allclose(resampled(samples, rates, [99, 5_000]), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rates", [(44100, 16000), (48000, 16000), (8000, 16000)])
def test_a_sine_stays_where_it_was(rates: tuple[int, int]) -> None:
    """Frequency, level and place on the clock: the filter's delay is taken out."""
    from_rate, to_rate = rates
    tone = np.sin(2 * np.pi * 1000 * np.arange(from_rate) / from_rate).astype(np.float32)
    expected = np.sin(2 * np.pi * 1000 * np.arange(to_rate) / to_rate)
    got = resampled(tone, rates, [100, 5_000])
    middle = slice(to_rate // 4, 3 * to_rate // 4)
    assert np.abs(got[middle] - expected[middle]).max() < 1e-4


def test_latency_bounds_what_is_held_back() -> None:
    resampler = Resampler(44100, 16000)
    out = 0
    for pushed in range(1, 60_000):
        held = pushed / 44100 - out / 16000
        assert held <= resampler.latency
        out += len(resampler.push(np.zeros(1, np.float32)))
    assert 0.01 < resampler.latency < 0.1
    assert Resampler(16000, 16000).latency == 0.0


def test_equal_rates_pass_the_samples_through() -> None:
    samples = np.ones(7, np.float32)
    resampler = Resampler(16000, 16000)
    assert resampler.push(samples) is samples
    assert len(resampler.flush()) == 0


def test_refusals_name_the_values() -> None:
    with pytest.raises(ChoiceError, match="from 0 Hz to 8000 Hz"):
        Resampler(0, 8000)
    with pytest.raises(ChoiceError, match=r"'best'.*QQ, LQ, MQ, HQ, VHQ"):
        Resampler(16000, 8000, quality="best")
    resampler = Resampler(16000, 8000)
    resampler.flush()
    with pytest.raises(ChoiceError, match="after its flush"):
        resampler.push(np.zeros(1, np.float32))
