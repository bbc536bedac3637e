"""The settings of a fusion are checked once, before a file is read."""

from __future__ import annotations

from typing import Any

import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.evaluation.verification.fusion import FuseSettings


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"train_prior": 1.0}, "a prior of 1.0; needed: a probability above 0 and under 1"),
        ({"l2": 0.0}, "l2=0.0; needed: a number above 0"),
    ],
)
def test_what_is_out_of_range_is_refused(named: dict[str, Any], said: str) -> None:
    with pytest.raises(ChoiceError, match=said):
        FuseSettings(**named)


def test_the_prior_of_a_fusion_is_that_of_its_training() -> None:
    with pytest.raises(ChoiceError, match="a prior of 2"):
        ag.fuse(["gone.csv"], ["gone.csv"], prior=2)
    with pytest.raises(TypeError, match="no keyword 'point'"):
        ag.fuse(["gone.csv"], ["gone.csv"], point=None)
