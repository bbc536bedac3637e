"""`evaluate verify` and `fuse`: what they say, what they write, and what they refuse."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from tests.cli.calls import Audiogmm
from tests.evaluation.verification.test_metrics import eer, min_dcf

Rows = list[dict[str, object]]


def trials(
    n_speakers: int = 24, seed: int = 0, system: int = 0, stretch: float = 1.0, noise: float = 1.0
) -> Rows:
    """Every model against a recording of everyone; the speakers are the seed's, the noise the system's."""
    llr = np.random.default_rng(seed).normal(size=(n_speakers, n_speakers)) * 1.2
    llr += noise * np.random.default_rng([seed, system]).normal(size=llr.shape)
    llr += np.where(np.eye(n_speakers, dtype=bool), 2.2, -2.2)
    return [
        {
            "model": f"m{i:02}",
            "audio_filepath": f"{j:02}.wav",
            "offset": "1.0",
            "duration": 0.5 + 7 * j % 40 / 10,
            "sex": "f" if i % 2 else "m",
            "target": int(i == j),
            "score": stretch * llr[i, j],
        }
        for i in range(n_speakers)
        for j in range(n_speakers)
    ]


def write(path: str, rows: Rows) -> None:
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def kinds(rows: Rows) -> tuple[list[float], list[float]]:
    return tuple([float(str(r["score"])) for r in rows if r["target"] == kind] for kind in (1, 0))  # type: ignore[return-value]


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
    assert ones.status == 1 and "ones.csv has target trials only, 30 of them" in ones.err
    write("none.csv", [{k: v for k, v in row.items() if k != "target"} for row in rows])
    none = audiogmm("fuse", "a.csv", "--train", "none.csv", "-o", "x.csv")
    assert none.status == 1 and "none.csv:1 has no column target" in none.err
    write("others.csv", [row | {"model": "x"} for row in rows[:1]])  # type: ignore[misc]
    apart = audiogmm("fuse", "a.csv", "others.csv", "--train", "a_train.csv", "b_train.csv", "-o", "x.csv")
    assert apart.status == 1 and "have no trial in common" in apart.err
    with pytest.raises(ChoiceError, match="a prior of 2"):
        ag.fuse(["a.csv"], ["a_train.csv"], prior=2)
