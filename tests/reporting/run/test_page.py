"""The settings of a page: checked once, and given whole or as keywords."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.jobs.report import report
from audiogmm.reporting.run.page import ReportSettings


def test_a_number_of_recordings_is_not_negative(tmp_path: Path) -> None:
    assert ReportSettings(most=0).most == 0
    with pytest.raises(ChoiceError, match="most=-1; needed: 0 recordings or more"):
        ReportSettings(most=-1)
    with pytest.raises(ChoiceError, match="most=-1"):
        report(tmp_path, tmp_path / "page.html", most=-1)
    with pytest.raises(TypeError, match="no keyword 'tabel'; did you mean 'table'"):
        report(tmp_path, tmp_path / "page.html", tabel="a.csv")
