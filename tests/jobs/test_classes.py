"""Classes from labels, by a key of the manifest or in files: scored, clustered, described, updated."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.jobs.cluster import cluster_to_folder
from audiogmm.jobs.score import score_to_folder
from audiogmm.mixture.evaluator import Evaluator

RATE = 8000
TONES = {"low": 300.0, "high": 2500.0}


def sound(path: Path, tones: list[float], seed: int) -> Path:
    """A second of each tone, or of noise alone for 0, in noise."""
    t = np.arange(RATE) / RATE
    whole = np.concatenate([np.sin(2 * np.pi * tone * t) for tone in tones])
    noise = np.random.default_rng(seed).normal(size=len(whole))
    soundfile.write(path, 0.2 * whole + 0.02 * noise, RATE)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    with (folder / "train.jsonl").open("w") as file:
        for i in range(4):
            for label, tone in TONES.items():
                path = sound(folder / f"{label}{i}.wav", [tone], i)
                file.write(json.dumps({"audio_filepath": path.name, "id": path.stem, "label": label}) + "\n")
    sound(folder / "mixed.wav", [300.0, 300.0, 300.0, 2500.0], 9)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> ag.Model:
    return ag.train(folder / "train.jsonl", "kaldi", label="label", n_components=2, hold_out=0)


def test_the_whole_is_a_mixture_of_its_classes(folder: Path, model: ag.Model) -> None:
    assert model.metadata.classes == {"names": ["high", "low"], "components": [2, 2], "frames": [392, 392]}
    assert model.metadata.training["label"] == "label"
    frames = ag.FrontEnd.preset("kaldi")(soundfile.read(folder / "low0.wav", dtype="float32")[0], RATE)
    assert (Evaluator(model.mixture).posteriors(frames)[:, 2:].sum(axis=1) > 0.99).mean() > 0.95
    (line,) = (line for line in ag.info(model).lines() if line.startswith("classes"))
    assert line == "classes: high (2 components, 392 frames); low (2 components, 392 frames)"
    model.save(folder / "m.agmm", force=True)
    assert ag.load(folder / "m.agmm").metadata.classes == model.metadata.classes


def test_recordings_have_a_class(folder: Path, model: ag.Model) -> None:
    found = ag.classify(model, folder / "mixed.wav")
    assert (found.label, found.posterior) == ("low", pytest.approx(0.75, abs=0.02))
    assert [each.label for each in ag.classify(model, folder / "train.jsonl")] == ["low", "high"] * 4
    model.save(folder / "m.agmm", force=True)
    result = score_to_folder(folder / "m.agmm", str(folder / "train.jsonl"), folder / "scores", force=True)
    assert "recordings by class: 4 high, 4 low" in list(result.lines())
    rows = [json.loads(line) for line in (folder / "scores" / "summary.jsonl").read_text().splitlines()]
    assert all(row["label"] == row["id"][:-1] and row["posterior"] > 0.95 for row in rows)
    assert rows[0]["posteriors"]["low"] == rows[0]["posterior"]


def test_segments_are_those_of_classes(folder: Path, model: ag.Model) -> None:
    result = cluster_to_folder(model, str(folder / "mixed.wav"), folder / "clusters", force=True)
    table = list(csv.DictReader((folder / "clusters" / "segments.csv").read_text().splitlines()))
    assert [row["label"] for row in table] == ["low", "high"]
    assert float(table[1]["start"]) == pytest.approx(3.0, abs=0.05)
    assert {row["class"]: row["components"] for row in result.rows} == {"low": 2, "high": 2}
    assert next(iter(result.lines())).endswith("among 2 classes, in 2 segments")
    assert (folder / "clusters" / "sounds" / "high" / "0-mixed.wav").exists()


def test_it_detects_and_updates_as_any_other(folder: Path) -> None:
    model = ag.train(folder / "train.jsonl", "kaldi", label="label", n_components=2, hold_out=0.25)
    updated = ag.update(model, folder / "mixed.wav")
    assert updated.metadata.classes == model.metadata.classes
    sound(folder / "odd.wav", [300.0, 1200.0, 300.0], 5)
    assert [(round(event.start), round(event.end)) for event in ag.detect(model, folder / "odd.wav")] == [
        (1, 2)
    ]


def test_labels_of_clusters_become_classes(folder: Path, tmp_path: Path) -> None:
    """Cluster, rename and delete labels, train: what has no label is the class `other`."""
    sound(tmp_path / "day.wav", [300.0, 0.0, 2500.0, 0.0] * 2, 3)
    found = ag.train(tmp_path / "day.wav", "kaldi", n_components=3, hold_out=0)
    cluster_to_folder(found, str(tmp_path / "day.wav"), tmp_path / "c", labels="audacity", examples=0)
    file = tmp_path / "c" / "labels" / "day.txt"
    lines = [line.split("\t") for line in file.read_text().splitlines()]
    assert [round(float(start)) for start, _, _ in lines] == list(range(8))
    names = dict(zip([name for *_, name in lines[:4]], ["low", None, "high"], strict=False))
    kept = [f"{start}\t{end}\t{names[name]}\n" for start, end, name in lines if names[name]]
    file.write_text("".join(kept))
    model = ag.train(
        tmp_path / "day.wav", "kaldi", label=tmp_path / "c" / "labels", n_components=2, hold_out=0
    )
    assert model.metadata.classes is not None
    assert model.metadata.classes["names"] == ["high", "low", "other"]
    assert model.metadata.classes["frames"] == pytest.approx([200, 200, 400], abs=8)
    again = cluster_to_folder(model, str(tmp_path / "day.wav"), tmp_path / "again", examples=0)
    assert again.sums.n_segments == 8
    assert ag.classify(model, folder / "low0.wav").label == "low"


def test_rows_of_a_table_have_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, center in (("young", 0.0), ("old", 6.0)):
        np.save(tmp_path / f"{name}.npy", rng.normal(center, 1, (100, 2)).astype(np.float32))
    manifest = tmp_path / "tables.jsonl"
    manifest.write_text(
        "".join(f'{{"features_filepath": "{n}.npy", "id": "{n}", "kind": "{n}"}}\n' for n in ("young", "old"))
    )
    model = ag.train(manifest, label="kind", hold_out=0)
    assert "classes: old (2 components, 100 rows); young (2 components, 100 rows)" in list(
        ag.info(model).lines()
    )
    assert ag.classify(model, np.full((5, 2), 6, np.float32)).label == "old"


def test_what_cannot_be_labeled_is_refused(folder: Path) -> None:
    with pytest.raises(ManifestError, match="no entry has the key 'mood'"):
        ag.train(folder / "train.jsonl", "kaldi", label="mood", hold_out=0)
    with pytest.raises(ChoiceError, match="label='label' and ledger; needed: one of them"):
        ag.train(folder / "train.jsonl", "kaldi", label="label", ledger=folder / "ledger")
