"""The modulation spectrum."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.modulation import Modulation
from tests.naive import explaining as naive


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), frame_rate=st.sampled_from([20.0, 62.5, 100.0]))
def test_modulations_are_powers_of_a_fourier_sum(seed: int, frame_rate: float) -> None:
    modulation = Modulation(np.eye(2), frame_rate)
    X = np.random.default_rng(seed).normal(0, 3, (modulation.span, 2))
    found = modulation(X)
    assert found.size == modulation.n_values
    for track in range(2):
        wanted = naive.modulation(X[:, track], frame_rate, modulation.rates)
        np.testing.assert_allclose(found[track], wanted, atol=1e-6)


def test_rates_are_apart_and_end_at_half_the_frame_rate() -> None:
    for frame_rate in (1.0, 3.0, 10.0, 100.0):
        rates = Modulation(np.ones((1, 1)), frame_rate).rates
        assert (rates[:, 0] < rates[:, 1]).all() and (rates <= frame_rate / 2).all()
        np.testing.assert_array_equal(rates[1:, 0], rates[:-1, 1])
    assert len(Modulation(np.ones((1, 1)), 1.0).rates) == 0
    assert len(Modulation(np.ones((1, 1)), 100.0).rates) >= 8
