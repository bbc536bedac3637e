"""Thresholds and p-values from few windows."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly.threshold import TAIL, Thresholds, tail_probability


def test_a_p_value_counts_normal_windows_that_are_as_low() -> None:
    windows = np.sort(np.random.default_rng(0).normal(size=1000))
    assert tail_probability(windows, 99, -100.0) == pytest.approx(0.01)
    assert tail_probability(windows, 99, float(windows[499])) == pytest.approx((1 + 49.5) / 100)


def test_few_windows_put_the_threshold_where_the_exponential_tail_has_it() -> None:
    few = np.linspace(-3.0, -1.0, 40)
    enter = Thresholds.of(few, n_independent=10, quantile=0.001, release_quantile=0.02).enter
    edge = np.quantile(few, TAIL)
    excess = np.mean(edge - few[few <= edge])
    assert enter == pytest.approx(edge - excess * np.log(TAIL / 0.001))
    assert enter < few[0]
