"""What `import audiogmm as ag` offers works as the design's example has it."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import TrainingError
from audiogmm.synth import make_scenes, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api") / "corpus"
    write_corpus(folder, (r for r in make_scenes(seed=3, train=5, test=2, duration=5.0) if r.site == "pump"))
    return folder


def test_every_public_name_is_there() -> None:
    for name in ag.__all__:
        assert getattr(ag, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = ag.trian


def test_importing_a_room_does_not_hide_a_verb() -> None:
    for room in (
        "training",
        "scoring",
        "verification",
        "jobs.train",
        "jobs.score",
        "jobs.detect",
        "jobs.calibrate",
    ):
        importlib.import_module(f"audiogmm.{room}")
    for verb in (ag.train, ag.score, ag.detect, ag.calibrate, ag.load, ag.enroll, ag.verify):
        assert callable(verb)


def test_from_a_manifest_to_events(corpus: Path, tmp_path: Path) -> None:
    entries = ag.read_manifest(corpus / "train.jsonl")
    frontend = ag.FrontEnd.preset("ambient")
    model = ag.train(entries, frontend, n_components=4, covariance_type="full", seed=0)
    assert model.weights.shape == (4,)
    assert model.means.shape == (4, model.mixture.n_features)
    assert model.metadata.frontend["cmvn"] == "global"
    model.save(tmp_path / "room.agmm")
    loaded = ag.load(tmp_path / "room.agmm")
    assert loaded.fingerprint == model.fingerprint

    normal, odd = list(ag.read_manifest(corpus / "test.jsonl"))
    track = ag.score(loaded, odd)
    assert track.scores.shape == track.times.shape == track.voiced.shape
    events = ag.detect(loaded, odd)
    assert any(event.segment.overlap(truth) > 0 for event in events for truth in odd.events)
    assert ag.score(loaded, odd, against=loaded).scores.tolist() == [0.0] * len(track)

    again = ag.calibrate(model, [normal])
    assert again.metadata.detector["recordings"] == [normal.id]


def test_any_re_iterable_of_blocks_trains() -> None:
    rng = np.random.default_rng(0)
    clock = ag.FrameClock(16000, 160, 400)
    means = np.array([[0.0, 0.0], [6.0, 6.0]])
    blocks = []
    for i in range(10):
        frames = (means[i % 2] + rng.normal(size=(50, 2))).astype(np.float32)
        blocks.append(ag.FrameBlock(frames, np.ones(50, dtype=bool), 50 * i, clock))
    model = ag.train(blocks, n_components=2)
    np.testing.assert_allclose(np.sort(model.means, axis=0), means, atol=0.3)
    with pytest.raises(TrainingError, match="an iterator, which can be read only once"):
        ag.train(iter(blocks), n_components=2)


def test_a_block_at_frame_0_begins_a_recording() -> None:
    rng = np.random.default_rng(0)
    clock = ag.FrameClock(16000, 160, 400)
    blocks = [
        ag.FrameBlock(rng.normal(size=(40, 2)).astype(np.float32), np.ones(40, dtype=bool), start, clock)
        for _ in range(4)
        for start in (0, 40)
    ]
    model = ag.train(blocks, n_components=2)
    assert model.metadata.data["n_recordings"] == 4
    assert len(model.metadata.detector["recordings"]) == 4  # each of which was held out once


def test_of_a_single_recording_the_last_fifth_is_held_out(corpus: Path) -> None:
    from audiogmm.runs.holdout import last_part
    from audiogmm.training.frames.source import ArraySlice

    frames = np.arange(20, dtype=np.float32).reshape(10, 2)
    first, last = last_part(ArraySlice("ten", frames))
    assert [b.frames.tolist() for b in first] == [frames[:8].tolist()]
    assert [(b.start, b.frames.tolist()) for b in last] == [(8, frames[8:].tolist())]


@pytest.mark.parametrize("share", [-0.5, 0.6, float("nan")])
def test_a_hold_out_that_is_no_share_is_refused(corpus: Path, share: float) -> None:
    with pytest.raises(ag.AudioGMMError, match="hold_out"):
        ag.train(ag.read_manifest(corpus / "train.jsonl"), n_components=2, hold_out=share)


def test_k_means_figures_are_those_of_its_mixture() -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])
    frames = (centres[rng.integers(3, size=900)] + rng.normal(size=(900, 2))).astype(np.float32)
    blocks = [ag.FrameBlock(frames, np.ones(900, dtype=bool), 0, ag.FrameClock(16000, 160, 400))]
    model = ag.train(blocks, n_components=3, algorithm="kmeans", hold_out=0)
    from audiogmm.mixture.evaluator import Evaluator

    mean = Evaluator(model.mixture).log_likelihood(frames).mean()
    training = model.metadata.training
    assert training["log_likelihood"] == pytest.approx(mean, rel=1e-6)  # far apart: hard is soft
    free = 2 + 3 * 2 + 1
    assert training["bic"] == pytest.approx(-2 * 900 * mean + free * np.log(900), rel=1e-6)


def test_a_stream_gives_what_the_whole_gives() -> None:
    frontend = ag.FrontEnd.preset("speech")
    samples = np.random.default_rng(0).normal(size=24000).astype(np.float32) * 0.1
    stream = frontend.stream(16000)
    blocks = [b for piece in np.array_split(samples, 7) for b in stream.push(piece)] + stream.flush()
    assert np.concatenate([b.frames for b in blocks]).tobytes() == frontend(samples, 16000).tobytes()
