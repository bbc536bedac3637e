"""Trials between pieces of background recordings, from which a calibration is learned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.source import ArraySlice
from audiogmm.types import BoolArray, FloatArray, Frames
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.background import BackgroundRecording, concatenate
from audiogmm.verification.quality import ENROLLED, TESTED, log_seconds, noise
from audiogmm.verification.ratio import RatioScorer

TEST_SECONDS = (3.0, 1.0, 0.4)
"""BackgroundRecordingd seconds of tests."""

ENROLLED_SHARES = (1.0, 0.4)
"""Shares of a speaker's enrollment that are enrolled: all of it, and its beginning."""

ENROLLED_SECONDS = 20.0
"""BackgroundRecordingd seconds that a speaker is enrolled with, at most."""

IMPOSTORS = 12
"""Impostor trials of each test."""

MAX_SPEAKERS = 240
"""Speakers of whom there are trials."""


@dataclass(frozen=True)
class TrialSide:
    """One side of a trial: its speaker, statistics, signal-to-noise ratio, and whether noise was added."""

    speaker: int
    kind: str
    seconds: float
    statistics: SufficientStats
    frames: Frames = field(repr=False)
    decibels: float = math.nan
    noisy: bool = False


@dataclass(frozen=True, eq=False)
class BackgroundTrials:
    """Trials between pieces of background recordings.

    Attributes
    ----------
    model, test : ndarray of shape (n,), int64
        Indices of the two sides.
    target : ndarray of shape (n,), bool
    raw : ndarray of shape (n,), float64
        Mean log-likelihood ratio a frame, nats.
    models, tests : sequence of TrialSide
    """

    model: np.ndarray
    test: np.ndarray
    target: BoolArray
    raw: FloatArray
    models: Sequence[TrialSide]
    tests: Sequence[TrialSide]

    @property
    def noisy(self) -> BoolArray:
        """Which tests have noise added, shape (n,)."""
        return np.array([self.tests[t].noisy for t in self.test], dtype=np.bool_)

    def qualities(self) -> dict[str, FloatArray]:
        """Return the quality measures that a calibration reads."""
        models, tests = self.models, self.tests
        return {
            "log_voiced_seconds": log_seconds([tests[t].seconds for t in self.test], TESTED),
            "log_enrolled_seconds": log_seconds([models[m].seconds for m in self.model], ENROLLED),
            "noise": noise([tests[t].decibels for t in self.test], [models[m].decibels for m in self.model]),
        }


def choose_test_recordings(recordings: Sequence[BackgroundRecording]) -> Sequence[BackgroundRecording]:
    """Return the recordings of a speaker that are tests: every second, or the only one."""
    return recordings[1::2] if len(recordings) > 1 else recordings


def divide_recordings(
    recordings: Sequence[BackgroundRecording], noisy: Mapping[str, BackgroundRecording] | None = None
) -> tuple[BackgroundRecording, BackgroundRecording, BackgroundRecording | None] | None:
    """Divide a speaker's recordings into an enrollment, a test, and the test with noise.

    Every second recording is enrolled, the others are the test; a single one is halved. The test with noise
    is None where not all of its recordings are in `noisy`. All is None where there are too few frames.
    """
    rate, tests = recordings[0].frame_rate, choose_test_recordings(recordings)
    with_noise = [noisy[recording.id] for recording in tests if noisy and recording.id in noisy]
    noised = concatenate(with_noise) if len(with_noise) == len(tests) else None
    if len(recordings) > 1:
        enrolled, tested = concatenate(recordings[0::2]), concatenate(tests)
    else:
        whole, half = recordings[0], len(recordings[0].frames) // 2
        enrolled, tested = whole.part(0, half), whole.part(half, len(whole.frames))
        if noised is not None:  # from the same time on, whatever is voiced of it
            noised = noised.part(noised.count_voiced_before(whole.frame_index(half)), len(noised.frames))
    if len(enrolled.frames) < rate or len(tested.frames) < TEST_SECONDS[-1] * rate:
        return None
    return enrolled.part(0, int(ENROLLED_SECONDS * rate)), tested, noised


