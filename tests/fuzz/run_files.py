"""The files that say how a run went, each with what makes a small one and what reads all of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import AudioGMMError
from audiogmm.jobs.provenance.rerun import Rerun
from audiogmm.live.stream.learned_state import LearnedState
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.moves import finish_moves, move_together
from audiogmm.runs.aside import Aside
from audiogmm.runs.input_rows import InputLedger
from audiogmm.runs.journal import Journal
from audiogmm.runs.kept_results import Kept, KeptReducer
from audiogmm.runs.run_manifest import RunManifest
from audiogmm.training.checkpoint import encode_state
from audiogmm.training.checkpoint_file import CheckpointFile
from audiogmm.training.schedule.batch import TrainingState

FRAMES = np.random.default_rng(0).standard_normal((90, 3))


def make_inputs(folder: Path) -> Path:
    """A ledger of inputs: two that are done, one that was set aside."""
    with Journal(folder / "out", key="one") as journal:
        journal.attach(Aside(quiet=True), print, 3, "list.jsonl")
        for name in "ab":
            journal.write({"id": name, "frames": 9, "seconds": 1.5}, "1" * 32, '["a.wav", 0, null]')
    return journal.ledger


def read_inputs(path: Path) -> Any:
    return list(InputLedger(path).rows())


@dataclass(frozen=True)
class Found:
    """What a task found."""

    name: str
    values: np.ndarray


class Named(str):
    """A shard."""

    id = property(str)


def measure(name: Named) -> Found:
    COMPUTED.append(str(name))
    return Found(str(name), np.arange(float(len(name))))


COMPUTED: list[str] = []
"""What was computed, since it was not kept."""


def _keep(path: Path) -> list[Found]:
    with KeptReducer(1, 0, Kept(path, "one"), {measure: (Found,)}) as reducer:
        return list(reducer.map(map(Named, ("one", "three")), measure))


def make_kept(folder: Path) -> Path:
    """Results that a run keeps until its output is whole."""
    _keep(folder / "out.checkpoint.kept")
    return folder / "out.checkpoint.kept"


def read_kept(path: Path) -> Any:
    COMPUTED.clear()
    found = _keep(path)
    assert [each.name for each in found] == ["one", "three"]
    if COMPUTED:
        raise AudioGMMError("computed again")
    return found


def make_manifest(folder: Path) -> Path:
    """A run manifest."""
    (folder / "m.bin").write_text("a model")
    arguments, outputs = ["score", "m.bin", "l.jsonl", "-o", "out"], {"out": {"a.npz": "1" * 64}}
    inputs = {"m.bin": f"sha256:{'1' * 64}"}
    manifest = RunManifest(
        arguments, str(folder), "2026-01-01T00:00:00+00:00", inputs=inputs, outputs=outputs
    )
    return manifest.write(folder / "out")


def read_manifest(path: Path) -> Any:
    found = RunManifest.read(path)
    with suppress(AudioGMMError):
        rerun = Rerun.of(path, ["score"], None)
        rerun.changed_inputs(), rerun.unknown_inputs
    return found


def make_moves(folder: Path) -> Path:
    """What a run had decided to rename when it was killed."""

    def killed() -> None:
        raise KeyboardInterrupt

    _ready(folder)
    with suppress(KeyboardInterrupt):
        move_together([(folder / ".a.part", folder / "a"), (folder / ".b.part", folder / "b")], killed)
    return next(folder.glob(".*.moves"))


def _ready(folder: Path) -> None:
    for name in "ab":
        (folder / name).unlink(missing_ok=True)
        (folder / f".{name}.part").write_text(name)


def read_moves(path: Path) -> Any:
    folder, outside = path.parent, path.parent.with_name(f"{path.parent.name}.outside")
    _ready(folder)
    outside.write_text("a stranger's")
    finish_moves(folder)
    assert outside.read_text() == "a stranger's"
    outside.unlink()
    found = {name: (folder / name).read_text() for name in "ab" if (folder / name).exists()}
    if not found:
        raise AudioGMMError("not used")
    return found


def make_state(folder: Path) -> Path:
    """What a stream has learned."""
    frontend = FrontEnd.preset("ambient")
    mixture = Mixture([1.0], FRAMES.mean(0, keepdims=True), FRAMES.var(0, keepdims=True), "diag")
    statistics = SufficientStats.measure(FRAMES, origin=np.zeros(3), covariance_type="diag")
    arrays, described = encode_state(TrainingState(mixture, statistics))
    arrays |= {"latest.scores": FRAMES[:, 0], "latest.voiced": FRAMES[:, 0] > 0, "floor": np.full(3, 1e-3)}
    numbers = ("n_heard", "n_cold", "n_seen", "n_frames", "skipped", "n_saved")
    document = {"mixture": described, "frontend": frontend.to_dict(), "steps": 2.0, "n_learned": 90.0}
    document |= {"log_likelihood": -4.5, "constant": [], "input": None} | dict.fromkeys(numbers, 90)
    file = CheckpointFile(folder / "m.agmm.checkpoint.state", {"seed": 0})
    file.save(arrays, document)
    return file.path


def read_state(path: Path) -> Any:
    found = CheckpointFile(path, {"seed": 0}).load(LearnedState.checked)
    return None if found is None else (found.document, found.arrays)


RUN_FILES = {
    "ledger of inputs": (make_inputs, read_inputs),
    "kept results": (make_kept, read_kept),
    "run manifest": (make_manifest, read_manifest),
    "moves": (make_moves, read_moves),
    "learned state": (make_state, read_state),
}
"""What makes a file of each kind, and what reads it."""
