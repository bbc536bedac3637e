"""Columns of a table keep their names: from `train` to `info`, `cluster`, and the reasons of `detect`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.errors import ChoiceError, FeatureError
from audiogmm.jobs.calibrate import calibrate, calibrate_to_file
from audiogmm.jobs.cluster import cluster_to_folder
from audiogmm.jobs.detect import detect, detect_to_file
from audiogmm.jobs.info import info
from audiogmm.jobs.manifests import check_manifest
from audiogmm.jobs.report import report
from audiogmm.jobs.score import score, score_to_folder
from audiogmm.jobs.train import train
from audiogmm.mixture.store import load
from audiogmm.runs.progress import Silent
from audiogmm.runs.sources import entries_from
from audiogmm.scoring.track_file import read_track

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


@pytest.mark.parametrize("offset", [0, 5])
@pytest.mark.parametrize("kind", ["csv", "parquet", "frame"])
def test_rows_have_the_names_of_the_id_column(kind: str, offset: int, folder: Path, tmp_path: Path) -> None:
    import pandas

    path = write(tmp_path / "today.csv")
    frame = pandas.read_csv(path)
    if kind == "parquet":
        frame.to_parquet(path := tmp_path / "today.parquet")
    (entry,) = entries_from(frame if kind == "frame" else path)
    entry = replace(entry, offset=float(offset))
    model = load(folder / "m.agmm")
    worst = max(detect(model, entry, id_column="id"), key=lambda event: event.severity)
    assert worst.explanation["rows"] == ["P-20", "P-29"]
    assert worst.reasons[-1] == "id: P-20 to P-29"
    if kind != "frame":
        source = f'{{"features_filepath": "{path}", "id": "x", "offset": {offset}}}\n'
        (tmp_path / "x.jsonl").write_text(source)
        score_to_folder(
            folder / "m.agmm", str(tmp_path / "x.jsonl"), tmp_path / "s", format="csv", id_column="id"
        )
        rows = pandas.read_csv(tmp_path / "s" / "x.csv")
        assert list(rows["id"]) == [f"P-{i}" for i in range(offset, 600)]
        assert len(read_track(tmp_path / "s" / "x.csv").scores) == 600 - offset


@pytest.mark.parametrize("job", [detect_to_file, calibrate_to_file])
def test_rows_have_no_alarms_an_hour(job: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"2 alarms an hour, and the rows.*no time.*try: --quantile 0\.999"):
        job(folder / "m.agmm", str(folder / "normal.csv"), tmp_path / "e.jsonl", alarms_per_hour=2.0)


def test_columns_that_are_asked_for_are_calibrated(folder: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "other.csv", ("site", "temp", "load", "id", "rpm"))
    plain = calibrate(load(folder / "m.agmm"), source)
    swapped = calibrate_to_file(folder / "m.agmm", str(source), tmp_path / "c.agmm", columns="temp,rpm,load")
    assert read_detector(plain).threshold != swapped.detector.threshold
    same = calibrate_to_file(folder / "m.agmm", str(source), tmp_path / "d.agmm", columns="rpm,temp,load")
    assert read_detector(plain).threshold == same.detector.threshold


def test_a_run_of_other_columns_is_not_resumed(folder: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "today.csv")
    first = score_to_folder(folder / "m.agmm", str(source), tmp_path / "s", exclude="site")
    other = score_to_folder(
        folder / "m.agmm", str(source), tmp_path / "s", columns="temp,rpm,load", resume=True, force=True
    )
    assert other.mean != first.mean


def test_check_takes_the_columns(tmp_path: Path) -> None:
    source = str(write(tmp_path / "today.csv"))
    assert "--exclude site" in str(check_manifest(source).problems[0])
    found = check_manifest(source, exclude="site")
    assert found.problems == []
    assert found.warnings == ("columns left out: 'id' (an index); --columns takes those that it names",)


def test_a_report_speaks_of_tables(folder: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "today.csv")
    detect_to_file(folder / "m.agmm", str(source), tmp_path / "e.jsonl")
    first = next(iter(report(tmp_path / "e.jsonl", tmp_path / "r.html").lines()))
    assert re.fullmatch(r"\d+ events?; 1 table shown", first)


def test_a_report_reads_the_columns_of_its_run(folder: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "today.csv")
    table = source.read_text().replace("rpm", "speed", 1)
    source.write_text(table)
    detect_to_file(folder / "m.agmm", str(source), tmp_path / "e.jsonl", columns="speed,temp,load")
    found = report(tmp_path / "e.jsonl", tmp_path / "r.html", strict=True)
    assert len(found.page.cards) == 1


def test_a_model_of_one_column_without_a_name_takes_any_table_of_one(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 1)).astype(np.float32)
    np.save(tmp_path / "a.npy", rows)
    model = train(tmp_path / "a.npy", n_components=2, hold_out=0)
    assert not model.metadata.columns
    assert train(tmp_path / "a.npy", n_components=2, hold_out=0, columns="0").metadata.columns == ["0"]
    (tmp_path / "a.csv").write_text("x\n" + "".join(f"{row!r}\n" for row in rows[:, 0].tolist()))
    expected = score(model, tmp_path / "a.npy").scores
    older = replace(model, metadata=replace(model.metadata, columns=[""]))  # as it was written before
    for each in (model, older):
        for source in ("a.npy", "a.csv"):
            np.testing.assert_allclose(score(each, tmp_path / source).scores, expected, atol=1e-6)
