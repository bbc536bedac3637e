"""Enroll, list, verify: from recordings to scores, by the command line and in Python."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import speakers
from tests.cli.conftest import Audiogmm, audiogmm  # noqa: F401


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers: `train.jsonl`, `test.jsonl`, and a background model `ubm.agmm` of them all."""
    folder = tmp_path_factory.mktemp("voices") / "corpus"
    write_corpus(folder, speakers(seed=2, count=3, train=2, test=2, duration=3.0))
    frontend = ag.FrontEnd.preset(
        "speech", cmvn="none"
    )  # what tells these voices apart is their mean spectrum
    entries = ag.read_manifest(folder / "train.jsonl")
    model = ag.train(entries, frontend, n_components=8, passes=5, seed=0)
    model.save(folder / "ubm.agmm")
    return folder


@pytest.fixture
def workshop(voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the voices in the working folder, with a list of all trials."""
    folder = tmp_path / "work"
    shutil.copytree(voices, folder)
    monkeypatch.chdir(folder)
    rows = [
        (f"speaker_{k}", f"test/{entry.id}.wav", int(entry.speaker == f"speaker_{k}"), "x,y")
        for entry in ag.read_manifest("test.jsonl")
        for k in range(3)
    ]
    write_trials("trials.csv", rows)
    return folder


def write_trials(
    path: str, rows: list[tuple[object, ...]], header: str = "model,audio_filepath,target,note"
) -> None:
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def read_scores(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def reasons(path: str) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in map(json.loads, Path(path).read_text().splitlines())}


def test_from_recordings_to_scores(workshop: Path, audiogmm: Audiogmm) -> None:  # noqa: F811
    done = audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known", "--json")
    assert done.status == 0, done.err
    assert (done.json["enrolled"], done.json["recordings"]) == (3, 6)
    listed = audiogmm("speakers", "known", "--json")
    rows = listed.json["speakers"]
    assert [(row["name"], row["recordings"]) for row in rows] == [(f"speaker_{k}", 2) for k in range(3)]  # type: ignore[attr-defined]

    done = audiogmm("verify", "known", "trials.csv", "-o", "scores.csv", "--json")
    assert done.status == 0, done.err
    assert "not calibrated" in done.err
    found = read_scores("scores.csv")
    assert list(found[0])[:4] == ["model", "audio_filepath", "target", "note"]
    assert list(found[0])[4:] == ["score", "decision", "raw", "space", "voiced_seconds", "flag"]
    assert [row["note"] for row in found] == ["x,y"] * 18
    assert [row["model"] for row in found] == [f"speaker_{k}" for k in range(3)] * 6
    targets = [float(row["score"]) for row in found if row["target"] == "1"]
    others = [float(row["score"]) for row in found if row["target"] == "0"]
    assert min(targets) > max(others)

    gallery = ag.Gallery("known")
    entries = list(ag.read_manifest("test.jsonl"))
    verdicts = ag.verify(gallery, [(f"speaker_{k}", entry) for entry in entries for k in range(3)])
    np.testing.assert_allclose([v.score for v in verdicts], [float(row["score"]) for row in found], rtol=1e-9)
    track = ag.score(ag.Model(gallery.model("speaker_1"), metadata=gallery.background.metadata), entries[0])
    under = ag.score(gallery.background, entries[0])
    assert verdicts[1].raw == pytest.approx(np.mean((track.scores - under.scores)[track.voiced]), abs=1e-6)
