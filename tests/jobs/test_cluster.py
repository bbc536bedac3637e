"""What `cluster` writes: every frame's components, and the sound of each claim, cut where it lies."""

from __future__ import annotations

import csv
import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import ChoiceError, OutputError
from audiogmm.jobs.cluster import ClusterTask, cluster_to_folder
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry
from audiogmm.manifest.segments import SPAN_FORMATS, Span
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.runs.labels import read_labels
from audiogmm.types import Json

RATE = 8000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A low tone, a high one, and the low one again, two seconds each; every sample tells its second."""
    t = np.arange(6 * RATE) / RATE
    tone = np.sin(2 * np.pi * np.where((t // 2) == 1, 3000, 300) * t)
    noise = np.random.default_rng(0).normal(size=len(t))
    path = tmp_path / "tones.wav"
    soundfile.write(path, 0.3 * tone + 0.01 * noise, RATE)
    return path


def test_each_claim_is_cut_where_it_lies(recording: Path, tmp_path: Path) -> None:
    model = train([Entry(str(recording), id="tones")], FrontEnd.preset("kaldi"), n_components=2, hold_out=0)
    model.save(tmp_path / "m.agmm")
    cluster_to_folder(tmp_path / "m.agmm", str(recording), tmp_path / "out", examples=1)
    rows = [json.loads(line) for line in (tmp_path / "out" / "components.jsonl").read_text().splitlines()]
    high = min(rows, key=lambda row: row["weight"])
    (claim,) = high["segments"]  # the most typical one, which is the longest, too
    assert claim["sound"] == f"sounds/{high['label']}/0-tones.wav"
    assert (claim["start"], claim["end"]) == (pytest.approx(2.0, abs=0.1), pytest.approx(4.0, abs=0.1))
    samples, rate = soundfile.read(tmp_path / "out" / claim["sound"])
    whole, _ = soundfile.read(recording)
    first = round(claim["start"] * RATE)
    assert rate == RATE
    assert len(samples) == pytest.approx(
        (claim["end"] - claim["start"]) * RATE, abs=1
    )  # nothing else is in it
    np.testing.assert_allclose(samples, whole[first : first + len(samples)], atol=1e-4)


def test_the_soft_assignment_is_the_posterior(recording: Path, tmp_path: Path) -> None:
    frontend = FrontEnd.preset("kaldi")
    model = train([Entry(str(recording), id="tones")], frontend, n_components=5, hold_out=0)
    model.save(tmp_path / "m.agmm")
    cluster_to_folder(tmp_path / "m.agmm", str(recording), tmp_path / "out", examples=0, min_posterior=0.9999)
    with np.load(tmp_path / "out" / "tones.npz") as file:
        found = dict(file)
    samples = soundfile.read(recording, dtype="float32")[0]
    posteriors = Evaluator(model.mixture).posteriors(frontend(samples, RATE))
    assert np.array_equal(found["component"], posteriors.argmax(axis=1))
    starts = found["soft_start"]
    assert (np.diff(starts) >= 1).all(), "the largest posterior of a frame is always kept"
    for i in range(len(posteriors)):
        row = slice(starts[i], starts[i + 1])
        expected = np.flatnonzero((posteriors[i] >= 0.9999) | (np.arange(5) == posteriors[i].argmax()))
        assert found["soft_component"][row].tolist() == expected.tolist()
        np.testing.assert_allclose(found["soft_posterior"][row], posteriors[i][expected])
    assert (posteriors.max(axis=1) < 0.9999).any()


def test_segments_are_a_table_and_labels(recording: Path, tmp_path: Path) -> None:
    model = train([Entry(str(recording), id="tones")], FrontEnd.preset("kaldi"), n_components=2, hold_out=0)
    model.save(tmp_path / "m.agmm")
    out = tmp_path / "out"
    result = cluster_to_folder(tmp_path / "m.agmm", str(recording), out, examples=0, labels="audacity")
    table = list(csv.DictReader((out / "segments.csv").read_text().splitlines()))
    high = min(result.rows, key=lambda row: row["weight"])["label"]
    low = max(result.rows, key=lambda row: row["weight"])["label"]
    assert [row["label"] for row in table] == [low, high, low]
    assert [float(row["start"]) for row in table] == pytest.approx([0.0, 2.0, 4.0], abs=0.1)
    assert all(row["id"] == "tones" and float(row["posterior"]) > 0.9 for row in table)
    assert sum(int(row["frames"]) for row in table) == result.sums.n_frames
    labels = [line.split("\t") for line in (out / "labels" / "tones.txt").read_text().splitlines()]
    assert [[float(a), float(b), text] for a, b, text in labels] == [
        [float(row["start"]), float(row["end"]), row["label"]] for row in table
    ]
    assert [a[1] == b[0] for a, b in pairwise(labels)] == [True, True]  # they touch
    assert not list(out.glob(".segments*"))
    for name in SPAN_FORMATS:
        cluster_to_folder(tmp_path / "m.agmm", str(recording), out, examples=0, labels=name, force=True)
        (file,) = SPAN_FORMATS[name].files(str(out / "labels"))
        spans = [span for _, span in SPAN_FORMATS[name].read_spans(file) if isinstance(span, Span)]
        assert [span.label or span.speaker for span in spans] == [low, high, low]
        assert [span.start for span in spans] == [float(row["start"]) for row in table]
        if name in ("raven", "birdnet"):
            assert {span.recording for span in spans} == {str(recording)}
        assert read_labels(str(out / "labels"), [Entry(str(recording), id="tones")], print).names == (
            *sorted({high, low}),
            "other",
        )
        shutil.rmtree(out / "labels")
    with pytest.raises(ChoiceError, match="labels='elan'; needed: one of rttm, audacity"):
        cluster_to_folder(tmp_path / "m.agmm", str(recording), out, labels="elan")


def test_segments_of_a_table_are_rows(tmp_path: Path) -> None:
    """Neighbors in a table need not belong together: every row has its own label."""
    rows = np.array([0, 9, 0, 9, 9, 0, 0, 0, 9, 0] * 20, np.float32)[:, None]
    rows = rows + np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    train(tmp_path / "rows.npy", n_components=2, hold_out=0).save(tmp_path / "m.agmm")
    result = cluster_to_folder(tmp_path / "m.agmm", str(tmp_path / "rows.npy"), tmp_path / "out")
    table = list(csv.DictReader((tmp_path / "out" / "segments.csv").read_text().splitlines()))
    spans = [(row["start"], row["end"]) for row in table]
    assert spans[:5] == [("0", "1"), ("1", "2"), ("2", "3"), ("3", "5"), ("5", "8")]
    text = "\n".join(result.lines())
    assert "200 rows of 1 table among 2 components, in 121 segments" in text
    assert ": rows " in text
    assert " s\n" not in text


def test_a_rare_sound_comes_first(tmp_path: Path) -> None:
    """Noise, in a second of which something beeps: the beep leads the list and the table."""
    rng = np.random.default_rng(0)
    t = np.arange(15 * RATE) / RATE
    sound = 0.05 * rng.normal(size=len(t)) + 0.3 * np.sin(2 * np.pi * 1000 * t) * ((t // 1) == 7)
    soundfile.write(tmp_path / "room.wav", sound, RATE)
    train(
        [Entry(str(tmp_path / "room.wav"), id="room")], FrontEnd.preset("kaldi"), n_components=6, hold_out=0
    ).save(tmp_path / "m.agmm")
    result = cluster_to_folder(tmp_path / "m.agmm", str(tmp_path / "room.wav"), tmp_path / "out")
    first, *others = result.rows
    assert first["weight"] == pytest.approx(1 / 15, abs=0.01)
    assert first["distinctness"] > 2 * max(row["distinctness"] for row in others)
    (beep,) = (each for each in first["segments"][:1])
    assert (beep["start"], beep["end"]) == (pytest.approx(7.0, abs=0.05), pytest.approx(8.0, abs=0.05))
    assert list(result.lines())[2].startswith(first["label"])
    written = [
        json.loads(line)["label"] for line in (tmp_path / "out" / "components.jsonl").read_text().splitlines()
    ]
    assert written == [row["label"] for row in result.rows]


def test_a_sound_begins_where_its_entry_does(recording: Path, tmp_path: Path) -> None:
    entry = Entry(str(recording), id="late", offset=2.0, duration=0.3)
    train([entry], FrontEnd.preset("kaldi"), n_components=1, hold_out=0).save(tmp_path / "m.agmm")
    cluster_to_folder(tmp_path / "m.agmm", [entry], tmp_path / "out", examples=1)
    (claim,) = json.loads((tmp_path / "out" / "components.jsonl").read_text())["segments"]
    assert claim["sound_start"] == 2.0
    samples, whole = (soundfile.read(path)[0] for path in (tmp_path / "out" / claim["sound"], recording))
    np.testing.assert_allclose(samples, whole[2 * RATE : 2 * RATE + len(samples)], atol=1e-4)


class Stopping:
    """Counts recordings that are assigned, and stops the run at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.stop_at = -1
        plain = ClusterTask.__call__

        def call(task: ClusterTask, shard: Any) -> Json:
            if len(self.done) == self.stop_at:
                raise KeyboardInterrupt
            self.done.append(shard.id)
            return plain(task, shard)

        monkeypatch.setattr(ClusterTask, "__call__", call)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the output, and the ledger of inputs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files.append(folder.with_name(f"{folder.name}.inputs.jsonl"))
    return {str(path.relative_to(folder.parent)): path.read_bytes() for path in files}


