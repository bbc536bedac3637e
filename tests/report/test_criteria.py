"""The picture of a selection: what it shows, and that it is the same for the same table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import ChoiceError, OutputError
from audiogmm.report.criteria import CriteriaPicture, CriterionPanel, draw_criteria

CURVES = {"diag": [(8, 3.0), (16, 2.0)], "full": [(8, 2.5), (16, 2.7)]}
PANELS = [
    CriterionPanel("BIC", "per frame", CURVES, ("diag", 16)),
    CriterionPanel("AIC", "per frame", CURVES),
]


def picture(**changes: Any) -> CriteriaPicture:
    shown: dict[str, Any] = {"panels": PANELS, "recommended": ("diag", 16), "why": "the lowest BIC"}
    return CriteriaPicture(**(shown | changes))


def test_it_names_criteria_forms_sizes_and_the_choice(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_criteria(picture(), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn == (tmp_path / "b.svg").read_text()
    for text in ("BIC", "AIC", "diag", "full", ">8<", ">16<", "diag, 16 components", "the lowest BIC"):
        assert text in drawn, text
    draw_criteria(picture(panels=PANELS[1:], why=""), tmp_path / "c.svg")
    assert "BIC" not in (tmp_path / "c.svg").read_text()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"a\.gif.*\.png"):
        draw_criteria(picture(), tmp_path / "a.gif")
    with pytest.raises(ChoiceError, match="no criterion"):
        draw_criteria(picture(panels=[]), tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        draw_criteria(picture(), tmp_path / "a.png")
    draw_criteria(picture(), tmp_path / "a.png", force=True)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
