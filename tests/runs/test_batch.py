"""The frame of a run: order, what is set aside, and a journal that outlives a stop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import AudioDataError
from audiogmm.manifest import Entry
from audiogmm.runs.aside import errors_path
from audiogmm.runs.batch import Batch
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.journal import Journal
from audiogmm.runs.progress import Silent
from audiogmm.runs.settings import RunSettings
from audiogmm.types import Json


class Recorder(Silent):
    """Keeps what is reported."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[tuple[str, float | None, str]] = []
        self.done = 0.0
        self.ended = 0

    def begin(self, what: str, total: float | None, unit: str) -> None:
        self.stages.append((what, total, unit))

    def advance(self, amount: float, note: str = "") -> None:
        self.done += amount

    def end(self) -> None:
        self.ended += 1


@dataclass
class Task:
    """Makes the row of a recording; one is bad, and one may stop the run."""

    bad: str = ""
    stop: str = ""

    def __call__(self, recording: Any) -> Json:
        if recording.id == self.bad:
            raise AudioDataError(f"{recording.id} is empty")
        if recording.id == self.stop:
            raise KeyboardInterrupt
        return {"id": recording.id, "seconds": 1800.0}


def run(output: Path | None, task: Task, progress: Silent | None = None, **settings: Any) -> list[str]:
    """Run a task over the recordings a to d; the ids that were finished, now or before."""
    entries = [Entry(f"{id}.wav", id=id, duration=1800.0) for id in "abcd"]
    with Batch(output, RunSettings(threads=1, **settings), progress) as batch:
        inputs = Inputs(entries, None, batch.aside, batch.progress.say)
        journal = None
        if output is not None:
            journal = Journal(output, key="k", resume=settings.get("resume", False))
        found = []
        for row in batch.map("counting", inputs, task, journal):
            batch.advance(row["seconds"])
            found.append(row["id"])
        return found if journal is None else [row["id"] for row in journal.rows()]


def test_recordings_come_in_order_and_progress_ends(tmp_path: Path) -> None:
    progress = Recorder()
    assert run(tmp_path / "out", Task(), progress) == ["a", "b", "c", "d"]
    assert progress.stages == [("counting", 2.0, "h of audio")]
    assert progress.done == 2.0
    assert progress.ended
    assert [path.name for path in tmp_path.iterdir()] == ["out.inputs.jsonl"]


def test_a_bad_recording_is_set_aside_beside_the_output_unless_strict(tmp_path: Path) -> None:
    assert run(tmp_path / "out", Task(bad="b")) == ["a", "c", "d"]
    (line,) = errors_path(tmp_path / "out").read_text().splitlines()
    assert json.loads(line) == {
        "id": "b",
        "path": "b.wav",
        "error": "AudioDataError",
        "reason": "b is empty",
    }
    progress = Recorder()
    with pytest.raises(AudioDataError, match="b is empty"):
        run(tmp_path / "out", Task(bad="b"), progress, strict=True)
    assert progress.ended


def test_in_memory_the_first_bad_recording_raises() -> None:
    assert run(None, Task()) == ["a", "b", "c", "d"]
    with pytest.raises(AudioDataError, match="b is empty"):
        run(None, Task(bad="b"))


def test_a_stopped_run_continues_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"2 recordings are done and kept; .* --resume"):
        run(tmp_path / "out", Task(stop="c"))
    progress = Recorder()
    assert run(tmp_path / "out", Task(stop="a"), progress, resume=True) == ["a", "b", "c", "d"]
    assert progress.done == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["out.inputs.jsonl"]
