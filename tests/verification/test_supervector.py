"""Supervectors against a slow twin."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.verification.supervector import center_statistics, supervector
from tests.naive import backend as naive
from tests.verification.voices import mixture

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_supervectors_are_adapted_means(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = mixture(seed=seed)
    frames = rng.normal(0, 3, (rng.integers(1, 30), 3))
    found = supervector(*center_statistics(model, Evaluator(model).accumulate(frames)), 8.0)
    wanted = naive.supervector(frames, model.weights, model.means, model.covariances, 8.0)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
