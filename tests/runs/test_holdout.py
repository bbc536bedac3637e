"""Which recordings are held out."""

from __future__ import annotations

import numpy as np

from audiogmm.manifest import Entry
from audiogmm.runs.aside import Aside
from audiogmm.runs.holdout import divide, draw
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import say_nothing
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.training.frames.source import ArraySlice


def test_pieces_of_one_file_are_held_out_together_or_not_at_all() -> None:
    entries = [
        Entry(audio_filepath=f"/{file}.wav", id=f"{file}-{piece}", offset=10.0 * piece, duration=10.0)
        for piece in range(5)
        for file in range(12)
    ]
    for seed in range(5):
        held = draw(entries, 0.25, seed)
        assert held is not None
        files = {entry.path for entry in entries if entry.id in held}
        assert len(files) == 3
        assert sum(entry.id in held for entry in entries) == 15


def test_of_one_file_in_pieces_the_last_are_held_out() -> None:
    entries = [Entry(audio_filepath="/a.wav", id=f"a{p}", offset=float(p), duration=1.0) for p in range(10)]
    shards = [ArraySlice(entry.id, np.ones((1, 1), np.float32)) for entry in entries]
    parts = divide(TrainingInputs(shards, Inputs(entries, None, Aside(), say_nothing)), 0.2, seed=0)
    assert parts is not None
    assert [shard.id for shard in parts[1]] == ["a8", "a9"]
    assert [shard.id for shard in parts[0]] == [f"a{p}" for p in range(8)]
