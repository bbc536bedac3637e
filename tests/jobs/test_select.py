"""From blocks of frames to a table of candidates, and from there to a model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.training.selection.candidates import Candidate

CLOCK = ag.FrameClock(16000, 160, 400)


def blocks(n: int = 8, rows: int = 200, K: int = 3, seed: int = 0) -> list[ag.FrameBlock]:
    """Recordings of frames around K centres."""
    random = np.random.default_rng(seed)
    centres = 6 * random.normal(size=(K, 3))
    frames = (centres[random.integers(K, size=n * rows)] + random.normal(size=(n * rows, 3))).astype(
        np.float32
    )
    return [
        ag.FrameBlock(frames[i : i + rows], np.ones(rows, bool), 0, CLOCK) for i in range(0, n * rows, rows)
    ]


def test_from_blocks_to_a_table(tmp_path: Path) -> None:
    chosen = ag.select(blocks(), n_components=[1, 2, 3, 5], covariance_type=["spherical", "diag"])
    assert chosen.recommended.candidate == Candidate("spherical", 3)
    assert chosen.chosen["knee"].form == "kmeans"
    assert set(chosen.chosen) == {"held-out", "bic", "bic-effective", "aic", "icl", "knee"}
    assert chosen.model.mixture == chosen.recommended.mixture
    chosen.write(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["covariance_type"], row["n_components"]) for row in rows] == [
        (form, str(K)) for form in ("spherical", "diag") for K in (1, 2, 3, 5)
    ]
    assert [row["recommended"] for row in rows].index("True") == 2
    assert float(rows[2]["held_out"]) == chosen.recommended.held_out.mean  # type: ignore[union-attr]
    assert rows[2]["kmeans_inertia"] == rows[6]["kmeans_inertia"] != ""
    assert any("recommended: spherical 3" in line for line in chosen.lines())


def test_a_selection_goes_on_as_a_training() -> None:
    chosen = ag.select(blocks(seed=2), n_components=(2, 3), kmeans=False)
    model = ag.train(blocks(seed=2), start=chosen.model, hold_out=0.2)
    assert model.mixture.n_components == chosen.recommended.candidate.n_components
    assert model.metadata.detector["threshold"] < 0


def test_what_is_no_choice_is_refused() -> None:
    with pytest.raises(ChoiceError, match="'diagonal'"):
        ag.select(blocks(), covariance_type="diagonal")  # type: ignore[arg-type]
    with pytest.raises(ChoiceError, match="by='best'; needed: one of held-out"):
        ag.select(blocks(), by="best")  # type: ignore[arg-type]
    with pytest.raises(ChoiceError, match=r"nothing held out; .*--by bic-effective"):
        ag.select(blocks(), by="held-out", hold_out=0)
    with pytest.raises(ChoiceError, match=r"hold_out=0.7"):
        ag.select(blocks(), hold_out=0.7)
    with pytest.raises(TrainingError, match="frames for 4096 components"):
        ag.select(blocks(), n_components="2,4096")
