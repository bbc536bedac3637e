"""The worked examples of `scripts/` run, and find what was put into their data."""

from __future__ import annotations

import ast
import csv
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import soundfile
from sklearn.metrics import roc_auc_score

from audiogmm.synth import make_scenes, write_corpus
from audiogmm.synth.corpus import make_speakers

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(script: str, *arguments: object, status: int = 0) -> str:
    """Call a script as a user does, with the command of this environment."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == status, done.stderr
    return done.stdout if status != 1 else done.stderr


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("example_customers.py", ["15 are the odd ones"]),
        ("example_pixels.py", ["sky: 100.0%", "grass: 100.0%", "roof: 100.0%"]),
        ("example_returns.py", ["day 100: found", "day 250: found", "day 400: found", "3 events in all"]),
        ("example_embeddings.py", ["kind 0: 100.0%", "kind 3: 100.0%", "40 utterances scored"]),
    ],
)
def test_an_example_finds_what_was_put_in(script: str, found: list[str], tmp_path: Path) -> None:
    told = run(script, tmp_path / "out")
    for words in found:
        assert words in told


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt install ffmpeg")
def test_formats_are_those_of_the_peers() -> None:
    """A few rows; the order of channels among them."""
    told = run("check_formats.py", "vorbis 5.1", "ogg opus 5.1", "3gp aac")
    assert "\n3 right, 0 with a fault, 0 not made" in told


@pytest.mark.data
def test_fsdd_is_identified(data: Path) -> None:
    told = run("recipe_fsdd.py", data / "fsdd")
    right, of = told.partition("identified ")[2].split()[0:3:2]
    assert int(of) == 300
    assert int(right) >= 0.99 * int(of)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of six synthesised speakers."""
    folder = tmp_path_factory.mktemp("voices") / "corpus"
    write_corpus(folder, make_speakers(seed=3, count=6, train=3, test=2, duration=2.0))
    return folder


def rows_of(manifest: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in manifest.read_text().splitlines()]


def write_rows(manifest: Path, rows: list[dict[str, object]]) -> None:
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))


def scores_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def judged(out: Path) -> dict[str, object]:
    """The result of a recipe, with its picture."""
    assert (out / "det.png").stat().st_size > 10_000
    result: dict[str, object] = json.loads((out / "result.json").read_text())
    return result


