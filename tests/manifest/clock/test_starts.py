"""`scan` writes times, every format keeps them, `check` names what contradicts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.errors import ManifestError
from audiogmm.jobs.manifests import check_manifest, convert_manifest, scan_folder
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.read import read_manifest
from audiogmm.manifest.record import entry_of, record_of

NOON = 1714564800.0


def record(folder: Path, name: str, seconds: float = 1.0) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, round(8000 * seconds))
    soundfile.write(folder / name, samples, 8000, format="WAV", subtype="PCM_16")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_scan_writes_the_time_of_a_name_and_leaves_others_alone(tmp_path: Path) -> None:
    for name in ("20240501_120000.WAV", "20240501_120010.WAV", "20249901_120000.WAV"):
        record(tmp_path, name)
    result = scan_folder(tmp_path, tmp_path / "all.jsonl")
    assert result.timed == 2
    assert [line.get("time") for line in lines(tmp_path / "all.jsonl")] == [
        "2024-05-01T12:00:00.000Z",
        "2024-05-01T12:00:10.000Z",
        None,
    ]


@pytest.mark.parametrize("name", ["b.csv", "b.jsonl", "kaldi", "cuts.jsonl.gz", "lhotse", "nemo.jsonl"])
def test_every_format_keeps_the_time(tmp_path: Path, name: str) -> None:
    record(tmp_path, "a.wav", 2.0)
    source = tmp_path / "a.jsonl"
    rows = [
        {"audio_filepath": "a.wav", "offset": 0.5, "duration": 1.0, "time": "2024-05-01T14:00:00.5+02:00"}
    ]
    rows += [{"audio_filepath": "a.wav", "id": "later", "duration": 1.0, "time": 12.5}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    format = {"kaldi": "kaldi", "lhotse": "lhotse", "cuts.jsonl.gz": "lhotse", "nemo.jsonl": "nemo"}.get(name)
    convert_manifest(source, tmp_path / "out" / name, format=format)
    times = {entry.time for entry in read_manifest(tmp_path / "out" / name, format)}
    assert times == {NOON + 0.5, 12.5}


def test_a_supervision_later_in_a_cut_begins_later() -> None:
    from audiogmm.manifest.lhotse_cuts import entries_of_record
    from audiogmm.manifest.toolkits import PathBase

    spans = [
        {"id": str(start), "recording_id": "r", "start": start, "duration": 1.0, "channel": 0}
        for start in (0.0, 2.0)
    ]
    source = {"type": "file", "channels": [0], "source": "/r.wav"}
    recording = {"id": "r", "sources": [source], "sampling_rate": 8000, "num_samples": 32000, "duration": 4.0}
    cut = {
        "id": "c",
        "start": 0.0,
        "duration": 4.0,
        "channel": 0,
        "supervisions": spans,
        "recording": recording,
    }
    found = entries_of_record(
        cut | {"custom": {"time": "2024-05-01T12:00:00Z"}}, None, PathBase(Path("/")), "c:1"
    )
    assert [entry.time for entry in found] == [NOON, NOON + 2.0]


def test_a_time_without_a_zone_is_refused_with_its_line() -> None:
    with pytest.raises(ManifestError, match=r"m:3: time: '2024-05-01T12:00:00' names no time zone.*append Z"):
        entry_of({"audio_filepath": "a.wav", "time": "2024-05-01T12:00:00"}, ManifestFolder("/"), "m:3")


def test_the_time_is_written_in_utc() -> None:
    entry = entry_of(
        {"audio_filepath": "a.wav", "time": "2024-05-01T14:00:00+02:00"}, ManifestFolder("/"), "m:1"
    )
    assert record_of(entry, ManifestFolder("/"))["time"] == "2024-05-01T12:00:00.000Z"


def check(tmp_path: Path, *rows: tuple[str, object], **options: object) -> object:
    for name, _ in rows:
        record(tmp_path, name)
    listed = [{"audio_filepath": name} | ({} if time is None else {"time": time}) for name, time in rows]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
    return check_manifest(tmp_path / "m.jsonl", **options)


def test_check_counts_gaps_overlaps_and_steps_back(tmp_path: Path) -> None:
    found = check(tmp_path, ("a.wav", NOON), ("b.wav", NOON + 5), ("c.wav", NOON + 1), ("d.wav", NOON + 5.5))
    summary = found.summary()["times"]
    assert (summary["gaps"], summary["longest_gap"]) == (1, 3.0)
    assert (summary["overlaps"], summary["out_of_order"]) == (1, 1)
    assert summary["first"] == "2024-05-01T12:00:00.000Z"
    assert any("--stream KEY" in line for line in found.lines())
    assert found.problems == []


def test_check_names_a_time_that_contradicts_the_name(tmp_path: Path) -> None:
    found = check(tmp_path, ("20240501_120000.WAV", NOON + 30), ("20240501_120100.WAV", NOON + 60))
    assert [problem.entry.id for problem in found.problems] == ["20240501_120000"]
    assert "30 s apart" in str(found.problems[0])


def test_check_says_that_another_zone_would_explain_it(tmp_path: Path) -> None:
    rows = [("20240501_140000.WAV", NOON)]
    assert "--time-zone" in str(check(tmp_path, *rows).problems[0])
    assert check(tmp_path, *rows, time_zone="Europe/Berlin").problems == []
