"""What a person reads of a table: rows and tables, never the words of sound."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiogmm.jobs.calibrate import calibrate_to_file
from audiogmm.jobs.cluster import cluster_to_folder
from audiogmm.jobs.detect import detect_to_file
from audiogmm.jobs.info import info
from audiogmm.jobs.score import score_to_folder
from audiogmm.jobs.train import train
from audiogmm.manifest import read_manifest

OF_SOUND = re.compile(r"\b(seconds?|minutes?|recordings?|frames?|windows?|sounds?|voiced|audio|\d s)\b")


def table(folder: Path, **more: Any) -> tuple[Path, str]:
    """A model of 600 normal rows, and the manifest of a table with ten other ones."""
    rows = np.random.default_rng(0).normal(size=(600, 2))
    for name in ("normal", "customers"):
        np.save(folder / f"{name}.npy", rows.astype(np.float32))
        line = {"features_filepath": f"{name}.npy", "id": name, **more}
        (folder / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
        rows[300:310] += 20
    entries = list(read_manifest(folder / "normal.jsonl"))
    train(entries, None, n_components=2, passes=3, hold_out=0.5).save(folder / "m.agmm")
    return folder / "m.agmm", str(folder / "customers.jsonl")


@pytest.mark.parametrize(
    ("job", "name", "line"),
    [
        (score_to_folder, "out", r"scored 1 table \(600 rows, -\d+\.\d+ nats a row on average\)"),
        (detect_to_file, "out.jsonl", r"\d+ events? in 1 table \(600 rows\)"),
        (cluster_to_folder, "out", r"600 rows of 1 table among 2 components, in \d+ segments"),
        (calibrate_to_file, "out.agmm", r"normal data: 1 table \(600 rows\)"),
    ],
)
def test_a_table_has_rows(job: Callable[..., Any], name: str, line: str, tmp_path: Path) -> None:
    lines = list(job(*table(tmp_path), tmp_path / name, threads=1).lines())
    assert re.fullmatch(line, lines[0])
    told = [line.replace(str(tmp_path), "") for line in lines]
    assert [line for line in told if OF_SOUND.search(line)] == []


def test_a_table_with_a_rate_has_seconds(tmp_path: Path) -> None:
    lines = list(detect_to_file(*table(tmp_path, frame_rate=50.0), tmp_path / "e.jsonl", threads=1).lines())
    assert lines[0].endswith("in 1 table (12.0 s)")
    assert re.match(r"  customers  [56]\.\d\d to 6\.\d\d s ", lines[1])


def test_a_model_of_tables_is_described_in_rows(tmp_path: Path) -> None:
    model, _ = table(tmp_path)
    lines = [line.replace(str(tmp_path), "") for line in info(model).lines()]
    assert "trained on: 1 table, 600 rows" in lines
    assert "front end: none (the model was trained on tables of features)" in lines
    assert [line for line in lines if OF_SOUND.search(line)] == []
