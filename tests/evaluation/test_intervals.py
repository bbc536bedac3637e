"""Intervals from draws."""

from __future__ import annotations

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.intervals import Draws


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"replicates": 99}, "99 replicates"),
        ({"confidence": 1.0}, "a confidence of 1.0"),
        ({"seed": -1}, "-1"),
    ],
)
def test_draws_out_of_range_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(ChoiceError, match=told):
        Draws(**settings)  # type: ignore[arg-type]