@pytest.fixture
def five(recording: Path, tmp_path: Path) -> tuple[Path, str]:
    """A model, and a manifest of five recordings."""
    samples = soundfile.read(recording)[0]
    for i in range(5):
        soundfile.write(tmp_path / f"{i}.wav", np.roll(samples, i * RATE // 2)[: (4 + i % 2) * RATE], RATE)
    rows = "".join(f'{{"audio_filepath": "{i}.wav"}}\n' for i in range(5))
    (tmp_path / "m.jsonl").write_text(rows)
    train(str(tmp_path / "m.jsonl"), FrontEnd.preset("kaldi"), n_components=3, hold_out=0).save(
        tmp_path / "m.agmm"
    )
    return tmp_path / "m.agmm", str(tmp_path / "m.jsonl")


@pytest.mark.parametrize("format", ["audacity", "textgrid"])
def test_a_stopped_run_goes_on_to_the_same_bytes(
    five: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    out = tmp_path / "out"
    how: Any = {"labels": format, "threads": 1, "examples": 2}
    cluster_to_folder(*five, out, **how)
    whole = contents(out)
    shutil.rmtree(out)
    stopping = Stopping(monkeypatch)
    stopping.stop_at = 3
    with pytest.raises(KeyboardInterrupt, match=r"3 recordings are done and kept; .* --resume"):
        cluster_to_folder(*five, out, **how)
    stopping.stop_at = -1
    lost = next(out.glob("labels/1*"))
    lost.write_bytes(lost.read_bytes()[:-3])  # a power failure left a part of it
    result = cluster_to_folder(*five, out, resume=True, **how)
    assert contents(out) == whole
    assert stopping.done == ["0", "1", "2", "1", "3", "4"] and result.recordings == 5
    with pytest.raises(OutputError, match="not empty"):
        cluster_to_folder(*five, out, resume=True, **how)


def test_a_run_that_was_stopped_behind_its_table_takes_rows_back_from_it(
    five: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    cluster_to_folder(*five, out)
    whole = contents(out)
    shutil.rmtree(out)
    with monkeypatch.context() as patched:
        patched.setattr("audiogmm.jobs.cluster.settle", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            cluster_to_folder(*five, out)
    stopping = Stopping(monkeypatch)
    cluster_to_folder(*five, out, resume=True)
    assert contents(out) == whole and stopping.done == []


def test_a_retry_leaves_edited_labels_and_no_sound_that_is_no_example_any_more(
    five: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, how = tmp_path / "out", {"labels": "audacity"}
    cluster_to_folder(*five, out, **how)
    whole = contents(out)
    shutil.rmtree(out)
    (tmp_path / "4.wav").rename(tmp_path / "kept.wav")
    assert cluster_to_folder(*five, out, **how).recordings == 4
    (out / "labels" / "0.txt").write_text("0\t1\thum\n")
    foreign = out / "sounds" / "c0" / "0-mine.wav"
    foreign.write_bytes(b"a user's own")
    (tmp_path / "kept.wav").rename(tmp_path / "4.wav")
    stopping = Stopping(monkeypatch)
    cluster_to_folder(*five, out, retry=True, **how)
    assert stopping.done == ["4"]
    assert (out / "labels" / "0.txt").read_text() == "0\t1\thum\n" and foreign.exists()
    found = contents(out)
    del found["out/sounds/c0/0-mine.wav"], found["out/labels/0.txt"], whole["out/labels/0.txt"]
    assert found == whole


def test_rows_of_a_table_from_elsewhere_write_nowhere_else(five: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    cluster_to_folder(*five, out)
    whole = contents(out)
    rows = (out / "segments.csv").read_text()
    (out / "segments.csv").write_text(rows + "../../evil,0,1,c0,1,9\n")
    cluster_to_folder(*five, out, retry=True)
    assert contents(out) == whole and not list(tmp_path.rglob("evil*"))
