"""A search for the shift that makes frames normal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.counterfactual import ShiftSearch
from tests.anomaly.explained import FORMS, a_mixture
from tests.naive import explaining as naive


@settings(max_examples=15)
@pytest.mark.parametrize("form", FORMS)
@given(K=st.integers(1, 3), D=st.integers(2, 5), seed=st.integers(0, 1000))
def test_shifts_gain_what_a_search_over_amounts_gains(form: str, K: int, D: int, seed: int) -> None:
    mixture = a_mixture(form, K, D, seed)
    rng = np.random.default_rng(seed + 1)
    X, directions = rng.normal(0, 3, (2, D)), rng.normal(0, 1, (2, D))
    found = ShiftSearch(mixture, directions)(X)
    for v, direction in enumerate(directions):
        by_search = [naive.undone(mixture, x, direction) for x in X]
        assert found.gains[v] == pytest.approx(sum(gain for gain, _ in by_search), abs=1e-5)
        for t, (gain, amount) in enumerate(by_search):
            if gain > 1e-3 and abs(found.amounts[v, t] - amount) > 1e-2:  # two components may do as well
                again = naive.undone(mixture, X[t] - found.amounts[v, t] * direction, direction)
                assert again[0] == pytest.approx(0.0, abs=1e-5)
