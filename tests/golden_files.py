"""Writes one small file of every kind, for a later version to open: python -m tests.golden_files FOLDER.

The files of a version are never written again: `tests/test_golden.py` compares what they say with what is
made here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from audiogmm.anomaly.kinds.description import Description
from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import save_kinds
from audiogmm.blocks import FrameBlock
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import Model
from audiogmm.reporting.run.record import RunRecord
from audiogmm.runs.journal import Journal
from audiogmm.scoring.track_file import TrackWriter
from audiogmm.timeline import FrameClock
from audiogmm.training.checkpoint import Checkpoint
from audiogmm.training.ledger import Ledger
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.speaker import Speaker

FRAMES = (np.arange(270).reshape(90, 3) * 37 % 101 / 50 - 1).astype(np.float32)
HALVES = FRAMES[:40].astype(np.float64), FRAMES[40:].astype(np.float64)
STATS = SufficientStats(
    "diag",
    np.zeros(3),
    np.array([40.0, 50.0]),
    np.array([half.sum(0) for half in HALVES]),
    np.array([(half**2).sum(0) for half in HALVES]),
    90.0,
)
SCORES = np.linspace(-9.0, 0.0, len(FRAMES))
BLOCK = FrameBlock(FRAMES, np.arange(90) % 3 > 0, 0, FrameClock(16000, 160, 400))
CALIBRATION = Calibration(("score", "duration"), (2.0, -0.5), -1.0)
RECORD = RunRecord("m", "s", "f", {"threshold": -3.5}, recordings=3, events=2)
ROWS = [{"id": name, "score": -1.25} for name in "ab"]


class Named:
    """An input of a run."""

    def __init__(self, id: str) -> None:
        self.id = id


def model() -> Model:
    """Return a model of two components."""
    means = np.array([[-0.5, 0.0, 0.5], [0.5, 0.25, -0.5]])
    mixture = Mixture([0.25, 0.75], means, np.array([[0.5, 1.0, 2.0], [1.0, 0.5, 0.25]]), "diag")
    metadata = {"seed": 3, "training": {"floor": [1e-3] * 3, "passes": 4}}
    return Model(mixture, STATS, metadata, {"normal.scores": np.linspace(-9, 0, 50)})


def kinds() -> Kinds:
    """Return groups of twelve sounds, the first of which has a name."""
    found, _ = Kinds.empty().extended([Description(FRAMES[i], FRAMES[i : i + 4]) for i in range(12)])
    return found.named(1, "door", is_normal=True)


def write(folder: Path) -> None:
    """Write a file of every kind."""
    folder.mkdir(parents=True)
    made = model()
    made.save(folder / "model.agmm")
    gallery = Gallery.create(folder / "gallery", made)
    gallery.add(Speaker("ann", made.fingerprint, STATS, ("a",), 0.9, ("x",), (20.0,)))
    gallery.calibrate(CALIBRATION, {"method": "leave one out"})
    state = TrainingState(made.mixture, STATS, trail=(made.mixture,))
    Checkpoint(folder / "em.checkpoint", {"seed": 0}).save(state, (-3.0,))
    ledger = Ledger(folder / "ledger")
    ledger.put("a", STATS)
    ledger.save(made.fingerprint)
    save_kinds(kinds(), folder / "kinds", {"sample_rate": 16000})
    RECORD.write(folder / "events.jsonl")
    with TrackWriter(folder / "a.npz", "a") as writer:
        writer.write(BLOCK, SCORES)
    try:
        with Journal(folder / "out", key="one") as journal:
            for shard in journal.waiting(map(Named, "ab")):  # type: ignore[type-var]
                journal.write({"id": shard.id, "score": -1.25})
            raise KeyboardInterrupt  # a run that ends removes it
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    write(Path(sys.argv[1]))
