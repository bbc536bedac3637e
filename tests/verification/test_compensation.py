"""NAP and eigenchannels: against a slow twin, and on offsets that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import TrainingError
from audiogmm.verification.backend_learning import learn_backend
from audiogmm.verification.compensation import Compensation, learn_compensation
from audiogmm.verification.space import SpaceSettings
from tests.naive import backend as naive
from tests.verification.voices import mixture, people

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_eigenchannels_take_out_the_likeliest_offset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, first = rng.uniform(0, 20, 4), rng.normal(0, 10, (4, 3))
    directions = np.linalg.qr(rng.normal(size=(12, 2)))[0]
    spread = rng.uniform(0.1, 3, 2)
    found = Compensation("isv", directions, spread).statistics(counts, first)
    np.testing.assert_allclose(found, naive.eigenchannel(counts, first, directions * spread), atol=1e-9)


def test_an_offset_along_a_nuisance_direction_is_gone() -> None:
    rng = np.random.default_rng(0)
    nuisance = np.array([1.0, -1.0, 0.0, 0.0]) / np.sqrt(2)
    groups = [rng.normal(0, 2, 4) + rng.normal(0, 1, (3, 1)) * nuisance for _ in range(30)]
    nap = learn_compensation("nap", groups, rank=1)
    assert abs(nap.directions[:, 0] @ nuisance) > 0.999
    counts = np.array([8.0, 8.0])
    first = rng.normal(0, 9, (2, 2))
    moved = first + 16.0 * 5 * nuisance.reshape(2, 2)
    np.testing.assert_allclose(nap.supervector(counts, moved), nap.supervector(counts, first), atol=2e-3)


def test_compensation_needs_recordings() -> None:
    with pytest.raises(TrainingError, match="nap from 12 speakers, 3 of them") as caught:
        learn_compensation("nap", [np.ones((2, 2))] * 3 + [np.ones((1, 2))] * 9)
    assert "10 speakers" in str(caught.value)
    voices = people(20)
    with pytest.raises(TrainingError, match="isv from 20 speakers, 0 of them"):
        learn_backend(mixture(), voices, settings=SpaceSettings("isv"))
