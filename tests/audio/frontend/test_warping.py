"""Feature warping: against its twin, and by what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.frontend.warping import FeatureWarping, normal_quantiles
from audiogmm.errors import ChoiceError
from tests.naive import frontend as naive

DRAWS = settings(max_examples=30, deadline=None)
SHAPES = {"n": st.integers(1, 60), "width": st.integers(1, 20), "window": st.integers(1, 30)}


def rows_of(n, width, values=6):
    """Numbers of which many are equal, among them both zeros."""
    rng = np.random.default_rng(n)
    few = np.array([-0.0, 0.0, 1.0, -2.5, 1e-30, 3e8], np.float32)[:values]
    return np.where(
        rng.random((n, width)) < 0.5, rng.choice(few, (n, width)), rng.standard_normal((n, width))
    )


def warped(rows, window, sizes=()):
    """Through the stage, in chunks of these sizes and what is left."""
    rows = np.asarray(rows, np.float32)
    stage = FeatureWarping(rows.shape[1], window)
    found, start = [], 0
    for size in sizes:
        found.append(stage.push(rows[start : start + size]))
        start += size
    return np.concatenate([*found, stage.push(rows[start:]), stage.flush()])


@DRAWS
@given(**SHAPES)
def test_warping_matches_the_twin(n, width, window):
    rows = rows_of(n, width).astype(np.float32)
    assert np.allclose(warped(rows, window), naive.warped(rows, window), rtol=1e-6, atol=1e-7)


@DRAWS
@given(**SHAPES, sizes=st.lists(st.integers(0, 12), max_size=20))
def test_chunks_leave_no_trace(n, width, window, sizes):
    rows = rows_of(n, width)
    assert warped(rows, window, sizes).tobytes() == warped(rows, window).tobytes()


INCREASING = {
    "gain and offset": lambda x: 3.0 * x - 70.0,
    "cube": lambda x: x**3,
    "steps": lambda x: np.sign(x) * 5.0 + np.arctan(x),
}


@pytest.mark.parametrize("how", INCREASING)
@DRAWS
@given(n=st.integers(1, 60), width=st.integers(1, 8), window=st.integers(1, 30))
def test_an_increasing_map_leaves_no_trace(how, n, width, window):
    rows = np.random.default_rng(n).integers(-20, 21, (n, width))  # apart enough to stay so in float32
    assert warped(INCREASING[how](rows), window).tobytes() == warped(rows, window).tobytes()


@DRAWS
@given(**SHAPES)
def test_a_decreasing_map_changes_the_sign(n, width, window):
    rows = rows_of(n, width)
    assert np.array_equal(warped(-rows, window), -warped(rows, window))


@DRAWS
@given(**SHAPES, value=st.floats(-1e30, 1e30))
def test_a_constant_becomes_zero(n, width, window, value):
    assert not warped(np.full((n, width), value), window).any()


def test_numbers_of_any_distribution_become_normal():
    rows = np.random.default_rng(0).exponential(size=(5000, 3))
    found = warped(rows, 301)
    assert np.abs(found.mean(axis=0)).max() < 0.02
    assert np.abs(found.std(axis=0) - 1).max() < 0.02
    assert found.max() == pytest.approx(2.9356, abs=1e-3)  # the quantile of 300.5 / 301


def test_quantiles_are_those_of_tables():
    table = normal_quantiles(10)
    # a printed table of the normal distribution: 0.05, 0.1, 0.5, 0.75, 0.95
    assert table[[1, 2, 10, 15, 19]].tolist() == pytest.approx([-1.644854, -1.281552, 0, 0.674490, 1.644854])
    assert len(table) == 20 and np.isnan(table[0])
    assert np.array_equal(table[1:], -table[:0:-1])


def test_a_number_that_is_none_stays_none_and_spares_its_neighbours():
    rows = np.arange(9.0)[:, None]
    rows[4] = np.nan
    found = warped(rows, 3)[:, 0]
    assert np.isnan(found).tolist() == [False] * 4 + [True] + [False] * 4


def test_the_front_end_warps_static_features_and_then_takes_deltas():
    samples = np.random.default_rng(1).standard_normal(16000).astype(np.float32) * 0.1
    samples[5000:7000] = 0.0
    frontend = FrontEnd.preset("speech", cmvn="warping", cmvn_window=0.4, deltas=1)
    static = FrontEnd.preset("speech", cmvn="none", deltas=0)(samples, 8000)
    expected = naive.with_deltas(naive.warped(static, 41), 1, 2)
    assert np.allclose(frontend(samples, 8000), expected, atol=1e-5)


def test_a_gain_leaves_no_trace_but_rounding():
    samples = np.random.default_rng(2).standard_normal(16000).astype(np.float32) * 0.1
    frontend = FrontEnd.preset("kaldi", cmvn="warping")
    # a gain of a power of two is exact, and adds to c0 alone
    found, louder = frontend(samples, 8000), frontend(samples * 4, 8000)
    assert np.mean(found == louder) > 0.99
    assert np.allclose(found, louder, atol=0.05)


def test_settings_know_it():
    frontend = FrontEnd.from_toml('cmvn = "warping"\ncmvn_window = 2.0')
    assert (frontend.cmvn, frontend.cmvn_window) == ("warping", 2.0)
    assert FrontEnd.from_toml(frontend.to_toml()) == frontend
    with pytest.raises(ChoiceError, match=r"'wraping'.*'warping'"):
        FrontEnd(cmvn="wraping")
    with pytest.raises(ChoiceError, match="cmvn_window"):
        FrontEnd(cmvn="warping", cmvn_window=0.0)
