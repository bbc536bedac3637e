"""`group` and `name`: a row an input row, groups that stay, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import save_kinds
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.files import exclusive
from audiogmm.jobs.kinds import group as job
from tests.anomaly.kinds.recorded import RATE, sound
from tests.anomaly.kinds.test_kinds import sounds
from tests.cli.calls import Audiogmm

SET_ASIDE = 3  # the status of a run whose inputs cannot all be read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording of 18 sounds one behind the other, `events.jsonl`, of which the last cannot be read."""
    monkeypatch.chdir(tmp_path)
    rows, parts, at = [], [], 0.0
    for i in range(6):
        for kind in ("hiss", "hum", "clicks"):
            samples = sound(kind, seed=len(rows), seconds=1.0 + 0.1 * (i % 3))
            parts += [samples, np.zeros(RATE // 2)]
            end = at + len(samples) / RATE
            rows.append({"audio_filepath": "day.wav", "id": "day", "start": at, "end": end, "label": kind})
            at = end + 0.5
    soundfile.write("day.wav", np.concatenate(parts), RATE)
    rows.append({"audio_filepath": "gone.wav", "id": "gone", "start": 0.0, "end": 1.0, "label": "gone"})
    write("events.jsonl", rows)
    return tmp_path


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_a_row_an_input_row(folder: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("group", "events.jsonl", "-o", "kinds", "--json")
    assert done.status == SET_ASIDE, done.err
    events, rows = read("events.jsonl"), read("kinds/groups.jsonl")
    assert [(row["id"], row["start"], row["end"]) for row in rows] == [
        (event["id"], event["start"], event["end"]) for event in events
    ]
    assert rows[-1]["group"] is None and rows[-1]["probability"] is None
    assert done.json["rows"] == 19
    by_kind = {
        kind: {row["group"] for row, event in zip(rows, events, strict=True) if event["label"] == kind}
        for kind in ("hiss", "hum", "clicks")
    }
    groups = [group for found in by_kind.values() for group in found - {None}]
    assert len(groups) == len(set(groups)), by_kind  # no group has two kinds
    assert all(0 < row["probability"] <= 1 for row in rows[:-1])
    assert "gone.wav" in Path("kinds.errors.jsonl").read_text(encoding="utf-8")
    ledger = read("kinds.inputs.jsonl")
    assert sum("row" in row for row in ledger) == 18 and sum("aside" in row for row in ledger) == 1


def test_groups_keep_numbers_and_names(folder: Path, audiogmm: Audiogmm) -> None:
    events = read("events.jsonl")[:-1]
    write("first.jsonl", events[:9])
    assert audiogmm("group", "first.jsonl", "-o", "kinds").status == 0
    first = [row["group"] for row in read("kinds/groups.jsonl")]
    done = audiogmm("name", "kinds", first[1], "the fridge", "--normal")
    assert done.status == 0 and done.out == f"group {first[1]}: the fridge, normal\n"
    assert audiogmm("group", "events.jsonl", "-o", "kinds").status == SET_ASIDE
    rows = read("kinds/groups.jsonl")
    assert [row["group"] for row in rows[:9]] == first
    assert rows[1]["name"] == "the fridge"
    assert {row["name"] for row in rows[:-1] if row["group"] == first[1]} == {"the fridge"}
    again = Path("kinds/kinds.agmm").read_bytes()
    done = audiogmm("group", "events.jsonl", "-o", "kinds")  # the same once more
    assert "the fridge" in done.out
    assert Path("kinds/kinds.agmm").read_bytes() == again
    assert read("kinds/groups.jsonl") == rows
    assert audiogmm("group", "events.jsonl", "-o", "kinds", "--force").status == SET_ASIDE
    assert all(row["name"] == "" for row in read("kinds/groups.jsonl"))


def test_a_stopped_run_goes_on(folder: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audiogmm("group", "events.jsonl", "-o", "whole", "--threads", 1).status == SET_ASIDE
    plain, seen = job.DescribeTask.__call__, []

    def call(task: Any, recording: Any) -> Any:
        if len(seen) == 7:
            raise KeyboardInterrupt
        seen.append(recording.id)
        return plain(task, recording)

    monkeypatch.setattr(job.DescribeTask, "__call__", call)
    done = audiogmm("group", "events.jsonl", "-o", "kinds", "--threads", 1)
    assert done.status == 130 and "--resume" in done.err
    assert not Path("kinds/kinds.agmm").exists()
    kept, seen[:] = list(seen), ["stopped"] * 100
    assert audiogmm("group", "events.jsonl", "-o", "kinds", "--threads", 1, "--resume").status == SET_ASIDE
    assert not set(kept[:5]) & set(seen[100:])
    for name in ("groups.jsonl", "kinds.agmm"):
        assert Path("kinds", name).read_bytes() == Path("whole", name).read_bytes()


def test_retry_takes_what_was_set_aside(folder: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("group", "events.jsonl", "-o", "kinds").status == SET_ASIDE
    soundfile.write("gone.wav", sound("hum", seed=99), RATE)
    assert audiogmm("group", "events.jsonl", "-o", "kinds", "--retry").status == 0
    rows = read("kinds/groups.jsonl")
    assert len(rows) == 19 and rows[-1]["probability"] is not None


def test_another_sample_rate_is_said(folder: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("group", "events.jsonl", "-o", "kinds").status == SET_ASIDE
    soundfile.write("low.wav", sound("hum", seed=1)[::2], RATE // 2)
    done = audiogmm("group", "low.wav", "-o", "kinds")
    assert done.status == 0
    assert "8000 Hz is resampled to 16000 Hz: it has nothing above" in done.err
    assert len(read("kinds/groups.jsonl")) == 1


def test_tables_are_refused(folder: Path, audiogmm: Audiogmm) -> None:
    np.save("table.npy", np.zeros((50, 3), np.float32))
    done = audiogmm("group", "table.npy", "-o", "kinds")
    assert done.status != 0 and "audiogmm cluster" in done.err
    assert not Path("kinds/kinds.agmm").exists()
    assert audiogmm("group", "events.jsonl", "-o", "kinds").status == SET_ASIDE
    done = audiogmm("group", "table.npy", "-o", "kinds")
    assert done.status != 0 and "is a table" in done.err


def test_what_cannot_be_named(folder: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("group", "events.jsonl", "-o", "kinds").status == SET_ASIDE
    assert audiogmm("name", "kinds", 1, "door").status == 0
    done = audiogmm("name", "kinds", 2, "door")
    assert done.status != 0 and "group 1 has the name 'door' already" in done.err
    done = audiogmm("name", "kinds", 77, "window")
    assert done.status != 0 and "there is no group 77" in done.err
    done = audiogmm("name", "nothing", 1, "window")
    assert done.status != 0 and "kinds.agmm does not exist" in done.err
    Path("kinds/kinds.agmm").write_bytes(b"nothing")
    assert audiogmm("group", "events.jsonl", "-o", "kinds").status != 0


def test_two_runs_at_once(folder: Path, audiogmm: Audiogmm) -> None:
    with exclusive("kinds"):
        for arguments in (("group", "events.jsonl", "-o", "kinds"), ("name", "kinds", 1, "a")):
            done = audiogmm(*arguments)
            assert done.status != 0 and "another run" in done.err


def test_a_folder_of_another_description_is_refused(folder: Path, audiogmm: Audiogmm) -> None:
    kinds = Kinds.empty().extended(sounds([0, 1], 5, seed=1)[0])[0]
    Path("kinds").mkdir()
    save_kinds(kinds, Path("kinds"), FrontEnd(sample_rate=16000).to_dict())
    done = audiogmm("group", "events.jsonl", "-o", "kinds")
    assert done.status != 0 and "12 values" in done.err
