"""Verbs with several passes go on after a stop: what a pass found is kept, and the bytes are the same."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import audiogmm.verification.recordings.enrollment as enrollment
from audiogmm.anomaly.learning.moments import MomentsTask
from audiogmm.anomaly.scorers.track import TrackTask
from audiogmm.training.incremental import NamedEStep
from tests.cli.calls import Audiogmm, Ran

VERBS = {
    "calibrate": ["m.agmm", "train.jsonl", "-o", "out.agmm"],
    "calibrate fused": ["m.agmm", "train.jsonl", "-o", "out.agmm", "--scores", "quantile"],
    "update": ["m.agmm", "train.jsonl", "-o", "out.agmm"],
    "update in place": ["out.agmm", "train.jsonl", "-o", "out.agmm", "--force"],
    "enroll": ["m.agmm", "train.jsonl", "-o", "out.agmm"],
}


class Reads:
    """Counts the recordings that tasks read, by task, and stops the run at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.stop_at = 0
        for task in (TrackTask, MomentsTask, NamedEStep):
            monkeypatch.setattr(task, "__call__", self.counting(task.__name__, task.__call__))
        monkeypatch.setattr(enrollment.MeasuredFrames, "__init__", self.counted_frames())

    def count(self, task: str, id: str) -> None:
        if self.stop_at and sum(self.counts.values()) == self.stop_at:
            raise KeyboardInterrupt
        self.counts[task, id] += 1

    def counting(self, name: str, plain: Any) -> Any:
        def call(task: Any, shard: Any) -> Any:
            self.count(name, shard.id)
            return plain(task, shard)

        return call

    def counted_frames(self) -> Any:
        plain = enrollment.MeasuredFrames.__init__

        def init(frames: Any, shard: Any, *rest: Any) -> None:
            self.count("enroll", shard.id)
            plain(frames, shard, *rest)

        return init


def contents(output: Path) -> dict[str, bytes]:
    """Every file of an output."""
    files = [path for path in output.rglob("*") if path.is_file()] if output.is_dir() else [output]
    return {str(path.relative_to(output.parent)): path.read_bytes() for path in files}


@pytest.mark.parametrize("ledger", [False, True])
@pytest.mark.parametrize("name", list(VERBS))
def test_a_stopped_run_goes_on(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch, name: str, ledger: bool
) -> None:
    if ledger and not name.startswith("update"):
        pytest.skip("only update changes a ledger")
    rows = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["speaker"] = f"speaker-{number % 2}"
    Path("train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["train", "test.jsonl", "-o", "m.agmm", "-k", 2, "--preset", "ambient", "--passes", 2]
    assert audiogmm(*options, *(["--ledger"] if ledger else [])).status == 0
    call, output = [name.split()[0], *VERBS[name], "--threads", 1], Path("out.agmm")

    def prepare() -> None:
        for left in Path().glob("out.agmm*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if name == "update in place":
            shutil.copy("m.agmm", "out.agmm")
            if ledger:
                shutil.copytree("m.agmm.ledger", "out.agmm.ledger")

    def again() -> Ran:
        return audiogmm(*call) if name == "enroll" else audiogmm(*call, "--resume")

    reads = Reads(monkeypatch)
    prepare()
    assert audiogmm(*call).status == 0
    whole, expected = contents(output), Counter(reads.counts)
    ledger_of_inputs = Path("out.agmm.inputs.jsonl").read_bytes()
    assert "6 done, 0 set aside, 0 pending" in audiogmm("info", "--inputs", output).out
    n_reads = sum(expected.values())
    for stop_at in (4, n_reads - 1):
        prepare()
        reads.counts.clear()
        reads.stop_at = stop_at
        stopped = audiogmm(*call)
        assert stopped.status == 130 and "done and kept" in stopped.err, stopped.err
        assert ("--resume" in stopped.err) == (name != "enroll")
        reads.stop_at = 0
        done = again()
        assert done.status == 0, done.err
        assert contents(output) == whole
        assert Path("out.agmm.inputs.jsonl").read_bytes() == ledger_of_inputs
        if name != "enroll" or stop_at == 4:  # calibration is learned again from the start
            assert reads.counts == expected
        assert not list(Path().glob("out.agmm.checkpoint*")) + list(Path().glob("*.journal"))


def test_the_inputs_of_a_gallery_are_those_of_all_runs_that_added_to_it(
    workshop: Path, audiogmm: Audiogmm
) -> None:
    rows = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    missing = {"audio_filepath": "gone.wav", "id": "gone"}
    for name, part in (("first", [*rows[:4], missing]), ("second", rows[4:])):
        named = [row | {"speaker": f"{name}-{number % 2}"} for number, row in enumerate(part)]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in named))
    options = ["train", "test.jsonl", "-o", "m.agmm", "-k", 2, "--preset", "ambient", "--passes", 2]
    assert audiogmm(*options).status == 0
    assert audiogmm("enroll", "m.agmm", "first.jsonl", "-o", "known").status == 3
    assert audiogmm("enroll", "m.agmm", "second.jsonl", "-o", "known").status == 0
    assert "6 done, 1 set aside, 0 pending" in audiogmm("info", "--inputs", "known").out
    shutil.copy(json.loads(Path("train.jsonl").read_text().splitlines()[0])["audio_filepath"], "gone.wav")
    assert audiogmm("enroll", "m.agmm", "first.jsonl", "-o", "known").status == 0
    assert "7 done, 0 set aside, 0 pending" in audiogmm("info", "--inputs", "known").out


def test_an_update_in_place_that_was_written_is_not_done_twice(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the model was renamed, before what was kept for going on was removed."""
    options = ["train", "test.jsonl", "-o", "m.agmm", "-k", 2, "--preset", "ambient", "--passes", 2]
    assert audiogmm(*options).status == 0
    call = ["update", "m.agmm", "train.jsonl", "-o", "m.agmm", "--force"]
    with monkeypatch.context() as patched:
        patched.setattr("audiogmm.runs.unfinished._drop", _killed_later())
        assert audiogmm(*call).status != 0
    before = Path("m.agmm").read_bytes()
    done = audiogmm(*call, "--resume")
    assert done.status == 0, done.err
    assert Path("m.agmm").read_bytes() == before


def _killed_later() -> Any:
    """The first call, which clears the way, does nothing; the second, at the end, is a kill."""
    calls: list[Path] = []

    def drop(place: Path) -> None:
        calls.append(place)
        if len(calls) == 2:
            raise RuntimeError("killed")

    return drop
