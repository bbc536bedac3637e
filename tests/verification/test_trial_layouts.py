"""Lists of trials as others have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.verification.trials import TrialList


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("s0 u1 target\ns1  u1\tnontarget\n", "model test target", ["s0 u1 1", "s1 u1 0"]),
        ("1 s0 u1\n0 s1 u1\n", "model test target", ["s0 u1 1", "s1 u1 0"]),
        ("s0\tu1\ta\ns1\tu1\tb\n", "model test channel", ["s0 u1 0", "s1 u1 1"]),
        (
            "modelid\tsegmentid\tside\ttargettype\ns0\tu1\ta\ttarget\ns1\tu1\tb\tnontarget\n",
            "model test channel target",
            ["s0 u1 0 1", "s1 u1 1 0"],
        ),
    ],
    ids=["kaldi", "voxceleb", "nist", "sre"],
)
def test_lists_of_others(tmp_path: Path, text: str, columns: str, rows: list[str]) -> None:
    (tmp_path / "trials").write_text(text)
    trials = TrialList(str(tmp_path / "trials"), by_id=True)
    assert trials.columns == tuple(columns.split())
    assert [" ".join(trial.cells) for trial in trials] == rows
    assert [trial.model for trial in trials] == ["s0", "s1"]
    assert all(trial.segment[-1] == "u1" for trial in trials)
    first = text.startswith("modelid") + 1
    assert [trial.line for trial in trials] == [first, first + 1]


def test_voxceleb_names_recordings(tmp_path: Path) -> None:
    (tmp_path / "veri.txt").write_text("1 id1/a/1.wav id1/b/2.wav\nbad\n0 id2/a/1.wav id1/b/2.wav\n")
    bad: list[int] = []
    trials = list(TrialList(str(tmp_path / "veri.txt"), lambda line, _: bad.append(line)))
    assert [(trial.model, trial.segment[0]) for trial in trials] == [
        ("id1/a/1.wav", "id1/b/2.wav"),
        ("id2/a/1.wav", "id1/b/2.wav"),
    ]
    assert bad == [2]


def test_kaldi_names_ids(tmp_path: Path) -> None:
    (tmp_path / "trials").write_text("s0 u1 target\n")
    with pytest.raises(ManifestError, match="--manifest M, whose entries the column test names"):
        TrialList(str(tmp_path / "trials"))
