"""The picture of a selection: what it shows, and that it is the same for the same table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import ChoiceError, OutputError
from audiogmm.reporting.criteria import CriteriaPicture, CriterionPanel, draw_criteria, render_criteria

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


def test_a_table_is_drawn_alike_from_numbers_and_from_text() -> None:
    names = ("held_out", "behind_error", "bic", "aic", "kmeans_inertia", "chosen_by", "recommended")
    cells = {
        ("diag", 8): (-50.5, 0.25, 300.0, 250.0, 90.0, ["aic"], False),
        ("diag", 4): (-51.0, None, 200.0, 260.0, 120.0, ["held-out", "bic"], True),
    }
    rows = [
        {"covariance_type": form, "n_components": size, **dict(zip(names, values, strict=True))}
        for (form, size), values in cells.items()
    ]
    made = CriteriaPicture.of_table(rows, n_frames=10, knee=4)
    assert made.recommended == ("diag", 4)
    assert [(p.title, p.best) for p in made.panels] == [
        ("Held-out likelihood", ("diag", 4)),
        ("BIC", ("diag", 4)),
        ("AIC", ("diag", 8)),
        ("K-means inertia", ("k-means", 4)),
    ]
    held_out, bic, _, inertia = made.panels
    assert held_out.curves == {"diag": [(4, -51.0), (8, -50.5)]} and held_out.errors == {"diag": [(8, 0.25)]}
    assert bic.curves == {"diag": [(4, 20.0), (8, 30.0)]} and bic.unit == "per frame, lower is better"
    assert inertia.curves == {"k-means": [(4, 12.0), (8, 9.0)]}
    text = [
        {key: " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
         for key, value in row.items()}
        for row in rows
    ]  # fmt: skip
    assert CriteriaPicture.of_table(text, n_frames=10, knee=4) == made
    assert render_criteria(made) == render_criteria(CriteriaPicture.of_table(text, n_frames=10, knee=4))
