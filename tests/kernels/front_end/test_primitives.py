"""The vector kernels on their own: transforms, logarithms, and lanes that do not see each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.frontend.row_buffer import RowBuffer
from audiogmm.kernels.front_end.activity import first_non_finite
from audiogmm.kernels.front_end.cepstrum import logarithm
from audiogmm.kernels.front_end.fft import plan_transform, transform
from audiogmm.kernels.front_end.lanes import WIDTH, load, store
from audiogmm.kernels.front_end.noise import add_noise
from audiogmm.kernels.policy import kernel


def spectra(signals):
    """Transform complex signals of shape (n, WIDTH)."""
    n = len(signals)
    plan = plan_transform(n)
    tile = np.stack([signals.real, signals.imag], axis=1).ravel()
    transform(tile, plan, np.zeros(plan.scratch))
    planes = tile.reshape(n, 2, WIDTH)
    return (planes[:, 0] + 1j * planes[:, 1])[plan.order]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 300) | st.sampled_from([512, 551, 1024]), seed=st.integers(0, 99))
def test_transforms_of_any_length_are_numpys(n, seed):
    rng = np.random.default_rng(seed)
    signals = rng.standard_normal((n, WIDTH)) + 1j * rng.standard_normal((n, WIDTH))
    assert np.abs(spectra(signals) - np.fft.fft(signals, axis=0)).max() < 5e-14 * n


def test_lanes_do_not_see_each_other():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((256, WIDTH)) + 0j
    alone = np.zeros_like(signals)
    alone[:, 5] = signals[:, 2]
    assert np.array_equal(spectra(alone)[:, 5], spectra(signals)[:, 2])


@kernel
def _logarithms(numbers, out):
    for i in range(0, len(numbers), WIDTH):
        store(out, i, logarithm(load(numbers, i)))


def test_logarithm_is_right_to_the_last_digit():
    rng = np.random.default_rng(0)
    numbers = np.concatenate(
        [np.exp(rng.uniform(-600, 600, 8000)), 1 + rng.uniform(-1e-3, 1e-3, 8000), [1.0] * 8]
    )
    found = np.empty_like(numbers)
    _logarithms(numbers, found)
    expected = np.log(numbers.astype(np.longdouble))
    assert (np.abs(found - expected) <= np.spacing(np.abs(expected.astype(np.float64)))).all()


def test_noise_is_gaussian_and_found_by_its_index():
    silence = np.zeros(200_000, np.float32)
    noise = np.empty_like(silence)
    add_noise(silence, 0, 3, 1.0, noise)
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert abs(np.mean(noise**4) - 3) < 0.1
    assert abs(np.mean(noise[1:] * noise[:-1])) < 0.01
    later = np.empty(100, np.float32)
    add_noise(silence[:100], 5000, 3, 1.0, later)
    assert np.array_equal(later, noise[5000:5100])
    other = np.empty_like(silence)
    add_noise(silence, 0, 4, 1.0, other)
    assert abs(np.mean(noise * other)) < 0.01


@given(n=st.integers(1, 70), place=st.integers(0, 69), value=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_the_first_sample_that_is_not_finite_is_found(n, place, value):
    samples = np.full(n, np.finfo(np.float32).max, np.float32)
    assert first_non_finite(samples) == -1
    samples[min(place, n - 1) :] = value
    assert first_non_finite(samples) == min(place, n - 1)


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 4000)), max_size=20))
def test_a_remainder_holds_what_was_not_discarded(steps):
    kept, stream = RowBuffer(2, np.float32), np.zeros((0, 2), np.float32)
    for more, behind in steps:
        rows = np.arange(2 * more, dtype=np.float32).reshape(more, 2) + len(stream)
        kept.append(rows)
        stream = np.concatenate([stream, rows])
        before = max(kept.first, len(stream) - behind)
        kept.discard(before)
        assert (kept.first, kept.end) == (before, len(stream))
        assert np.array_equal(kept.rows, stream[before:])
        assert len(kept._array) <= 2 * (max(m for m, _ in steps) + 4008)
