"""All normal audio is scored by models of other audio, whatever the score and however it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.learning import cross_fit as folds
from audiogmm.anomaly.learning.assembly import make_scorer
from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.anomaly.learning.score_learning import learn_scores
from audiogmm.anomaly.scorers.track import score_recording
from audiogmm.audio.recording import Recording
from audiogmm.mixture.store import Model
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.timeline import FrameClock
from audiogmm.training.frames.source import ArraySlice

CLOCK = FrameClock(16000, 160, 400)


def wandering(n_recordings: int, n_frames: int, seed: int = 0) -> list[np.ndarray]:
    """Frames of recordings, each around a place of its own, which a model of it knows."""
    rng = np.random.default_rng(seed)
    return [
        (4 * rng.normal(size=6) + rng.normal(size=(n_frames, 6))).astype(np.float32)
        for _ in range(n_recordings)
    ]


def train(recordings: list[np.ndarray], **settings: object) -> Model:
    blocks = [ag.FrameBlock(frames, np.ones(len(frames), np.bool_), 0, CLOCK) for frames in recordings]
    return ag.train(blocks, n_components=4, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hours", "share", "turns"),
    [(0.03, 0.1, 5), (0.5, 0.1, 3), (1.0, 0.1, 2), (11.0, 0.1, 2), (0.03, 0.3, 3), (0.03, 0.5, 2)],
)
def test_turns_are_fewer_where_they_cost_more(hours: float, share: float, turns: int) -> None:
    assert folds.count_turns(round(360_000 * hours), 100.0, share) == (turns, share)


def test_where_one_turn_is_enough_there_is_one() -> None:
    assert folds.count_turns(7_200_000, 100.0, 0.1) == (1, pytest.approx(2_000_000 / 7_200_000))
    assert folds.count_turns(72_000_000, 100.0, 0.1) == (1, 0.1)


def test_recordings_are_scored_by_models_that_do_not_know_them() -> None:
    recordings = wandering(5, 400)
    model = train(recordings)
    detector = read_detector(model)
    assert detector.normal.lengths.tolist() == [400] * 5
    known = [score_recording(make_scorer(model), ArraySlice("a", frames)).scores for frames in recordings]
    assert np.median(detector.normal.scores) < np.median(np.concatenate(known)) - 0.5


def test_scores_learn_in_every_turn_from_what_is_not_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[list[str]] = []

    def learning(specs: Any, given: Any, **how: Any) -> Any:
        turns.extend([shard.id for shard in part] for _, n in given for part in (n.fitted, n.held_out))
        return learn_scores(specs, given, **how)

    monkeypatch.setattr(folds, "learn_scores", learning)
    detector = read_detector(train(wandering(4, 400), scores="fusion"))
    assert len(detector.normal.ids) == 4 and len(turns) == 8
    for fitted, held in zip(turns[::2], turns[1::2], strict=True):
        assert len(held) == 1 and sorted(fitted + held) == list(detector.normal.ids)


def test_a_single_recording_is_scored_in_stretches_and_kept_whole() -> None:
    (recording,) = wandering(1, 1500)
    detector = read_detector(train([recording]))
    assert len(detector.normal.ids) == 1 and detector.normal.lengths.tolist() == [1500]
    odd = recording.copy()
    odd[300:400] += 40.0
    scores = read_detector(train([odd])).normal.scores
    assert scores[300:400].max() < min(scores[:300].min(), scores[400:].min())  # in order of time


def test_twenty_minutes_of_normal_audio_give_a_budget_and_a_little_does_not() -> None:
    rng = np.random.default_rng(1)
    normal = [rng.normal(size=(20_000, 3)).astype(np.float32) for _ in range(6)]
    detector = read_detector(train(normal, passes=2))
    assert detector.budget is not None and detector.hours == pytest.approx(1 / 3)
    assert detector.settings.alarms_per_hour == 6.0 and detector.budget.n_events == 2
    assert detector.budget.low < 6.0 < detector.budget.high
    assert detector.with_settings(alarms_per_hour=3.0).budget is not None
    little = read_detector(train([frames[:3000] for frames in normal], passes=2))
    assert little.budget is None and little.settings.by_default


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_audio_is_counted_by_headers(offset: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without durations in the manifest nothing is read once more, and the turns are the same."""
    rng = np.random.default_rng(0)
    for name in "abcd":
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.normal(size=24_000), 8000)
    without = [ag.Entry(str(tmp_path / f"{name}.wav"), id=name, offset=offset) for name in "abcd"]
    reads: list[str] = []
    read = Recording.__iter__

    def counted(recording: Recording) -> Iterator[ag.FrameBlock]:
        reads.append(recording.id)
        return read(recording)

    monkeypatch.setattr(Recording, "__iter__", counted)
    seen = []
    for entries in ([replace(entry, duration=3.0 - offset) for entry in without], without):
        reads.clear()
        model = ag.train(entries, "ambient", n_components=2, passes=2)
        seen.append((len(reads), read_detector(model).normal.scores.tobytes()))
    assert seen[0] == seen[1]


def test_hours_that_are_stated_are_counted_whole(tmp_path: Path) -> None:
    """Beyond what a detector keeps, too: the share that is held out in a single turn depends on it."""
    entries = [ag.Entry(str(tmp_path / f"{i}.wav"), id=str(i), duration=7200.0) for i in range(10)]
    frontend = replace(ag.FrontEnd.preset("ambient"), sample_rate=8000)
    recordings = Inputs(entries, frontend, Aside(), print)
    assert folds.count_frames(TrainingInputs(recordings, recordings)) == (7_200_000, 100.0)
