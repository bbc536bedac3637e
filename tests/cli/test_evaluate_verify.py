"""`evaluate verify`: what it says, what it writes, and what it refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

import audiogmm as ag
from audiogmm.errors import ManifestError
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from tests.cli.calls import Audiogmm
from tests.cli.score_files import Rows, kinds, trials, write
from tests.evaluation.verification.test_metrics import eer, min_dcf


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_result_is_that_of_the_metrics_in_one_json_and_one_picture(audiogmm: Audiogmm) -> None:
    rows = trials()
    write("scores.csv", rows)
    call = ["evaluate", "verify", "scores.csv", "--prior", 0.01, "--prior", 0.2, "--cost-miss", 5]
    done = audiogmm(*call, "--by", "sex", "--by", "duration", "--plot", "det.png", "-o", "r.json", "--json")
    assert done.status == 0, done.err
    targets, nontargets = kinds(rows)
    found = json.loads(Path("r.json").read_text())
    assert {key: done.json[key] for key in found} == found
    assert found["eer"]["value"] == eer(targets, nontargets)
    assert found["eer"]["low"] < found["eer"]["value"] < found["eer"]["high"]
    assert found["cllr"]["value"] == pytest.approx(cllr(targets, nontargets))
    assert found["min_cllr"]["value"] == min_cllr(targets, nontargets)
    points = found["operating_points"]
    assert [(p["prior"], p["cost_miss"]) for p in points] == [(0.01, 5), (0.2, 5)]
    for p in points:
        assert p["min_dcf"]["value"] == pytest.approx(min_dcf(targets, nontargets, p["prior"], 5))
        assert p["threshold"] == pytest.approx(math.log((1 - p["prior"]) / p["prior"] / 5))
    assert (found["n_trials"], found["n_targets"], found["n_speakers"]) == (576, 24, 24)
    assert not found["indicative"]
    assert found["interval"] == {"confidence": 0.95, "resampled": "speakers", "replicates": 1000, "seed": 0}
    assert Path("det.png").read_bytes().startswith(b"\x89PNG")

    parts = {(c["key"], c["value"]): c for c in found["conditions"]}
    women = [row for row in rows if row["sex"] == "f"]
    assert parts["sex", "f"]["eer"]["value"] == eer(*kinds(women))
    lengths = [c for c in found["conditions"] if c["key"] == "duration"]
    assert len(lengths) == 4 and sum(c["n_trials"] for c in lengths) == 576
    assert all(abs(c["n_trials"] - 144) < 30 for c in lengths)
    assert lengths[0]["value"].startswith("0.5 to ")


def test_a_person_is_told_what_the_figures_are_worth(audiogmm: Audiogmm) -> None:
    write("scores.csv", trials(stretch=9.0))
    done = audiogmm("evaluate", "verify", "scores.csv", "--by", "sex")
    assert done.status == 0, done.err
    for words in (
        "576 trials (24 target, 552 nontarget) of 24 speakers",
        "EER",
        "min DCF (prior 0.01)",
        "act DCF (prior 0.05)",
        "not calibrated: Cllr is",
        "audiogmm fuse",
        "95% intervals from 1,000 draws of 24 speakers\n",
        "by sex:",
    ):
        assert words in done.out, words
    assert done.out.count("indicative") == 2  # 12 women, 12 men
    write("scores.csv", trials(n_speakers=7))
    few = audiogmm("evaluate", "verify", "scores.csv", "--confidence", 0.9)
    assert "90% intervals from 1,000 draws of 7 speakers: indicative only, under 20" in few.out
    assert few.out == audiogmm("evaluate", "verify", "scores.csv", "--confidence", 0.9, "--threads", 1).out


def test_two_systems_are_compared_on_the_same_trials(audiogmm: Audiogmm) -> None:
    good, bad = trials(), trials(system=1, noise=4.0)
    write("good.csv", good)
    write("bad.csv", bad[::-1])
    done = audiogmm("evaluate", "verify", "good.csv", "--against", "bad.csv", "--plot", "a.svg", "--json")
    assert done.status == 0, done.err
    compared = done.json["against"]["compared"]["eer"]  # type: ignore[index]
    assert compared["first"] == eer(*kinds(good)) and compared["second"] == eer(*kinds(bad))
    assert compared["low"] > 0 and compared["p_value"] < 0.05
    picture = Path("a.svg").read_text()
    assert "good: EER" in picture and "bad: EER" in picture and "bands: 95%" in picture
    told = audiogmm("evaluate", "verify", "bad.csv", "--against", "good.csv").out
    assert "by EER, good.csv is better" in told

    write("part.csv", bad[:500])
    part = audiogmm("evaluate", "verify", "good.csv", "--against", "part.csv", "--json", "-o", "r.json")
    assert part.status == 3
    assert part.json["set_aside"] == 76 and part.json["n_trials"] == 500
    assert "is not a trial of part.csv" in Path("r.json.errors.jsonl").read_text()
    bad[3]["target"] = 1
    write("lies.csv", bad)
    lies = audiogmm("evaluate", "verify", "good.csv", "--against", "lies.csv")
    assert lies.status == 1 and "lies.csv:5 do not agree whether m" in lies.err


Spoil = Callable[[Rows], object]


def without(name: str) -> Spoil:
    return lambda rows: [row.pop(name) for row in rows]


def everywhere(**cells: object) -> Spoil:
    return lambda rows: [row.update(cells) for row in rows]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without("target"), "scores.csv:1 has no column target"),
        (without("score"), "no column score, but model, audio_filepath"),
        (without("model"), "no column model"),
        (without("audio_filepath"), "no column audio_filepath"),
        (everywhere(target=0), "0 target and 576 nontarget trials"),
        (everywhere(target=1), "576 target and 0 nontarget trials"),
        (everywhere(target=""), "no trial that can be used, 576 rows were set aside, first: scores.csv:2"),
        (everywhere(score="nan"), "has the score 'nan'"),
        (
            lambda rows: rows.append(rows[4] | {"score": 9}),
            "scores.csv:578 and line 6 are one trial (m00, 04.wav)",
        ),
        (lambda rows: rows.append(rows[0] | {"target": 0}), "with the target 0 and 1"),
    ],
)
def test_a_list_that_cannot_be_evaluated_is_refused(audiogmm: Audiogmm, spoil: Spoil, told: str) -> None:
    rows = trials()
    spoil(rows)
    write("scores.csv", rows)
    done = audiogmm("evaluate", "verify", "scores.csv", "-o", "r.json")
    assert done.status == 1, done.out
    assert told in done.err
    assert not Path("r.json").exists()


def test_an_empty_file_and_one_that_is_not_there(audiogmm: Audiogmm) -> None:
    for name, content, told in (
        ("empty.csv", "", "empty.csv is empty"),
        ("header.csv", "model,audio_filepath,target,score\n", "header.csv has no trial"),
        ("gone.csv", None, "gone.csv cannot be read"),
    ):
        if content is not None:
            Path(name).write_text(content)
        done = audiogmm("evaluate", "verify", name)
        assert done.status == 1 and told in done.err, done.err


def test_bad_rows_are_named_and_the_rest_is_evaluated(audiogmm: Audiogmm) -> None:
    rows = trials()
    rows[5]["score"], rows[9]["score"], rows[11]["target"] = "nan", "", "perhaps"
    write("scores.csv", rows)
    with Path("scores.csv").open("a") as file:
        file.write("m00,one cell too few\n")
    done = audiogmm("evaluate", "verify", "scores.csv", "-o", "r.json", "--json")
    assert done.status == 3
    assert done.json["n_trials"] == 573 and done.json["set_aside"] == 4
    reasons = Path("r.json.errors.jsonl").read_text()
    for words in (
        "scores.csv:7 has the score 'nan'",
        "scores.csv:11 has the score ''",
        "'perhaps'",
        "2 cells",
    ):
        assert words in reasons, words
    told = audiogmm("evaluate", "verify", "scores.csv")
    assert told.status == 3 and "scores.csv:7" in told.err
    assert audiogmm("evaluate", "verify", "scores.csv", "--strict").status == 1
    with pytest.raises(ManifestError, match=r"scores\.csv:7"):
        ag.evaluate_verify("scores.csv")


def test_a_trial_twice_counts_once_where_both_say_the_same(audiogmm: Audiogmm) -> None:
    rows = trials()
    write("scores.csv", [*rows, *(row | {"offset": "1.000"} for row in rows[:3])])
    done = audiogmm("evaluate", "verify", "scores.csv", "--json")
    assert done.status == 0 and done.json["n_trials"] == 576
    assert "3 rows repeat earlier trials" in str(done.json["notes"])


def test_recordings_of_nobody_known_are_said_to_be_so(audiogmm: Audiogmm) -> None:
    rows = [row for row in trials() if row["audio_filepath"] > "11.wav" or not row["target"]]  # type: ignore[operator]
    write("scores.csv", rows)
    done = audiogmm("evaluate", "verify", "scores.csv", "--json")
    assert (done.json["n_speakers"], done.json["n_target_speakers"]) == (36, 12)
    assert "12 recordings without a target trial" in str(done.json["notes"])
    assert done.json["indicative"] is True
    write("scores.csv", [row | {"speaker": f"m{str(row['audio_filepath'])[:2]}"} for row in rows])
    named = audiogmm("evaluate", "verify", "scores.csv", "--json")
    assert (named.json["n_speakers"], named.json["notes"]) == (24, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--by", "channel"], "no column 'channel' in scores.csv; needed: one of model, audio_filepath"),
        (["--by", "model", "--replicates", 100], ""),
        (["--prior", 0], "a prior of 0"),
        (
            ["--prior", 0.1, "--prior", 0.2, "--cost-miss", 1, "--cost-miss", 2, "--cost-miss", 3],
            "3 costs of a miss",
        ),
        (["--plot", "det.gif"], "a picture cannot be written to det.gif"),
        (["--column", "raw"], "no column raw"),
    ],
)
def test_wrong_usage(audiogmm: Audiogmm, arguments: list[object], told: str) -> None:
    write("scores.csv", trials())
    done = audiogmm("evaluate", "verify", "scores.csv", *arguments)
    assert done.status == (0 if not told else 1 if "raw" in arguments else 2), done.err
    assert told in done.err


def test_nothing_is_overwritten_unasked(audiogmm: Audiogmm) -> None:
    write("scores.csv", trials(n_speakers=5))
    for name in ("r.json", "det.png"):
        Path(name).write_text("mine")
    for arguments in (["-o", "r.json"], ["--plot", "det.png"], ["-o", "scores.csv", "--force"]):
        done = audiogmm("evaluate", "verify", "scores.csv", *arguments)
        assert done.status == 1, arguments
    assert Path("r.json").read_text() == Path("det.png").read_text() == "mine"
    assert audiogmm("evaluate", "verify", "scores.csv", "-o", "r.json", "--force").status == 0
