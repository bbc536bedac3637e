"""Trials between pieces of background recordings: what a calibration is learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.reduce import LocalReducer
from audiogmm.training.source import ArraySlice
from audiogmm.types import BoolArray, FloatArray, Frames
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.material import Voice
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
    """One side of trials: whose it is, and what was heard."""

    speaker: int
    kind: str
    seconds: float
    statistics: SufficientStats
    frames: Frames = field(repr=False)


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


def halves(recordings: Sequence[Voice]) -> tuple[Frames, Frames] | None:
    """What a speaker is enrolled with, and what is tested; None where there is too little.

    Every second recording where there are several, and the halves of a single one.
    """
    if len(recordings) > 1:
        enrolled = np.concatenate([voice.frames for voice in recordings[0::2]])
        tested = np.concatenate([voice.frames for voice in recordings[1::2]])
    else:
        frames = recordings[0].frames
        enrolled, tested = frames[: len(frames) // 2], frames[len(frames) // 2 :]
    rate = recordings[0].frame_rate
    if len(enrolled) < rate or len(tested) < TEST_SECONDS[-1] * rate:
        return None
    return enrolled[: int(ENROLLED_SECONDS * rate)], tested


def hold_trials(
    background: Mixture,
    speakers: Mapping[int, Sequence[Voice]],
    adaptation: Adaptation,
    reducer: LocalReducer,
    seed: int = 0,
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
        parts = halves(recordings)
        if parts is None:
            continue
        rate, kind = recordings[0].frame_rate, recordings[0].kind

        def side(frames: Frames, rate: float = rate, kind: str = kind, speaker: int = speaker) -> Side:
            return Side(speaker, kind, len(frames) / rate, evaluator.accumulate(frames), frames)

        enrolled, tested = parts
        models += [side(enrolled[: int(share * len(enrolled))]) for share in ENROLLED_SHARES]
        for seconds in TEST_SECONDS:
            n = round(seconds * rate)
            if n <= len(tested):
                tests += [side(tested[start : start + n]) for start in sorted({0, len(tested) - n})]
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
