"""The back end: its parts against slow twins, what it learns, and the way to a file and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.channels import channel_offsets
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import ModelFileError, TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model
from audiogmm.reduce import LocalReducer
from audiogmm.verification.backend import read_backend, with_backend
from audiogmm.verification.backend_learning import learn_backend
from audiogmm.verification.background import BackgroundRecording
from audiogmm.verification.background_trials import IMPOSTORS, TrialSide, choose_trials
from audiogmm.verification.compensation import Compensation, learn_compensation
from audiogmm.verification.pieces import cut_pieces
from audiogmm.verification.projection import learn_projection
from audiogmm.verification.recordings.background_reader import (
    LabeledRecording,
    select_recordings,
    share_memory,
)
from audiogmm.verification.space import SpaceSettings
from audiogmm.verification.supervector import center_statistics, supervector
from tests.naive import backend as naive

SEEDS = st.integers(0, 2**32 - 1)


def mixture(K: int = 4, D: int = 3, seed: int = 0) -> Mixture:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(K, 5.0))
    return Mixture(weights, rng.normal(0, 3, (K, D)), rng.uniform(0.5, 2.0, (K, D)), "diag")


def people(
    n: int, recordings: int = 1, seconds: float = 12.0, D: int = 3, seed: int = 1
) -> list[BackgroundRecording]:
    """Recordings of speakers who differ by an offset of all frames, and recordings by a smaller one."""
    rng = np.random.default_rng(seed)
    background, found = mixture(D=D), []
    for person in range(n):
        own = rng.normal(0, 0.7, (4, D))
        for take in range(recordings):
            which = rng.choice(4, size=int(100 * seconds), p=background.weights)
            frames = (background.means + own)[which] + rng.normal(0, 0.15, D)
            frames = frames + rng.normal(size=frames.shape) * np.sqrt(background.covariances[which])
            found.append(
                BackgroundRecording(f"{person}-{take}", f"p{person}", "", frames.astype(np.float32), 100.0)
            )
    return found


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_supervectors_are_adapted_means(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = mixture(seed=seed)
    frames = rng.normal(0, 3, (rng.integers(1, 30), 3))
    found = supervector(*center_statistics(model, Evaluator(model).accumulate(frames)), 8.0)
    wanted = naive.supervector(frames, model.weights, model.means, model.covariances, 8.0)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_principal_components_are_those_of_the_covariance(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(12, 5)) * [5, 4, 3, 2, 1]
    found = learn_projection(vectors, 2)
    mean, basis = naive.principal(vectors, 2)
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(np.abs(found.basis.T @ basis), np.eye(2), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found(vectors), axis=1), 1.0)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_eigenchannels_take_out_the_likeliest_offset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, first = rng.uniform(0, 20, 4), rng.normal(0, 10, (4, 3))
    directions = np.linalg.qr(rng.normal(size=(12, 2)))[0]
    spread = rng.uniform(0.1, 3, 2)
    found = Compensation("isv", directions, spread).statistics(counts, first)
    np.testing.assert_allclose(found, naive.eigenchannel(counts, first, directions * spread), atol=1e-9)


def test_an_offset_along_a_nuisance_direction_is_gone() -> None:
    rng = np.random.default_rng(0)
    nuisance = np.array([1.0, -1.0, 0.0, 0.0]) / np.sqrt(2)
    groups = [rng.normal(0, 2, 4) + rng.normal(0, 1, (3, 1)) * nuisance for _ in range(30)]
    nap = learn_compensation("nap", groups, rank=1)
    assert abs(nap.directions[:, 0] @ nuisance) > 0.999
    counts = np.array([8.0, 8.0])
    first = rng.normal(0, 9, (2, 2))
    moved = first + 16.0 * 5 * nuisance.reshape(2, 2)
    np.testing.assert_allclose(nap.supervector(counts, moved), nap.supervector(counts, first), atol=2e-3)


def test_compensation_needs_recordings() -> None:
    with pytest.raises(TrainingError, match="nap from 12 speakers, 3 of them") as caught:
        learn_compensation("nap", [np.ones((2, 2))] * 3 + [np.ones((1, 2))] * 9)
    assert "10 speakers" in str(caught.value)
    voices = people(20)
    with pytest.raises(TrainingError, match="isv from 20 speakers, 0 of them"):
        learn_backend(mixture(), voices, settings=SpaceSettings("isv"))


@pytest.mark.parametrize("compensation", [None, "nap", "isv"])
def test_the_back_end_tells_new_speakers_apart(compensation: str | None) -> None:
    voices = people(60, recordings=2, seconds=8.0)
    known, new = voices[:80], voices[80:]
    background = mixture()
    backend = learn_backend(background, known, settings=SpaceSettings(compensation, principal=10))
    evaluator = Evaluator(background)
    vectors = np.stack([backend.vector(evaluator.accumulate(voice.frames)) for voice in new])
    scores = backend.scores(vectors[0::2], vectors[1::2])
    own = np.eye(len(scores), dtype=bool)
    assert (scores.argmax(axis=0) == np.arange(len(scores))).mean() > 0.8
    assert np.median(scores[own]) > 0 > np.median(scores[~own])
    calibration = backend.calibrations.get("none")
    assert calibration is not None
    llr = calibration.apply(
        {
            "raw": np.where(own, 0.3, -0.3).ravel(),
            "space": scores.ravel(),
            "log_voiced_seconds": np.full(scores.size, np.log(3.0)),
            "log_enrolled_seconds": np.full(scores.size, np.log(8.0)),
        }
    ).reshape(scores.shape)
    assert np.median(llr[own]) > 1 and np.median(llr[~own]) < -1


def test_a_back_end_is_read_as_it_was_written(tmp_path) -> None:
    from audiogmm.mixture.store import load

    backend = learn_backend(mixture(), people(24, seconds=6.0), settings=SpaceSettings(principal=8))
    model = with_backend(Model(mixture()), backend)
    model.save(tmp_path / "m.agmm")
    again = read_backend(load(tmp_path / "m.agmm"))
    assert again is not None
    heard = Evaluator(mixture()).accumulate(people(1)[0].frames)
    np.testing.assert_array_equal(again.vector(heard), backend.vector(heard))
    assert again.calibrations == dict(backend.calibrations)
    assert again.about == backend.about
    assert read_backend(with_backend(model, None)) is None
    broken = dict(model.tensors)
    broken.pop("speakers.basis")
    with pytest.raises(ModelFileError, match="KeyError"):
        read_backend(Model(model.mixture, metadata=model.metadata, tensors=broken))


def test_threads_do_not_change_a_byte() -> None:
    voices, channels = people(24, seconds=6.0), np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    found = []
    for threads in (1, 3):
        backend = learn_backend(
            mixture(),
            voices,
            channels=channels,
            settings=SpaceSettings(principal=8),
            reducer=LocalReducer(threads),
        )
        arrays, document = backend.to_tensors()
        found.append(({name: array.tobytes() for name, array in arrays.items()}, document))
    assert found[0] == found[1]


def test_few_speakers_teach_nothing() -> None:
    with pytest.raises(TrainingError, match="19 speakers") as caught:
        learn_backend(mixture(), people(19, seconds=2.0))
    assert "at least 20" in str(caught.value)


def test_some_pieces_come_over_other_channels() -> None:
    voices = people(40, seconds=8.0)
    plain = cut_pieces(mixture(), voices)
    moved = cut_pieces(mixture(), voices, np.full((1, 3), 4.0, np.float32))
    assert not plain.moved.any() and 0.15 < moved.moved.sum() / len(plain.owners) < 0.45
    np.testing.assert_array_equal(moved.first[~moved.moved], plain.first)


def test_memory_is_shared_among_speakers() -> None:
    plan = share_memory({f"p{i}": 1 for i in range(5000)}, 8)
    assert len(plan) == 1000 and set(share_memory({f"p{i}": 1 for i in range(5000)}, 8)) == set(plan)
    samples = [LabeledRecording("ann", "", voice) for voice in people(20, seconds=0.6)]
    assert len(list(select_recordings(samples))) == 7  # every third of 20
    assert sum(sample.max_bytes for sample in select_recordings(samples)) <= 192 << 20


def test_channels_move_static_features_alone() -> None:
    frontend = FrontEnd(cmvn="none", deltas=1, sample_rate=8000)
    offsets = channel_offsets(frontend, 50)
    assert offsets is not None and offsets.shape == (50, 40)
    assert np.abs(offsets[:, :20]).max() > 1 and not offsets[:, 20:].any()
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.1, 16000).astype(np.float32)
    louder = frontend(3 * audio, 8000)[5:-5] - frontend(audio, 8000)[5:-5]
    np.testing.assert_allclose(louder, 0, atol=1e-3)  # a flat response adds to c0 alone, which is not kept


def test_false_claims_are_made_of_the_same_kind_where_there_is_one() -> None:
    frames = np.zeros((2, 3), np.float32)
    heard = Evaluator(mixture()).accumulate(frames)
    kinds = {speaker: "F" if speaker < 20 else "M" for speaker in range(40)} | {40: "alone"}
    sides = [TrialSide(speaker, kind, 1.0, heard, frames) for speaker, kind in kinds.items()]
    model, test = choose_trials(sides, sides, np.random.default_rng(0))
    for t, tested in enumerate(sides):
        claimed = [sides[m] for m in model[test == t]]
        others = [side for side in claimed if side.speaker != tested.speaker]
        assert len(claimed) == IMPOSTORS + 1 and len({side.speaker for side in others}) == IMPOSTORS
        assert {side.kind for side in others} == {tested.kind} or tested.kind == "alone"
