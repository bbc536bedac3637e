"""The choice among candidates: sizes as they are written, who is held out, and which one is recommended."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.jobs.select_settings import sizes
from audiogmm.jobs.selected import Selection, knee
from audiogmm.manifest import Entry
from audiogmm.mixture.gaussian import Mixture
from audiogmm.runs.aside import Aside
from audiogmm.runs.holdout import divide, draw
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import say_nothing
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.selection.candidates import Candidate, TrainedCandidate
from audiogmm.training.selection.held_out import HeldOutScores
from audiogmm.training.selection.selection import SelectionResult

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


def judged(K: int, held: Any = None, **values: float) -> TrainedCandidate:
    """A candidate with these figures."""
    scores = None if held is None else HeldOutScores(np.array(held, float), np.full(len(held), 10.0))
    mixture = Mixture(np.full(K, 1 / K), np.arange(K)[:, None], np.ones(K), "spherical")
    figures: dict[str, Any] = {"bic": 5.0, "aic": 5.0, "bic_effective": 5.0, "icl": 5.0, "time": 2.0} | values
    return TrainedCandidate(
        candidate=Candidate("spherical", K),
        mixture=mixture,
        passes=3,
        converged="likelihood",
        n_parameters=mixture.n_parameters,
        log_likelihood=-1.0,
        held_out=scores,
        **figures,
    )


def selection(*candidates: TrainedCandidate, **options: Any) -> Selection:
    held = [len(one.held_out.totals) for one in candidates if one.held_out]
    return Selection(
        SelectionResult(candidates, (), 100, 10, sum(held), max(held, default=0), 3, np.ones(1)), **options
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("8:256", [8, 16, 32, 64, 128, 256]),
        ("8:100", [8, 16, 32, 64, 100]),
        (" 5, 3 ,5", [3, 5]),
        ("7:7", [7]),
        ("1:3,2:4", [1, 2, 3, 4]),
        (np.arange(2, 5), [2, 3, 4]),
    ],
)
def test_sizes(wanted: Any, found: list[int]) -> None:
    assert sizes(wanted) == found


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("8,x", r"-k 8,x: 'x' is no number of components; needed: .*ranges such as 8:256; try: -k 8,16,32"),
        ("8,", "'' is no number"),
        ("8:", "'8:' is no number"),
        ("1:2:3", "'1:2:3' is no number"),
        ("4,0", "-k 4,0: 0 components"),
        ("-4", "-4 components"),
        ("64:8", "the range 64:8 ends before it begins; .*try: 8:64"),
        ([], "no size"),
        ([4, 0], "n_components=0"),
        ([4, 2.5], "n_components=2.5"),
        (True, "n_components=True"),
    ],
)
def test_sizes_that_are_none(wanted: Any, message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        sizes(wanted)


def test_pieces_of_one_file_are_held_out_together_or_not_at_all() -> None:
    entries = [
        Entry(audio_filepath=f"/{file}.wav", id=f"{file}-{piece}", offset=10.0 * piece, duration=10.0)
        for piece in range(5)
        for file in range(12)
    ]
    for seed in range(5):
        held = draw(entries, 0.25, seed)
        assert held is not None
        files = {entry.path for entry in entries if entry.id in held}
        assert len(files) == 3
        assert sum(entry.id in held for entry in entries) == 15


def test_of_one_file_in_pieces_the_last_are_held_out() -> None:
    entries = [Entry(audio_filepath="/a.wav", id=f"a{p}", offset=float(p), duration=1.0) for p in range(10)]
    shards = [ArraySlice(entry.id, np.ones((1, 1), np.float32)) for entry in entries]
    parts = divide(TrainingInputs(shards, Inputs(entries, None, Aside(), say_nothing)), 0.2, seed=0)
    assert parts is not None
    assert [shard.id for shard in parts[1]] == ["a8", "a9"]
    assert [shard.id for shard in parts[0]] == [f"a{p}" for p in range(8)]


def test_the_smallest_within_one_standard_error_is_recommended() -> None:
    best = [-10.0, -30.0, -50.0]  # recordings differ far more than models do
    near = [-11.0, -30.0, -50.0]  # behind by 1/30, error of that 1/30
    far = [-11.0, -31.2, -51.1]
    chosen = selection(judged(2, far), judged(4, near), judged(8, best), judged(16, best))
    assert chosen.chosen["held-out"] == Candidate("spherical", 8)
    assert chosen.recommended.candidate == Candidate("spherical", 4)
    behind, error = chosen.behind(chosen.recommended)
    assert behind == pytest.approx(1 / 30) and error == pytest.approx(1 / 30)
    assert "smallest within one standard error" in chosen.why and "spherical 8" in chosen.why
    assert selection(judged(2, far), judged(8, best)).recommended.candidate.n_components == 8


def test_one_recording_gives_no_standard_error() -> None:
    chosen = selection(judged(2, [-10.1]), judged(4, [-10.0]))
    assert chosen.recommended.candidate.n_components == 4
    assert "one recording gives no standard error" in chosen.why
    assert chosen.edge == "4 is the largest size tried: larger ones may be better still"


@pytest.mark.parametrize("by", ["bic", "bic-effective", "aic", "icl"])
def test_each_criterion_may_recommend(by: Any) -> None:
    low = {by.replace("-", "_"): 1.0}
    chosen = selection(judged(2, [-1, -2]), judged(4, [-3, -4], **low), judged(8, [-3, -4]), by=by)
    assert chosen.recommended.candidate.n_components == 4
    assert chosen.why.startswith("the lowest")
    assert not chosen.edge
    assert [row["chosen_by"] for row in chosen.rows()][1] == [by]


def test_without_held_out_recordings_effective_bic_recommends() -> None:
    chosen = selection(judged(2, bic_effective=3.0), judged(4, bic=1.0))
    assert "held-out" not in chosen.chosen
    assert chosen.recommended.candidate.n_components == 2
    assert next(iter(chosen.rows()))["n_effective"] == 50.0


def test_a_knee_needs_a_bend() -> None:
    assert knee({1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}) is None
    assert knee({1: 8.0, 2: 4.0}) is None
    assert knee({1: 100.0, 2: 10.0, 4: 9.0, 8: 8.0}) == 2


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
