"""Charts: on their grid, with round numbers, and with text for screen readers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiogmm.reporting.page.charts import GRID, band, histogram, line_chart, ticks, time_ticks
from audiogmm.reporting.page.content import ScoreCurve


def test_a_band_stays_on_its_grid() -> None:
    curve = ScoreCurve(np.array([-1e9, -50.0]), np.array([-40.0, 1e9]), 1.0)
    numbers = [int(n) for n in band(curve, (-60.0, -40.0), 2.0).strip("Mz").replace("L", " ").split()]
    assert min(numbers) == 0
    assert max(numbers) == GRID
    assert band(ScoreCurve(np.zeros(1), np.zeros(1), 1.0), (-1.0, 1.0), 1.0) == "M500 500z"


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5), st.integers(2, 9))
def test_ticks_are_few_round_and_inside(low: float, length: float, most: int) -> None:
    values = ticks(low, low + length, most)
    assert len(values) <= most
    assert all(low - 1e-6 * length <= value <= low + length * (1 + 1e-6) for value in values)
    moments = time_ticks(low, low + length, most)
    assert len(moments) <= most
    assert all(low - 1e-6 * length - 1e-9 <= t <= low + length * (1 + 1e-6) + 1e-9 for t in moments)


def test_charts_have_text_for_screen_readers() -> None:
    windows = np.sort(np.random.default_rng(0).normal(-50, 2, 1000))
    chart = histogram(windows, -60.0, -55.0, [-70.0, -1e12], "scores of normal sound")
    assert 'role="img" aria-label="scores of normal sound"' in chart
    assert "threshold −60.0" in chart
    assert chart.count('class="peak"') == 2
    line = line_chart([(1, 3.0), (2, 2.0), (3, float("nan"))], "log-likelihood")
    assert 'role="img" aria-label="log-likelihood"' in line
    assert line.count("<circle") == 2 and ">2.5<" in line
    assert "nan" not in line
    assert "No values" in line_chart([(4, float("nan"))], "nothing")
    line_chart([(4, 3.0)], "one point")