def test_a_recipe_cross_fits_from_audio_to_a_det_curve(voices: Path, tmp_path: Path) -> None:
    fold = {f"speaker_{k}": k % 3 for k in range(6)}
    for split in ("train", "test"):
        rows = [row | {"fold": fold[str(row["speaker"])]} for row in rows_of(voices / f"{split}.jsonl")]
        write_rows(voices / f"{split}_folds.jsonl", rows)
    trials = [
        (name, row["audio_filepath"], row["fold"], int(name == row["speaker"]))
        for row in rows
        for name in fold
        if fold[name] == row["fold"]
    ]
    with (voices / "trials.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("model", "audio_filepath", "fold", "target"), *trials])
    lists = (voices / "train_folds.jsonl", voices / "train_folds.jsonl", voices / "trials.csv")
    out = tmp_path / "out"
    told = run("recipe_verify.py", *lists, "-o", out, "--folds", "0,2", "--sample-rate", 16000)
    assert told.count("$ audiogmm train") == 2
    assert told.count("$ audiogmm evaluate") == 1
    found = scores_of(out)
    assert [row["fold"] for row in found] == ["0"] * 8 + ["2"] * 8
    assert judged(out)["n_trials"] == 16
    for part in "02":
        background = {row["speaker"] for row in rows_of(out / f"fold-{part}" / "background.jsonl")}
        assert background == {name for name, its in fold.items() if str(its) != part}
        assert {row["model"] for row in scores_of(out / f"fold-{part}")} == set(fold) - background
    refused = run("recipe_verify.py", *lists, "-o", out, "--folds", "7", status=1)
    assert "has no fold 7, but 0, 1, 2" in refused


def test_voxceleb_is_read_as_it_is_laid_out(voices: Path, tmp_path: Path) -> None:
    wav = tmp_path / "wav"
    names = {}
    for split in ("train", "test"):
        for row in rows_of(voices / f"{split}.jsonl"):
            k, n = str(row["speaker"])[-1], str(row["audio_filepath"])[-5]
            name = f"id1000{k}/video{split}/0000{n}.wav"
            (wav / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(voices / str(row["audio_filepath"]), wav / name)
            names[k, split, n] = name
    pairs = [(names[a, "train", "0"], names[b, "test", n]) for a in "01" for b in "01" for n in "01"]
    gone = "id10000/videogone/00000.wav"
    lines = [f"{int(a[:7] == b[:7])} {a} {b}\n" for a, b in [*pairs, (pairs[0][0], gone)]]
    (tmp_path / "veri_test.txt").write_text("".join(lines))
    out = tmp_path / "out"
    run("recipe_voxceleb.py", wav, tmp_path / "veri_test.txt", "-o", out, "--per-speaker", 3, status=3)
    background = rows_of(out / "background.jsonl")
    assert {row["speaker"] for row in background} == {f"id1000{k}" for k in range(2, 6)}
    assert len(background) == 12
    assert (
        sum("videotest" in str(row["audio_filepath"]) for row in background) == 8
    )  # two and one of two videos
    found = scores_of(out)
    assert len(found) == len(pairs)
    assert {row["model"] for row in found} == {pairs[0][0][:-4], pairs[-1][0][:-4]}
    assert judged(out)["n_speakers"] == 2
    assert gone in (out / "scores.csv.errors.jsonl").read_text()


def test_fsdd_is_tried(voices: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    rows = rows_of(voices / "train.jsonl")[:6]
    for i, row in enumerate(rows):  # two speakers: 5 and 6 enroll, 0 is the test
        who, index = ("ann", "bob")[i // 3], (5, 6, 0)[i % 3]
        shutil.copy(voices / str(row["audio_filepath"]), recordings / f"7_{who}_{index}.wav")
    others = rows_of(voices / "train.jsonl")[6:]
    write_rows(voices / "others.jsonl", others)
    out = tmp_path / "out"
    run("recipe_fsdd.py", recordings, "--background", voices / "others.jsonl", "-o", out)
    assert [(row["model"], Path(row["audio_filepath"]).name, row["target"]) for row in scores_of(out)] == [
        ("ann", "7_ann_0.wav", "1"),
        ("bob", "7_ann_0.wav", "0"),
        ("ann", "7_bob_0.wav", "0"),
        ("bob", "7_bob_0.wav", "1"),
    ]
    assert judged(out)["n_trials"] == 4


def touched(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


@pytest.fixture
def dcase_layout(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("dcase_layout")


def test_every_year_of_dcase_is_read_as_it_is_laid_out(dcase_layout: Any, tmp_path: Path) -> None:
    old, middle, new = tmp_path / "2020", tmp_path / "2021", tmp_path / "2024"
    touched(old / "fan/train", ["normal_id_00_00000000.wav"])
    touched(old / "fan/test", ["normal_id_00_00000000.wav", "anomaly_id_00_00000003.wav", "readme.wav"])
    touched(old / "eval/fan/test", ["id_00_00000007.wav"])
    touched(middle / "fan/train", ["section_01_target_train_normal_0002_s_1_noise.wav"])
    touched(middle / "fan/source_test", ["section_01_source_test_anomaly_0000.wav"])
    touched(middle / "fan/target_test", ["section_01_target_test_0004.wav"])
    touched(new / "dev_data/raw/ToyCar/train", ["section_00_source_train_normal_0989_car_A1.wav"])
    touched(new / "dev_data/raw/ToyCar/test", ["section_00_target_test_normal_0001_car_B1.wav"])
    touched(new / "eval_data/raw/shaker/test", ["section_00_0003.wav", "section_00_test_0004.wav"])

    def read(root: Path) -> list[tuple[object, ...]]:
        clips = dcase_layout.clips_in(root)
        return [(c.machine, c.section, c.number, c.domain, c.label, c.train) for c in clips]

    assert read(old) == [
        ("fan", "00", "00000007", "", "", False),
        ("fan", "00", "00000003", "", "anomaly", False),
        ("fan", "00", "00000000", "", "normal", False),
        ("fan", "00", "00000000", "", "normal", True),
    ]
    assert read(middle) == [
        ("fan", "01", "0000", "source", "anomaly", False),
        ("fan", "01", "0004", "target", "", False),
        ("fan", "01", "0002", "target", "normal", True),
    ]
    assert read(new) == [
        ("ToyCar", "00", "0001", "target", "normal", False),
        ("ToyCar", "00", "0989", "source", "normal", True),
        ("shaker", "00", "0003", "", "", False),
        ("shaker", "00", "0004", "", "", False),
    ]
    years = [dcase_layout.year_of(dcase_layout.clips_in(root)) for root in (old, middle, new)]
    assert years == [2020, 2021, 2024]

    (old / "eval_data_list.csv").write_text("fan\nid_00_00000007.wav,anomaly_id_00_00000001.wav,1\n")
    truth = middle / "ground_truth_data"
    truth.mkdir()
    (truth / "ground_truth_fan_section_01_target_test.csv").write_text("section_01_target_test_0004.wav,0\n")
    for name, values in (("data", (1, 0)), ("domain", (0, 1))):
        folder = new / f"ground_truth_{name}"
        folder.mkdir()
        rows = "".join(f"section_00_000{3 + i}.wav,{value}\n" for i, value in enumerate(values))
        (folder / "ground_truth_shaker_section_00_test.csv").write_text(rows)

    def labels(root: Path, truth: Path) -> set[tuple[str, str, str]]:
        clips = dcase_layout.with_truth(dcase_layout.clips_in(root), truth)
        return {(c.number, c.label, c.domain) for c in clips if not c.train}

    assert ("00000007", "anomaly", "") in labels(old, old / "eval_data_list.csv")
    assert ("0004", "normal", "target") in labels(middle, middle)
    assert {("0003", "anomaly", "source"), ("0004", "normal", "target")} < labels(new, new)
    with pytest.raises(SystemExit, match="holds no ground_truth_data"):
        labels(new, tmp_path)
    with pytest.raises(SystemExit, match="holds no MACHINE/train"):
        dcase_layout.clips_in(tmp_path / "2021" / "ground_truth_data")


def test_dcase_goes_from_folders_to_the_official_table(tmp_path: Path) -> None:
    """A fan of the development set, and a pump of the evaluation set, whose labels lie elsewhere."""
    root, out = tmp_path / "data", tmp_path / "out"
    truth: dict[str, list[str]] = {"data": [], "domain": []}
    numbers: dict[str, int] = defaultdict(int)
    for recording in make_scenes(seed=2, train=5, test=8, duration=5.0):
        if recording.site not in ("fan", "pump"):
            continue
        number = numbers[recording.site + recording.split]
        numbers[recording.site + recording.split] += 1
        domain, label = ("source", "target")[number // 2 % 2], "anomaly" if recording.events else "normal"
        name = f"section_00_{domain}_{recording.split}_{label}_{number:04}_speed_1.wav"
        if recording.site == "pump" and recording.split == "test":
            name = f"section_00_{number:04}.wav"
            truth["data"].append(f"{name},{int(label == 'anomaly')}\n")
            truth["domain"].append(f"{name},{int(domain == 'target')}\n")
        part = "dev_data" if recording.site == "fan" else "eval_data"
        path = root / part / recording.site / recording.split / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, recording.samples, recording.sample_rate)
    for kind, rows in truth.items():
        folder = tmp_path / "evaluator" / f"ground_truth_{kind}"
        folder.mkdir(parents=True)
        (folder / "ground_truth_pump_section_00_test.csv").write_text("".join(rows))

    told = run("recipe_dcase.py", root, "--truth", tmp_path / "evaluator", "-o", out)
    assert told.count("$ audiogmm train") == 2
    assert "DCASE 2024 Task 2, official score: " in told
    result = json.loads((out / "result.json").read_text())
    assert (result["n_recordings"], result["n_anomalous"]) == (16, 8)
    assert [(s["machine"], s["section"]) for s in result["dcase"]["sections"]] == [
        ("fan", "00"),
        ("pump", "00"),
    ]
    assert (out / "roc.png").stat().st_size > 10_000

    scores = {}
    with (out / "anomaly_score_pump_section_00_test.csv").open(newline="") as file:
        scores = {name: float(score) for name, score in csv.reader(file)}
    labels = dict(row.strip().split(",") for row in truth["data"])
    order = sorted(scores)
    expected = roc_auc_score(
        [int(labels[name]) for name in order], [scores[name] for name in order], max_fpr=0.1
    )
    figures = result["dcase"]["sections"][1]["figures"]
    assert figures["pAUC"]["value"] == pytest.approx(expected)
    with (out / "decision_result_fan_section_00_test.csv").open(newline="") as file:
        assert {decision for _, decision in csv.reader(file)} <= {"0", "1"}

    alone = run("recipe_dcase.py", root, "--machine", "valve", "-o", out, status=1)
    assert "no section of valve has both training and test clips" in alone


def test_a_usage_line_can_be_pasted() -> None:
    for path in sorted(SCRIPTS.iterdir()):
        if path.is_dir():
            continue
        text = path.read_text(encoding="utf-8")
        about = " ".join((ast.get_docstring(ast.parse(text)) or "").split())
        if path.suffix == ".py":
            bare = re.search(rf"(?<!python )(?<![`\w/])scripts/{path.name}", about)
            assert not bare, f"{path.name} is not executable by itself: write `python scripts/{path.name}`"
        else:
            assert os.access(path, os.X_OK), f"{path.name} is called by its name: chmod +x"
            assert text.startswith("#!/usr/bin/env python3\n"), path.name
