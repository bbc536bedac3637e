"""Trials between pieces of background recordings: what a calibration is learned from."""

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
from audiogmm.verification.background_frames import Voice, joined
from audiogmm.verification.quality import ENROLLED, TESTED, log_seconds, noise
from audiogmm.verification.ratio import RatioScorer

TEST_SECONDS = (3.0, 1.0, 0.4)
"""Voiced seconds of tests."""

ENROLLED_SHARES = (1.0, 0.4)
"""Of what a speaker is enrolled with: all of it, and its beginning."""

ENROLLED_SECONDS = 20.0
"""Voiced seconds that a speaker is enrolled with, at most."""

IMPOSTORS = 12
"""False claims for each test."""

MOST_SPEAKERS = 240
"""Speakers of whom there are trials; more would say the same."""


@dataclass(frozen=True)
class Side:
    """One side of trials: whose it is, and what was heard, how clearly, and whether noise was added to it."""

    speaker: int
    kind: str
    seconds: float
    statistics: SufficientStats
    frames: Frames = field(repr=False)
    decibels: float = math.nan
    noisy: bool = False


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials and what is known of each.

    Attributes
    ----------
    model, test : ndarray of shape (n,), int64
        Places of the two sides.
    target : ndarray of shape (n,), bool
    raw : ndarray of shape (n,), float64
        Mean log-likelihood ratio a frame, nats.
    models, tests : sequence of Side
    """

    model: np.ndarray
    test: np.ndarray
    target: BoolArray
    raw: FloatArray
    models: Sequence[Side]
    tests: Sequence[Side]

    @property
    def noisy(self) -> BoolArray:
        """Whether noise was added to the test of each, shape (n,)."""
        return np.array([self.tests[t].noisy for t in self.test], dtype=np.bool_)

    def qualities(self) -> dict[str, FloatArray]:
        """The quality measures of each, as a calibration reads them."""
        models, tests = self.models, self.tests
        return {
            "log_voiced_seconds": log_seconds([tests[t].seconds for t in self.test], TESTED),
            "log_enrolled_seconds": log_seconds([models[m].seconds for m in self.model], ENROLLED),
            "noise": noise([tests[t].decibels for t in self.test], [models[m].decibels for m in self.model]),
        }


def tested_recordings(recordings: Sequence[Voice]) -> Sequence[Voice]:
    """Of a speaker's recordings those that are tested: every second, or the only one's second half."""
    return recordings[1::2] if len(recordings) > 1 else recordings


def halves(
    recordings: Sequence[Voice], noisy: Mapping[str, Voice] | None = None
) -> tuple[Voice, Voice, Voice | None] | None:
    """What a speaker is enrolled with, and what is tested; None where there is too little.

    Every second recording where there are several, and the halves of a single one. Last comes what is tested
    as it is heard through noise, None where the recordings of the same ids are not all in `noisy`.
    """
    rate, tests = recordings[0].frame_rate, tested_recordings(recordings)
    through = [noisy[voice.id] for voice in tests if noisy and voice.id in noisy]
    heard = joined(through) if len(through) == len(tests) else None
    if len(recordings) > 1:
        enrolled, tested = joined(recordings[0::2]), joined(tests)
    else:
        whole, half = recordings[0], len(recordings[0].frames) // 2
        enrolled, tested = whole.part(0, half), whole.part(half, len(whole.frames))
        if heard is not None:  # from the same time on, whatever is voiced of it
            heard = heard.part(heard.voiced_before(whole.place(half)), len(heard.frames))
    if len(enrolled.frames) < rate or len(tested.frames) < TEST_SECONDS[-1] * rate:
        return None
    return enrolled.part(0, int(ENROLLED_SECONDS * rate)), tested, heard


def hold_trials(
    background: Mixture,
    speakers: Mapping[int, Sequence[Voice]],
    adaptation: Adaptation,
    reducer: LocalReducer,
    seed: int = 0,
    noisy: Mapping[str, Voice] | None = None,
) -> Trials | None:
    """Make trials between the recordings of these speakers, and score them by likelihood ratio.

    Each speaker is enrolled with more and with less, and tested on pieces of several lengths. Claims that
    are false are made of speakers of the same kind where there are others.

    Parameters
    ----------
    background : Mixture
        The background model.
    speakers : mapping of int to sequence of Voice
        Recordings of each speaker.
    adaptation : Adaptation
        How models are made.
    reducer : LocalReducer
        Its threads do the work.
    seed : int
        Of the choice of impostors.
    noisy : mapping of str to Voice, optional
        Recordings that are tested, by id, with noise added to them: these are tried as well.

    Returns
    -------
    Trials or None
        None where fewer than two speakers can be tried.
    """
    rng = np.random.default_rng(seed)
    evaluator = Evaluator(background)
    models: list[Side] = []
    tests: list[Side] = []
    for speaker, recordings in speakers.items():
        parts = halves(recordings, noisy)
        if parts is None:
            continue

        def side(voice: Voice, through: bool = False, speaker: int = speaker) -> Side:
            frames = voice.frames
            heard, seconds = evaluator.accumulate(frames), len(frames) / voice.frame_rate
            return Side(speaker, voice.kind, seconds, heard, frames, voice.decibels, through)

        enrolled, *tested = parts
        models += [side(enrolled.part(0, int(share * len(enrolled.frames)))) for share in ENROLLED_SHARES]
        for through, voice in enumerate(tested):
            for n in (round(seconds * enrolled.frame_rate) for seconds in TEST_SECONDS):
                if voice is not None and n <= len(voice.frames):
                    starts = sorted({0, len(voice.frames) - n})
                    tests += [side(voice.part(start, start + n), bool(through)) for start in starts]
    if len({side.speaker for side in models}) < 2 or not tests:
        return None
    model, test = claims(models, tests, rng)
    of_model = np.array([models[m].speaker for m in model])
    target = of_model == np.array([tests[t].speaker for t in test])
    scorer = RatioScorer(background, [adaptation(background, side.statistics) for side in models])
    which = [model[test == t] for t in range(len(tests))]

    def score(slice: ArraySlice) -> FloatArray:
        return scorer.scores(slice.frames, which[int(slice.id)].tolist())

    shards = (ArraySlice(str(t), tests[t].frames) for t in range(len(tests)) if len(which[t]))
    raw = np.concatenate(list(reducer.threaded.map(shards, score)))
    return Trials(model, test, target, raw, models, tests)


def claims(
    models: Sequence[Side], tests: Sequence[Side], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Which models are claimed of which tests: the speaker's own, and some of others; by test."""
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
