"""Principal components against a slow twin."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.training.frames.row_spool import RowSpool
from audiogmm.verification.projection import learn_projection
from tests.naive import backend as naive

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_principal_components_are_those_of_the_covariance(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(12, 5)) * [5, 4, 3, 2, 1]
    with RowSpool() as spool:
        found = learn_projection(spool.put(vectors), 2)
    mean, basis = naive.principal(vectors, 2)
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(np.abs(found.basis.T @ basis), np.eye(2), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found(vectors), axis=1), 1.0)
