"""`audiogmm select`: table, picture, model; what it refuses, and what Ctrl-C leaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import audiogmm.jobs.select as job
from tests.cli.calls import Audiogmm

FEW = ["-k", "1,2,3", "--preset", "ambient", "--covariance", "diag,spherical", "--passes", 5, "--no-kmeans"]


def test_a_table_a_picture_and_a_model_that_detects(workshop: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm(
        "select", "train.jsonl", "-k", "1:4", "--preset", "ambient", "--covariance", "diag,full",
        "-o", "t.csv", "--plot", "t.png", "--save", "m.agmm", "--json",
    )  # fmt: skip
    assert done.status == 0, done.err
    summary = done.json
    assert [(r["covariance_type"], r["n_components"]) for r in summary["rows"]] == [  # type: ignore[attr-defined]
        (form, K) for form in ("diag", "full") for K in (1, 2, 4)
    ]
    assert set(summary["chosen"]) >= {"held-out", "bic", "bic-effective", "aic", "icl"}  # type: ignore[call-overload]
    assert (
        summary["why"] and summary["n_recordings"] == summary["held_out_recordings"] == 3
    )  # at least 30 s, at most half
    rows = list(csv.DictReader(Path("t.csv").read_text().splitlines()))
    (best,) = [row for row in rows if row["recommended"] == "True"]
    assert int(best["n_components"]) == summary["n_components"]
    assert Path("t.png").read_bytes().startswith(b"\x89PNG")

    info = audiogmm("info", "m.agmm", "--json").json
    assert info["n_components"] == summary["n_components"]
    assert audiogmm("detect", "m.agmm", "test.jsonl", "-o", "e.jsonl").status == 0

    again = audiogmm("select", "train.jsonl", *FEW, "-o", "t.csv")
    assert again.status == 1 and "t.csv exists already" in again.err
    for option in ("--plot", "--save"):
        name = {"--plot": "t.png", "--save": "m.agmm"}[option]
        refused = audiogmm("select", "train.jsonl", *FEW, "-o", "new.csv", option, name)
        assert refused.status == 1 and f"{name} exists already" in refused.err
    assert not Path("new.csv").exists()
    same = audiogmm("select", "train.jsonl", *FEW, "-o", "one.x", "--save", "one.x")
    assert same.status == 1 and "one.x is named for two outputs" in same.err


def test_the_table_is_for_people(workshop: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("select", "train.jsonl", *FEW, "-o", "t.csv")
    assert done.status == 0, done.err
    heading, *rows = done.out.splitlines()[1:8]
    assert heading.split()[:2] == ["form", "K"] and len(rows) == 6
    assert len({len(row.removesuffix("<-").rstrip()) for row in rows}) == 1  # aligned
    for name in ("held-out likelihood", "BIC", "BIC, effective frames", "AIC", "ICL"):
        assert f"{name} chooses " in done.out
    assert "recommended: " in done.out and "table: t.csv" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-k", "8,x"], "'x' is no number of components"),
        (["-k", "64:8"], "try: 8:64"),
        (["--covariance", "diag,round"], "'round' is not one of diag, full, tied, spherical"),
        (["--by", "held-out", "--hold-out", 0], "--by bic-effective"),
        (["--plot", "t.gif"], ".png"),
    ],
)
def test_wrong_usage_costs_nothing(
    workshop: Path, audiogmm: Audiogmm, options: list[object], said: str
) -> None:
    done = audiogmm("select", "train.jsonl", *options, "-o", "t.csv")
    assert done.status == 2 and said in done.err, done.err
    assert not list(Path().glob("t.*"))


def test_more_components_than_frames(workshop: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("select", "train.jsonl", "--preset", "ambient", "-k", "2,100000", "-o", "t.csv")
    assert done.status == 1
    assert "frames for 100000 components" in done.err and "sizes of at most" in done.err


def test_a_bad_recording_is_set_aside_once(workshop: Path, audiogmm: Audiogmm) -> None:
    good = Path("train.jsonl").read_text()
    Path("broken.wav").write_bytes(b"RIFF not a wav at all")
    Path("mixed.jsonl").write_text(good + json.dumps({"audio_filepath": "broken.wav"}) + "\n")
    done = audiogmm("select", "mixed.jsonl", *FEW, "-o", "t.csv", "--save", "m.agmm")
    assert done.status == 3, done.err
    assert Path("t.csv").exists() and Path("m.agmm").exists()
    (row,) = [json.loads(line) for line in Path("t.csv.errors.jsonl").read_text().splitlines()]
    assert row["id"] == "broken"
    assert audiogmm("select", "mixed.jsonl", *FEW, "-o", "s.csv", "--strict").status == 1


def test_ctrl_c_keeps_the_table_of_what_is_finished(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: job.SelectionWatch, number: int, finished: int, n: int) -> None:
        if finished >= after:
            raise KeyboardInterrupt

    monkeypatch.setattr(job.SelectionWatch, "on_candidates", stop)
    after = 1
    few = [*FEW[:-3], "--passes", 60, "--no-kmeans"]
    done = audiogmm("select", "train.jsonl", *few, "-o", "t.csv", "--save", "m.agmm")
    assert done.status == 130
    rows = list(csv.DictReader(Path("t.csv").read_text().splitlines()))
    assert 1 <= len(rows) < 6
    assert f"The table of the {len(rows)} candidates finished is in t.csv" in done.err
    assert "not finished: " in done.err and "--resume continues" in done.err
    assert not Path("m.agmm").exists()
    after = 99
    done = audiogmm("select", "train.jsonl", *few, "-o", "t.csv", "--save", "m.agmm", "--resume")
    assert done.status == 0, done.err
    assert audiogmm("select", "train.jsonl", *few, "-o", "whole.csv", "--save", "whole.agmm").status == 0
    for name in ("csv", "agmm"):
        resumed = Path("t.csv" if name == "csv" else "m.agmm")
        assert resumed.read_bytes() == Path(f"whole.{name}").read_bytes()
    assert not list(Path().glob("*checkpoint*"))

    after = 0
    done = audiogmm(
        "select", "train.jsonl", "-k", "2,3", "--preset", "ambient", "-o", "none.csv", "--tol", 1e-9
    )
    assert done.status == 130 and "Nothing was written" in done.err
    assert not Path("none.csv").exists()


def test_a_single_recording_is_judged_by_its_last_fifth(workshop: Path, audiogmm: Audiogmm) -> None:
    wav = next(Path("train").glob("**/*.wav"))
    done = audiogmm("select", wav, *FEW, "-o", "t.csv", "--json")
    assert done.status == 0, done.err
    assert done.json["held_out_recordings"] == 1
    total = done.json["n_frames"] + done.json["held_out_frames"]  # type: ignore[operator]
    assert done.json["held_out_frames"] == total // 5
    assert done.json["rows"][0]["held_out_error"] is None  # type: ignore[index]


def test_a_recording_too_short_to_hold_a_part_out(table: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("select", "one.npy", "-o", "x.csv", "-k", "1")
    assert done.status == 2
    assert "the only recording, has 3 frames" in done.err
    assert "--hold-out 0" in done.err
    assert audiogmm("select", "one.npy", "-o", "x.csv", "-k", "1", "--hold-out", 0).status == 0
