"""Which recordings are held out."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.manifest import Entry
from audiogmm.runs.aside import Aside
from audiogmm.runs.holdout import divide, draw, take_turns
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


def ids(shards: object) -> list[str]:
    return [shard.id for shard in shards]  # type: ignore[attr-defined]


def in_turns(entries: list[Entry], n_turns: int) -> list[tuple[list[str], list[str]]]:
    shards = [ArraySlice(entry.id, np.ones((1, 1), np.float32)) for entry in entries]
    inputs = TrainingInputs(shards, Inputs(entries, None, Aside(), say_nothing))
    return [(ids(kept), ids(held)) for kept, held in take_turns(inputs, n_turns, 0.1, seed=3)]


@pytest.mark.parametrize(("n_files", "n_turns"), [(12, 5), (7, 2), (2, 5)])
def test_every_recording_is_held_out_once_with_all_its_pieces(n_files: int, n_turns: int) -> None:
    entries = [
        Entry(audio_filepath=f"/{file}.wav", id=f"{file}-{piece}", offset=10.0 * piece, duration=10.0)
        for piece in range(3)
        for file in range(n_files)
    ]
    turns = in_turns(entries, n_turns)
    assert len(turns) == min(n_files, n_turns)
    assert sorted(id for _, held in turns for id in held) == sorted(entry.id for entry in entries)
    for kept, held in turns:
        assert len(kept) + len(held) == len(entries)
        assert {id.split("-")[0] for id in kept}.isdisjoint(id.split("-")[0] for id in held)


def test_pieces_of_one_file_take_turns_in_order_of_time() -> None:
    entries = [Entry(audio_filepath="/a.wav", id=f"a{p}", offset=float(p), duration=1.0) for p in range(6)]
    assert [held for _, held in in_turns(entries[::-1], 3)] == [["a1", "a0"], ["a3", "a2"], ["a5", "a4"]]


def test_stretches_of_one_recording_take_turns() -> None:
    frames = np.arange(20, dtype=np.float32).reshape(10, 2)
    shard = ArraySlice("ten", frames)
    turns = take_turns(TrainingInputs([shard]), 3, 0.1, seed=0)
    held = [np.concatenate([block.frames for part in held for block in part]) for _, held in turns]
    np.testing.assert_array_equal(np.concatenate(held), frames)
    for (kept, _), out in zip(turns, held, strict=True):
        others = np.concatenate([block.frames for part in kept for block in part])
        np.testing.assert_array_equal(others, [row for row in frames if row not in out])


def test_one_turn_holds_out_a_share_alone() -> None:
    entries = [Entry(audio_filepath=f"/{i}.wav", id=str(i), duration=60.0) for i in range(20)]
    ((kept, held),) = in_turns(entries, 1)
    assert (len(kept), len(held)) == (18, 2)