def make_trials(
    background: Mixture,
    speakers: Mapping[int, Sequence[BackgroundRecording]],
    adaptation: Adaptation,
    reducer: LocalReducer,
    seed: int = 0,
    noisy: Mapping[str, BackgroundRecording] | None = None,
) -> BackgroundTrials | None:
    """Make trials between the recordings of these speakers, and score them by likelihood ratio.

    Each speaker is enrolled with all of the enrollment and with its beginning, and tested on pieces of
    several lengths. Impostors are of the speaker's kind where there are others of it.

    Parameters
    ----------
    background : Mixture
        The background model.
    speakers : mapping of int to sequence of BackgroundRecording
        Recordings of each speaker.
    adaptation : Adaptation
        How models are computed.
    reducer : LocalReducer
        Its threads do the work.
    seed : int
        Of the choice of impostors.
    noisy : mapping of str to BackgroundRecording, optional
        Test recordings, by id, with noise added: further tests.

    Returns
    -------
    BackgroundTrials or None
        None where fewer than two speakers have recordings enough.
    """
    rng = np.random.default_rng(seed)
    evaluator = Evaluator(background)
    models: list[TrialSide] = []
    tests: list[TrialSide] = []
    for speaker, recordings in speakers.items():
        parts = divide_recordings(recordings, noisy)
        if parts is None:
            continue

        def side(of: BackgroundRecording, has_noise: bool = False, speaker: int = speaker) -> TrialSide:
            statistics, seconds = evaluator.accumulate(of.frames), len(of.frames) / of.frame_rate
            return TrialSide(speaker, of.kind, seconds, statistics, of.frames, of.decibels, has_noise)

        enrolled, *tested = parts
        models += [side(enrolled.part(0, int(share * len(enrolled.frames)))) for share in ENROLLED_SHARES]
        for has_noise, of in enumerate(tested):
            for n in (round(seconds * enrolled.frame_rate) for seconds in TEST_SECONDS):
                if of is not None and n <= len(of.frames):
                    starts = sorted({0, len(of.frames) - n})
                    tests += [side(of.part(start, start + n), bool(has_noise)) for start in starts]
    if len({side.speaker for side in models}) < 2 or not tests:
        return None
    model, test = choose_trials(models, tests, rng)
    of_model = np.array([models[m].speaker for m in model])
    target = of_model == np.array([tests[t].speaker for t in test])
    scorer = RatioScorer(background, [adaptation(background, side.statistics) for side in models])
    which = [model[test == t] for t in range(len(tests))]

    def score(slice: ArraySlice) -> FloatArray:
        return scorer.scores(slice.frames, which[int(slice.id)].tolist())

    shards = (ArraySlice(str(t), tests[t].frames) for t in range(len(tests)) if len(which[t]))
    raw = np.concatenate(list(reducer.threaded.map(shards, score)))
    return BackgroundTrials(model, test, target, raw, models, tests)


def choose_trials(
    models: Sequence[TrialSide], tests: Sequence[TrialSide], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the models and the tests of trials: for each test those of its speaker and of some impostors."""
    speakers = np.array([side.speaker for side in models])
    kinds = np.array([side.kind for side in models])
    model: list[int] = []
    test: list[int] = []
    for t, tested in enumerate(tests):
        own = np.flatnonzero(speakers == tested.speaker)
        others = np.flatnonzero((speakers != tested.speaker) & (kinds == tested.kind))
        if not len(others):
            others = np.flatnonzero(speakers != tested.speaker)
        picked = rng.permutation(others)[:IMPOSTORS]
        for m in sorted([*own.tolist(), *picked.tolist()]):
            model.append(m)
            test.append(t)
    return np.array(model, np.int64), np.array(test, np.int64)
