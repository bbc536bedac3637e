"""`detect` over snapshots: windows pool them by time, events span them, in any order of the list."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.formats import read_events
from audiogmm.jobs.detect import DetectSettings, detect_to_file
from audiogmm.manifest.entry import Entry
from audiogmm.mixture.store import Model
from audiogmm.wall_clock import parse_time

RATE, LENGTH, STEP = 8000, 0.2, 10.0
START = parse_time("2024-03-31T00:50:00Z")  # an hour before the clocks of Europe go forward


def snapshots(folder: Path, n: int, loud: range = range(0), seed: int = 0) -> list[Entry]:
    """So many snapshots in one file, some of them louder by 12 dB."""
    samples = np.random.default_rng(seed).normal(0, 0.05, round(n * LENGTH * RATE))
    for i in loud:
        samples[round(i * LENGTH * RATE) : round((i + 1) * LENGTH * RATE)] *= 4
    path = folder / f"{seed}.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return [
        Entry(str(path), id=f"s{i:04}", offset=i * LENGTH, duration=LENGTH, time=START + STEP * i)
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return ag.train(snapshots(tmp_path_factory.mktemp("normal"), 300), "ambient", n_components=2)


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    return snapshots(tmp_path_factory.mktemp("today"), 120, range(60, 80), seed=1)


def test_normal_audio_is_pooled_as_it_is_searched(model: Model) -> None:
    from audiogmm.anomaly.learning.model_parts import read_detector

    normal = read_detector(model).normal
    assert len(normal.ids) < 10  # a stretch a turn, not 300 snapshots of 18 frames
    assert normal.lengths.sum() == 300 * 18


def test_an_event_spans_snapshots_and_says_when(model: Model, today: list[Entry]) -> None:
    (event,) = ag.detect(model, today)
    assert event.id == "s0060"
    assert event.time == pytest.approx(START + 600, abs=0.05)
    assert event.end_time == pytest.approx(START + 790 + LENGTH, abs=0.05)
    assert event.start == pytest.approx(60 * LENGTH, abs=0.05)
    assert event.end - event.start == pytest.approx(event.end_time - event.time)
    row = event.to_dict()
    assert row["time"].startswith("2024-03-31T01:00:00")
    assert all(event.start <= worst["time"] <= event.end for worst in row["explanation"]["worst"])


def test_without_times_snapshots_are_recordings_of_their_own(model: Model, today: list[Entry]) -> None:
    plain = [replace(entry, time=None) for entry in today]
    alone = ag.detect(model, today, max_gap=0.0)
    assert [(e.id, e.start, e.end, e.peak) for e in alone] == [
        (e.id, e.start, e.end, e.peak) for e in ag.detect(model, plain)
    ]
    assert sum(event.severity > 50 for event in alone) == 20
    assert all(event.time is not None for event in alone)


def test_the_order_of_the_list_does_not_matter(model: Model, today: list[Entry]) -> None:
    shuffled = random.Random(0).sample(today, len(today))
    assert list(ag.detect(model, shuffled)) == list(ag.detect(model, today))


def test_a_long_gap_ends_an_event(model: Model, today: list[Entry]) -> None:
    later = [replace(e, time=e.time + 3600) if i >= 70 else e for i, e in enumerate(today)]
    assert [event.id for event in ag.detect(model, later)] == ["s0060", "s0070"]
    assert [event.id for event in ag.detect(model, later, max_gap=4000.0)] == ["s0060"]


def test_streams_that_a_key_names_are_searched_apart(model: Model, today: list[Entry]) -> None:
    both = [replace(e, id=f"{site}-{e.id}", extra={"site": site}) for e in today for site in ("b", "a")]
    assert {event.id for event in ag.detect(model, both, stream="site")} == {"a-s0060", "b-s0060"}


def write(path: Path, entries: list[Entry]) -> str:
    ag.write_manifest(entries, path)
    return str(path)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_snapshot_is_set_aside_and_the_stream_goes_on(
    model: Model, today: list[Entry], tmp_path: Path, workers: int
) -> None:
    bad = [
        replace(e, audio_filepath=str(tmp_path / "gone.wav")) if i == 30 else e for i, e in enumerate(today)
    ]
    model.save(tmp_path / "m.agmm")
    output = tmp_path / "events.jsonl"
    result = detect_to_file(
        tmp_path / "m.agmm",
        write(tmp_path / "m.jsonl", bad),
        output,
        settings=DetectSettings(workers=workers),
    )
    assert [row.id for row in result.aside.rows] == ["s0030"]
    assert [event.id for event in read_events(output)] == ["s0060"]
    assert result.recordings == 119


@pytest.mark.parametrize("name", ["events.jsonl", "events.csv"])
def test_files_of_events_keep_the_times(model: Model, today: list[Entry], tmp_path: Path, name: str) -> None:
    model.save(tmp_path / "m.agmm")
    settings = DetectSettings(reasons=False)
    detect_to_file(
        tmp_path / "m.agmm", write(tmp_path / "m.jsonl", today), tmp_path / name, settings=settings
    )
    (event,) = read_events(tmp_path / name)
    (expected,) = ag.detect(model, today)
    assert event.time == pytest.approx(expected.time, abs=1e-3)
    assert event.end_time == pytest.approx(expected.end_time, abs=1e-3)


def test_csv_without_times_has_no_columns_for_them(model: Model, today: list[Entry], tmp_path: Path) -> None:
    model.save(tmp_path / "m.agmm")
    plain = write(tmp_path / "m.jsonl", [replace(entry, time=None) for entry in today])
    detect_to_file(tmp_path / "m.agmm", plain, tmp_path / "e.csv", settings=DetectSettings(drift=False))
    assert (tmp_path / "e.csv").read_text().splitlines()[0].endswith("reasons,explanation")


def test_a_stopped_run_goes_on_where_it_was(model: Model, today: list[Entry], tmp_path: Path) -> None:
    model.save(tmp_path / "m.agmm")
    halves = [replace(e, time=e.time + 36000) if i >= 100 else e for i, e in enumerate(today)]
    manifest = write(tmp_path / "m.jsonl", halves)
    detect_to_file(tmp_path / "m.agmm", manifest, tmp_path / "once.jsonl", settings=DetectSettings())

    from audiogmm.runs.journal import Journal

    original = Journal.write

    def write_one(journal: Journal, row: dict[str, object], content: str = "") -> None:
        original(journal, row, content)
        raise KeyboardInterrupt

    one = DetectSettings(threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "write", write_one)
        with pytest.raises(KeyboardInterrupt):
            detect_to_file(tmp_path / "m.agmm", manifest, tmp_path / "e.jsonl", settings=one)
    detect_to_file(tmp_path / "m.agmm", manifest, tmp_path / "e.jsonl", settings=DetectSettings(resume=True))
    rows = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    once = [json.loads(line) for line in (tmp_path / "once.jsonl").read_text().splitlines()]
    assert rows == once


def test_events_are_counted_by_hour_of_day_and_by_day(
    model: Model, today: list[Entry], tmp_path: Path
) -> None:
    from audiogmm.jobs.report import report

    model.save(tmp_path / "m.agmm")
    events = tmp_path / "e.jsonl"
    settings = DetectSettings(time_zone="Europe/Berlin")
    found = detect_to_file(tmp_path / "m.agmm", write(tmp_path / "m.jsonl", today), events, settings=settings)
    times = found.summary()["times"]
    assert times["zone"] == "Europe/Berlin"
    assert times["by_day"]["2024-03-31"]["hours"] == pytest.approx(120 * LENGTH / 3600, abs=1e-6)
    assert {hour: row["events"] for hour, row in times["by_hour"].items()} == {"01": 0, "03": 1}
    page = report(events, tmp_path / "page.html").output.read_text()
    assert "By hour of day, Europe/Berlin" in page
    assert "03:00" in page
