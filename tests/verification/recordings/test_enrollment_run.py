"""The settings of an enrollment: checked once; what is not given is as the folder has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.recordings.enrollment_run import EnrollSettings


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"tau": -1.0}, "tau=-1.0; needed: a finite number of at least 0"),
        ({"adapt": ["mean"]}, "adaptation of 'mean'; needed: some of means, variances, weights"),
        ({"adapt": []}, "adaptation of nothing"),
        ({"iterations": 0}, "iterations=0; needed: at least 1"),
    ],
)
def test_what_is_out_of_range_is_refused(named: dict[str, Any], said: str) -> None:
    with pytest.raises(ChoiceError, match=said):
        EnrollSettings(**named)


def test_what_is_not_given_is_as_before(tmp_path: Path) -> None:
    before = Adaptation(tau=8.0, weights=True, iterations=2)
    assert EnrollSettings().adaptation(before) == before
    assert EnrollSettings().adaptation_for(tmp_path) is None
    assert EnrollSettings(tau=3).adaptation(before) == Adaptation(tau=3.0, weights=True, iterations=2)
    assert EnrollSettings(adapt=iter(["means"])).adaptation(before) == Adaptation(tau=8.0, iterations=2)
    assert EnrollSettings(tau=3).adaptation_for(tmp_path) == Adaptation(tau=3.0)


def test_enrolling_in_memory_has_no_files() -> None:
    with pytest.raises(TypeError, match="no keyword 'strict'"):
        ag.enroll(None, [], "known", strict=True)
