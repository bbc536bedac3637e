"""`fuse`: what it says, what it writes, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError
from tests.cli.calls import Audiogmm
from tests.cli.score_files import read, trials, write


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fusion_files() -> None:
    """Two systems with noise of their own, on their own scales, and the same for training."""
    for name, seed in (("", 0), ("_train", 1)):
        a = trials(30, seed=seed, system=1, noise=2.0)
        b = trials(30, seed=seed, system=2, noise=2.0, stretch=0.1)
        for row in b:
            row["score"] = float(str(row["score"])) + 5
        write(f"a{name}.csv", a)
        write(f"b{name}.csv", b[::-1])


def test_a_fusion_is_better_than_its_parts_and_calibrated(audiogmm: Audiogmm) -> None:
    fusion_files()
    call = ["fuse", "a.csv", "b.csv", "--train", "a_train.csv", "b_train.csv"]
    done = audiogmm(*call, "-o", "fused.csv", "--prior", 0.5, "--json")
    assert done.status == 0, done.err
    assert done.json["calibration"]["names"] == ["a.score", "b.score"]  # type: ignore[index]
    fused, a = read("fused.csv"), read("a.csv")
    assert [row["audio_filepath"] for row in fused] == [row["audio_filepath"] for row in a]
    assert list(fused[0]) == [*a[0], "decision"]
    assert all((row["decision"] == "accept") == (float(row["score"]) >= 0) for row in fused)
    one, both = ag.evaluate_verify("a.csv"), ag.evaluate_verify("fused.csv")
    assert both.overall.min_cllr.value < one.overall.min_cllr.value
    assert both.overall.cllr.value < 1.5 * both.overall.min_cllr.value
    assert both.overall.cllr.value < 0.7 * ag.evaluate_verify("b.csv").overall.cllr.value

    again = audiogmm("fuse", "--train", "a_train.csv", "--train", "b_train.csv", "-o", "x.csv", "--json")
    assert again.status == 2
    apart = audiogmm(
        "fuse", "a.csv", "b.csv", "-o", "x.csv", "--train", "a_train.csv", "--train", "b_train.csv"
    )
    assert apart.status == 0, apart.err
    assert [row["score"] for row in read("x.csv")] == [row["score"] for row in fused]


def test_a_single_system_is_calibrated_with_side_information(audiogmm: Audiogmm) -> None:
    fusion_files()
    done = audiogmm(
        "fuse", "b.csv", "--train", "b_train.csv", "--quality", "log_duration", "-o", "c.csv", "--json"
    )
    assert done.status == 0, done.err
    found = done.json["calibration"]
    assert found["names"] == ["score", "log_duration"]  # type: ignore[index]
    weights, offset = found["weights"], found["offset"]  # type: ignore[index]
    for before, after in zip(read("b.csv"), read("c.csv"), strict=True):
        llr = weights[0] * float(before["score"]) + weights[1] * math.log(float(before["duration"])) + offset
        assert float(after["score"]) == pytest.approx(llr, abs=1e-9)
    told = audiogmm("fuse", "b.csv", "--train", "b_train.csv", "-o", "d.csv").out
    assert "calibration of 1 system, learned from 30 target trials and 870 nontarget trials" in told


def test_rows_that_a_system_lacks_are_named(audiogmm: Audiogmm) -> None:
    fusion_files()
    rows = read("b.csv")
    write("b.csv", rows[2:])  # type: ignore[arg-type]
    call = ["fuse", "a.csv", "b.csv", "--train", "a_train.csv", "b_train.csv", "-o", "fused.csv"]
    done = audiogmm(*call)
    assert done.status == 3
    assert "a.csv:901 (m29, 29.wav) is not a trial of b.csv" in Path("fused.csv.errors.jsonl").read_text()
    assert len(read("fused.csv")) == 898
    doubled = [*rows, rows[7] | {"score": "1"}]
    write("b.csv", doubled)  # type: ignore[arg-type]
    twice = audiogmm(*call, "--force")
    assert twice.status == 1 and "b.csv:902 and line 9 are one trial" in twice.err


def test_what_cannot_be_fused_is_refused(audiogmm: Audiogmm) -> None:
    fusion_files()
    for arguments, status, told in (
        (["a.csv", "b.csv", "--train", "a_train.csv"], 2, "2 score files and 1 training file;"),
        (["a.csv"], 2, "--train"),
        (["a.csv", "--train", "a_train.csv", "--quality", "snr"], 1, "no column snr"),
        (["a.csv", "--train", "a_train.csv", "--column", "raw"], 1, "no column raw"),
    ):
        done = audiogmm("fuse", *arguments, "-o", "x.csv")
        assert done.status == status, done.err
        assert told in done.err
    rows = read("a_train.csv")
    write("ones.csv", [row for row in rows if row["target"] == "1"])  # type: ignore[misc]
    ones = audiogmm("fuse", "a.csv", "--train", "ones.csv", "-o", "x.csv")
    assert ones.status == 1 and "ones.csv has only target trials, 30 of them" in ones.err
    write("none.csv", [{k: v for k, v in row.items() if k != "target"} for row in rows])
    none = audiogmm("fuse", "a.csv", "--train", "none.csv", "-o", "x.csv")
    assert none.status == 1 and "none.csv:1 has no column target" in none.err
    write("others.csv", [row | {"model": "x"} for row in rows[:1]])  # type: ignore[misc]
    apart = audiogmm("fuse", "a.csv", "others.csv", "--train", "a_train.csv", "b_train.csv", "-o", "x.csv")
    assert apart.status == 1 and "have no trial in common" in apart.err
    with pytest.raises(ChoiceError, match="a prior of 2"):
        ag.fuse(["a.csv"], ["a_train.csv"], prior=2)
