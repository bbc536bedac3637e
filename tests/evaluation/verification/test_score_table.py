"""Score files, ours and Kaldi's."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.evaluation.verification.score_table import read_score_table
from audiogmm.runs.aside import Aside


@pytest.mark.parametrize(
    "key",
    [
        "s0 u1 target\ns0 u2 nontarget\n",
        "1 s0 u1\n0 s0 u2\n",
        "modelid\tsegmentid\ttargettype\ns0\tu1\ttarget\ns0\tu2\tnontarget\n",
        "model,test,target\ns0,u1,1\ns0,u2,0\n",
    ],
)
@pytest.mark.parametrize(
    "scores", ["s0 u1 1.5\ns0 u2 -2\ns9 u9 0\n", "model,test,score\ns0,u1,1.5\ns0,u2,-2\n"]
)
def test_scores_and_their_key(tmp_path: Path, key: str, scores: str) -> None:
    (tmp_path / "key").write_text(key)
    (tmp_path / "scores").write_text(scores)
    table = read_score_table(tmp_path / "scores", aside=Aside(strict=True), trials=tmp_path / "key")
    assert table.numbers("score").tolist() == [1.5, -2.0]
    assert table.targets().tolist() == [True, False]


def test_scores_without_a_key(tmp_path: Path) -> None:
    (tmp_path / "scores").write_text("s0 u1 1.5\n")
    with pytest.raises(ManifestError, match=r"no column target.*--trials KEY"):
        read_score_table(tmp_path / "scores", aside=Aside(strict=True))
