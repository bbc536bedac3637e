"""A detector's scores on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.calls import Audiogmm, arrays


def test_train_calibrate_score_detect_and_info(workshop: Path, audiogmm: Audiogmm, tmp_path: Path) -> None:
    model, calibrated = tmp_path / "m.agmm", tmp_path / "c.agmm"
    ran = audiogmm(
        "train", workshop / "train.jsonl", "--preset", "ambient", "-k", 4, "--hold-out", 0.3,
        "--scores", "mean,twfr", "-o", model, "--json",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert ran.json["scores"] == ["mean", "twfr"]
    ran = audiogmm("calibrate", model, workshop / "train.jsonl", "--scores", "scales", "-o", calibrated)
    assert ran.status == 0 and "scores: scales" in ran.out and "normal deviates" in ran.out, ran.err
    for path, names in ((model, "mean, twfr"), (calibrated, "scales")):
        ran = audiogmm("info", path)
        assert f"scores: {names}" in ran.out and "latency of scores" in ran.out
    scores = tmp_path / "scores"
    ran = audiogmm("score", model, workshop / "test.jsonl", "-o", scores, "--detector", "--json")
    assert ran.status == 0 and ran.json["unit"] == "normal deviates", ran.err
    plain = tmp_path / "plain"
    assert audiogmm("score", model, workshop / "test.jsonl", "-o", plain).status == 0
    for track in scores.glob("*.npz"):
        ours, theirs = arrays(track), arrays(plain / track.name)
        np.testing.assert_array_equal(ours["times"], theirs["times"])
        assert not np.allclose(ours["scores"], theirs["scores"])
    events = tmp_path / "e.jsonl"
    assert audiogmm("detect", model, workshop / "test.jsonl", "-o", events).status == 0


def test_two_kinds_of_scores_are_not_mixed_by_resume(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audiogmm.jobs.score import ScoreTask

    train = ["train", "train.jsonl", "--preset", "ambient", "-k", 4, "--scores", "ratio", "-o", "m.agmm"]
    assert audiogmm(*train).status == 0
    plain, scored = ScoreTask.__call__, []

    def stopping(task: ScoreTask, shard: Any) -> object:
        if scored:
            raise KeyboardInterrupt
        scored.append(shard.id)
        return plain(task, shard)

    monkeypatch.setattr(ScoreTask, "__call__", stopping)
    assert audiogmm(*["score", "m.agmm", "test.jsonl", "-o", "s", "--threads", "1"]).status == 130
    monkeypatch.setattr(ScoreTask, "__call__", plain)
    ran = audiogmm(*["score", "m.agmm", "test.jsonl", "-o", "s", "--resume", "--detector"])
    assert ran.status == 1 and "folder that is not empty" in ran.err
    assert audiogmm(*["score", "m.agmm", "test.jsonl", "-o", "s", "--resume"]).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "M", "--scores", "nothing", "-o", "x.agmm"), "score 'nothing'"),
        (("select", "M", "--scores", "fusion", "-o", "x.csv"), "--scores fusion without --save"),
    ],
)
def test_wrong_scores_are_said_so(
    arguments: tuple[str, ...], said: str, workshop: Path, audiogmm: Audiogmm, tmp_path: Path
) -> None:
    given = [workshop / "train.jsonl" if a == "M" else tmp_path / a if "." in a else a for a in arguments]
    ran = audiogmm(*given)
    assert ran.status in (1, 2) and said in ran.err


def test_select_saves_a_model_with_scores(workshop: Path, audiogmm: Audiogmm, tmp_path: Path) -> None:
    ran = audiogmm(
        "select", workshop / "train.jsonl", "--preset", "ambient", "-k", "2,4", "--no-kmeans",
        "-o", tmp_path / "t.csv", "--save", tmp_path / "m.agmm", "--scores", "quantile:0.5",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert "scores: quantile:0.5" in audiogmm("info", tmp_path / "m.agmm").out
