"""Ctrl-C keeps what is done, and the same call goes on to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from audiogmm.errors import MismatchError, ModelFileError, OutputError
from audiogmm.reduce import LocalReducer
from audiogmm.training import Monitor, PassReport, TrainingInterrupted, checkpoint_file, train_mixture
from audiogmm.training.schedule.approximation import EXACT_PASSES, Approximation
from audiogmm.training.schedule.steps import Stepwise
from tests.training.shards import blobs, recordings

ROOT = Path(__file__).parents[2]


class Impatient(Monitor):
    """Presses Ctrl-C after some frames of a pass."""

    def __init__(self, stage: str, number: int) -> None:
        self.when = (stage, number)
        self.now = ("", 0)

    def on_stage(self, stage: str, number: int, n_frames: int | None) -> None:
        self.now = (stage, number)
        if stage == "seed" and self.now == self.when:
            raise KeyboardInterrupt

    def on_frames(self, n_frames: int, seconds: float) -> None:
        if self.now == self.when:
            raise KeyboardInterrupt


SHARDS = recordings(blobs(20_000, K=6), 1000)


@pytest.fixture(autouse=True)
def after_every_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_file, "SHARE", np.inf)


@pytest.mark.parametrize("algorithm", ["em", "accelerated", "stepwise", "kmeans"])
@pytest.mark.parametrize("restarts", [1, 2])
def test_resumed_is_uninterrupted(tmp_path: Path, algorithm: str, restarts: int) -> None:
    options = {"n_components": 6, "algorithm": algorithm, "passes": 6, "tol": 0.0, "restarts": restarts}
    if algorithm == "accelerated":
        options |= {"algorithm": "em", "accelerate": True}
    whole = train_mixture(SHARDS, **options)  # type: ignore[arg-type]
    path = tmp_path / "run.checkpoint"
    with pytest.raises(TrainingInterrupted, match=r"after 3 complete passes.*run\.checkpoint") as raised:
        train_mixture(SHARDS, checkpoint=path, monitor=Impatient("pass", 4), **options)  # type: ignore[arg-type]
    assert raised.value.checkpoint == path
    assert raised.value.result is not None
    assert raised.value.result.history == whole.history[:3]
    resumed = train_mixture(SHARDS, checkpoint=path, **options)  # type: ignore[arg-type]
    assert resumed.mixture == whole.mixture
    assert resumed.statistics == whole.statistics
    assert resumed.history == whole.history
    assert resumed.starts == whole.starts
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.checkpoint", "run.checkpoint.before"]
    again = train_mixture(SHARDS, checkpoint=path, **options)  # type: ignore[arg-type]
    assert again.mixture == whole.mixture  # done already: no pass is made


@pytest.mark.parametrize("number", range(1, 5))
def test_killed_in_any_pass_is_uninterrupted(tmp_path: Path, number: int) -> None:
    class Killed(Monitor):
        def on_stage(self, stage: str, now: int, n_frames: int | None) -> None:
            if (stage, now) == ("pass", number):
                raise MemoryError  # which, as SIGKILL, keeps nothing more

    options: dict[str, Any] = {"n_components": 6, "passes": 4, "tol": 0.0, "restarts": 2}
    whole = train_mixture(SHARDS, **options)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(MemoryError):
        train_mixture(SHARDS, checkpoint=path, monitor=Killed(), **options)
    assert path.exists()  # before the first pass, with the start that restarts found
    resumed = train_mixture(SHARDS, checkpoint=path, **options)
    assert resumed.mixture == whole.mixture
    assert resumed.starts == whole.starts
    assert resumed.history == whole.history


@pytest.mark.parametrize(
    ("damage", "approximate"),
    [
        *((damage, kind) for damage in ("cut", "flipped", "gone") for kind in (None, "truncated:2:3")),
        ("beside", "truncated:2:3"),
    ],
)
def test_a_damaged_latest_falls_back_to_the_one_before(
    tmp_path: Path, damage: str, approximate: str | None
) -> None:
    class Notes(Monitor):
        heard: ClassVar[list[str]] = []

        def on_note(self, note: str) -> None:
            self.heard.append(note)

    options: dict[str, Any] = {"n_components": 6, "tol": 0.0}
    options |= {"approximation": approximate and Approximation.parse(approximate)}
    path, n = tmp_path / "run.checkpoint", EXACT_PASSES + 3
    whole = train_mixture(SHARDS, passes=n + 2, **options)
    train_mixture(SHARDS, passes=n, checkpoint=path, **options)
    latest = tmp_path / f"run.checkpoint.sets{n}" if damage == "beside" else path
    content = latest.read_bytes()
    if damage == "gone":  # the power went between two renames
        latest.unlink()
    else:
        cut, flipped = content[:-9], content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
        latest.write_bytes(cut if damage == "cut" else flipped)
    resumed = train_mixture(SHARDS, passes=n + 2, checkpoint=path, monitor=Notes(), **options)
    assert resumed.mixture == whole.mixture
    assert resumed.history == whole.history
    assert resumed.loss == whole.loss
    assert bool(Notes.heard) == (damage != "gone")
    if Notes.heard:
        assert "going on from the one before it" in Notes.heard.pop()
        Notes.heard.clear()
    sets = {f"run.checkpoint.sets{number}" for number in (n + 1, n + 2)} if approximate else set()
    kept = {file.name for file in tmp_path.iterdir()}
    assert kept == {"run.checkpoint", "run.checkpoint.before"} | sets  # older ones are gone


def test_saving_takes_a_small_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(checkpoint_file.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(checkpoint_file, "SHARE", 0.01)
    file = checkpoint_file.CheckpointFile(tmp_path / "c", {})
    saved = []

    def last_two_seconds() -> None:
        now[0] += 2.0

    for second in range(2000):
        now[0] = max(now[0], float(second))
        if file.is_due(1000):
            saved.append(now[0])
            file.save({}, {}, last_two_seconds)
    assert saved[:3] == [2.0, 400.0, 600.0]  # the first is taken to need 10 ms
    assert len(saved) == 9


def test_a_finished_training_goes_on_with_more_passes(tmp_path: Path) -> None:
    path = tmp_path / "c"
    train_mixture(SHARDS, n_components=6, passes=2, tol=0, checkpoint=path)
    more = train_mixture(SHARDS, n_components=6, passes=5, tol=0, checkpoint=path)
    assert more.mixture == train_mixture(SHARDS, n_components=6, passes=5, tol=0).mixture


@pytest.mark.parametrize(("stage", "number"), [("read", 0), ("seed", 0), ("pass", 1)])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_interruption_before_the_first_pass_ends(
    tmp_path: Path, stage: str, number: int, threads: int
) -> None:
    with pytest.raises(TrainingInterrupted, match="after 0 complete passes") as raised:
        train_mixture(
            SHARDS,
            n_components=2,
            checkpoint=tmp_path / "c",
            monitor=Impatient(stage, number),
            reducer=LocalReducer(threads),
        )
    assert (raised.value.result, raised.value.checkpoint) == (None, None)
    assert isinstance(raised.value.__cause__, KeyboardInterrupt)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    train_mixture(SHARDS, n_components=6, passes=1, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(MismatchError, match=r"n_components 6, seed 0; needed: n_components 4, seed 1"):
        train_mixture(SHARDS, n_components=4, seed=1, passes=1, checkpoint=path)
    with pytest.raises(MismatchError, match=r"n_frames 20000, n_recordings 20; needed: .*n_frames 19000"):
        train_mixture(SHARDS[1:], n_components=6, passes=1, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", "cut"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "c"
    train_mixture(SHARDS[:2], n_components=2, passes=1, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-9] if isinstance(content, str) else content)
    path.with_name("c.before").unlink()
    with pytest.raises(ModelFileError, match=r"c is not a checkpoint, or not a whole one.*remove it"):
        train_mixture(SHARDS[:2], n_components=2, passes=1, checkpoint=path)


def test_another_programs_safetensors_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"x": np.ones(2)}, tmp_path / "c")
    with pytest.raises(ModelFileError, match="another program"):
        train_mixture(SHARDS[:2], n_components=2, checkpoint=tmp_path / "c")


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        train_mixture(SHARDS[:2], n_components=2, checkpoint=tmp_path / "file" / "c")


def test_reports_survive_json() -> None:
    report = PassReport(3, 100, -2.5, None, 0.25, 7, (1, 2), (2,), 0.5, 12.0, seconds=9.0)
    assert PassReport.from_json(report.to_json()) == report
    assert "seconds" not in report.to_json()


def test_a_checkpoint_of_spider_em_goes_on_without_it(tmp_path: Path) -> None:
    """Version 0.1 wrote it within an epoch, whose mixture no pass had confirmed."""
    path = tmp_path / "run.checkpoint"
    path.write_bytes((Path(__file__).parent / "files/spider_0.1.checkpoint").read_bytes())
    result = train_mixture(
        recordings(blobs(600, K=2), 100),
        n_components=2,
        algorithm="stepwise",
        stepwise=Stepwise(1),
        passes=6,
        tol=0.0,
        checkpoint=path,
    )
    assert [report.stepwise for report in result.history] == [True, False, True, False, False, False]
    assert not any(report.fell_back for report in result.history)
    # from the mixture that the exact second pass gave, not from the end of the epoch
    assert result.history[3].log_likelihood > result.history[1].log_likelihood
    assert result.history[4].gain is not None and result.history[4].gain >= 0


def test_a_real_interrupt_with_workers_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of a terminal; the parent must not wait for ever for dead workers."""
    script = f"""
import signal, sys, pathlib
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {str(ROOT)!r})
from audiogmm.training.schedule.steps import Stepwise
from tests.training.shards import blobs, recordings
from audiogmm.reduce import LocalReducer
from audiogmm.training import checkpoint_file
from audiogmm.training import Monitor, TrainingInterrupted, train_mixture

class Loud(Monitor):
    def on_pass(self, report):
        print(report.number, flush=True)

if __name__ == "__main__":
    try:
        train_mixture(recordings(blobs(20000), 1000), n_components=4, passes=10**6, tol=0, max_spool_bytes=0,
                      reducer=LocalReducer(1, workers=2), monitor=Loud(), checkpoint=pathlib.Path("run"))
    except TrainingInterrupted as error:
        print("kept", error.result.passes >= 2, error.checkpoint, flush=True)
"""
    (tmp_path / "script.py").write_text(script)
    # a short name: the path of a socket in it has at most 107 bytes
    with (
        tempfile.TemporaryDirectory(prefix="s") as scratch,
        subprocess.Popen(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": scratch, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            first = [process.stdout.readline() for _ in range(2)]
            os.killpg(process.pid, signal.SIGINT)
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
        assert (first, process.returncode, errors) == (["1\n", "2\n"], 0, "")
        assert rest.splitlines()[-1] == "kept True run"
        assert list(Path(scratch).glob("audiogmm-*")) == []
