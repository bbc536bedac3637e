"""Columns of a table keep their names: from `train` to `info`, `cluster`, and the reasons of `detect`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audiogmm.errors import FeatureError
from audiogmm.jobs.cluster import cluster_to_folder
from audiogmm.jobs.detect import detect_to_file
from audiogmm.jobs.info import info
from audiogmm.jobs.score import score_to_folder
from audiogmm.jobs.train import train
from audiogmm.runs.progress import Silent

NAMES = ("id", "site", "rpm", "temp", "load")


def write(path: Path, names: tuple[str, ...] = NAMES, n: int = 600) -> Path:
    """A table of normal rows, in which rows 20 to 29 are too warm."""
    random = np.random.default_rng(0)
    columns = {"rpm": random.normal(1000, 10, n), "load": random.normal(0, 1, n)}
    columns["temp"] = random.normal(40, 1, n) + 20 * (np.arange(n) // 10 == 2) * (path.stem != "normal")
    cells = {name: list(map(repr, column.tolist())) for name, column in columns.items()}
    cells["id"] = [f"P-{i}" for i in range(n)]
    cells["site"] = ["north"] * n
    rows = zip(*(cells[name] for name in names), strict=True)
    path.write_text("\n".join(map(",".join, [names, *rows])) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    said = Silent()
    source = write(folder / "normal.csv")
    train(source, n_components=2, passes=3, exclude="site", progress=said).save(folder / "m.agmm")
    assert said.messages[0] == "columns left out: 'id' (an index); --columns takes those that it names"
    return folder


def test_info_and_clusters_name_the_columns(folder: Path, tmp_path: Path) -> None:
    assert "columns: rpm, temp, load" in info(folder / "m.agmm").lines()
    cluster_to_folder(folder / "m.agmm", str(folder / "normal.csv"), tmp_path / "c")
    rows = [json.loads(line) for line in (tmp_path / "c" / "components.jsonl").read_text().splitlines()]
    assert [row["columns"] for row in rows] == [["rpm", "temp", "load"]] * 2


def test_columns_are_found_by_name_in_any_order_and_reasons_name_them(folder: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "today.csv", ("temp", "load", "id", "rpm"))
    result = detect_to_file(folder / "m.agmm", str(source), tmp_path / "e.jsonl")
    worst = result.severest[0]
    assert (worst.start, worst.end, worst.alarms_per_hour) == (20, 30, None)
    assert worst.reasons[0].startswith("column 'temp' is ")
    assert worst.reasons[1].removeprefix("lowest score in row ") in map(str, range(20, 30))


def test_a_column_that_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "lacks.csv", ("temp", "id", "rpm"))
    with pytest.raises(FeatureError, match=r"lacks\.csv has no column 'load'.*the model's columns 'rpm', 't"):
        score_to_folder(folder / "m.agmm", str(source), tmp_path / "s", strict=True)
    result = score_to_folder(folder / "m.agmm", str(source), tmp_path / "s2", columns="rpm,temp,temp")
    assert result.recordings == 1  # other names in their place, if so asked


def test_a_table_that_cannot_be_used_is_the_error(tmp_path: Path) -> None:
    source = write(tmp_path / "normal.csv", n=5)
    with pytest.raises(FeatureError, match=r"normal\.csv: column 'site' holds 'north' in line 2"):
        train(source, n_components=2)
    (tmp_path / "all.jsonl").write_text(
        "".join(json.dumps({"features_filepath": "normal.csv", "id": id}) + "\n" for id in "ab")
    )
    with pytest.raises(FeatureError, match=r"none of 2 tables can be used; the first: .*column 'rpn'"):
        train(tmp_path / "all.jsonl", n_components=2, columns="rpn")
