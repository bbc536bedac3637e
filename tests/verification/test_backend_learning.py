"""Learning a back end from speakers of whom all is known."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from audiogmm.errors import TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.row_spool import RowSpool
from audiogmm.verification.backend_learning import learn_backend
from audiogmm.verification.background import StoredRecording
from audiogmm.verification.space import SpaceSettings
from tests.verification.voices import mixture, people


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


def peak_of_learning(recordings: int) -> tuple[int, int]:
    """Bytes that learning takes at its peak, and those of the frames that it learns from."""
    voices = people(24, recordings, seconds=6.0, D=30)
    tracemalloc.start()
    try:
        with RowSpool() as spool:
            known = [StoredRecording.of(voice, spool) for voice in voices]
            learn_backend(mixture(D=30), known, settings=SpaceSettings(principal=10))
        return tracemalloc.get_traced_memory()[1], sum(voice.frames.nbytes for voice in voices)
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_recordings() -> None:
    peak_of_learning(1)  # imports and compiled kernels
    once, eight = peak_of_learning(1), peak_of_learning(8)
    assert eight[1] == 8 * once[1] and eight[0] - once[0] < 0.2 * (eight[1] - once[1])


def test_few_speakers_teach_nothing() -> None:
    with pytest.raises(TrainingError, match="19 speakers") as caught:
        learn_backend(mixture(), people(19, seconds=2.0))
    assert "at least 20" in str(caught.value)
