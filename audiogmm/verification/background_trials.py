"""Trials between pieces of background recordings, from which a calibration is learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.row_spool import Rows, RowSpool
from audiogmm.types import BoolArray, FloatArray, Frames
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.background import AnyRecording, BackgroundRecording, concatenate
from audiogmm.verification.quality import ENROLLED, TESTED, log_seconds, noise
from audiogmm.verification.shifts import check_shape

TEST_SECONDS = (3.0, 1.0, 0.4)
"""Voiced seconds of tests."""

ENROLLED_SHARES = (1.0, 0.4)
"""Shares of a speaker's enrollment that are enrolled: all of it, and its beginning."""

ENROLLED_SECONDS = 20.0
"""Voiced seconds that a speaker is enrolled with, at most."""

IMPOSTORS = 12
"""Impostor trials of each test."""

MAX_SPEAKERS = 240
"""Speakers of whom there are trials."""


@dataclass(frozen=True)
class TrialSide:
    """One side of a trial.

    Attributes
    ----------
    speaker : int
    kind : str
    seconds : float
        Voiced.
    vector : ndarray of shape (n_coordinates,), float64
        In the speaker space.
    frames : Rows
        The voiced frames, all as one row.
    under : Rows
        Their log-likelihoods under the background model, nats, as one row; of tests alone.
    decibels : float
        The signal-to-noise ratio.
    noisy : bool
        Whether noise was added.
    """

    speaker: int
    kind: str
    seconds: float
    vector: FloatArray = field(repr=False)
    frames: Rows | None = field(default=None, repr=False)
    under: Rows | None = field(default=None, repr=False)
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


def choose_test_recordings(recordings: Sequence[AnyRecording]) -> Sequence[AnyRecording]:
    """Return the recordings of a speaker that are tests: every second, or the only one."""
    return recordings[1::2] if len(recordings) > 1 else recordings


def divide_recordings(
    recordings: Sequence[AnyRecording], noisy: Mapping[str, AnyRecording] | None = None
) -> tuple[BackgroundRecording, BackgroundRecording, BackgroundRecording | None] | None:
    """Divide a speaker's recordings into an enrollment, a test, and the test with noise.

    Every second recording is enrolled, the others are the test; a single one is halved. The test with noise
    is None where not all of its recordings are in `noisy`. All is None where there are too few frames.
    """
    rate, tests = recordings[0].frame_rate, choose_test_recordings(recordings)
    with_noise = [noisy[recording.id].load() for recording in tests if noisy and recording.id in noisy]
    noised = concatenate(with_noise) if len(with_noise) == len(tests) else None
    if len(recordings) > 1:
        enrolled, tested = (concatenate([part.load() for part in of]) for of in (recordings[0::2], tests))
    else:
        whole = recordings[0].load()
        half = len(whole.frames) // 2
        enrolled, tested = whole.part(0, half), whole.part(half, len(whole.frames))
        if noised is not None:  # from the same time on, whatever is voiced of it
            noised = noised.part(noised.count_voiced_before(whole.frame_index(half)), len(noised.frames))
    if len(enrolled.frames) < rate or len(tested.frames) < TEST_SECONDS[-1] * rate:
        return None
    return enrolled.part(0, int(ENROLLED_SECONDS * rate)), tested, noised


@dataclass(frozen=True)
class TrialMaker:
    """Makes trials between the recordings of some speakers, and scores them by likelihood ratio.

    Each speaker is enrolled with all of the enrollment and with its beginning, and tested on pieces of
    several lengths. Impostors are of the speaker's kind where there are others of it.

    Attributes
    ----------
    background : Mixture
        The background model.
    embed : callable
        From statistics under the background model to a vector of the speaker space.
    adaptation : Adaptation
        How models are computed.
    reducer : LocalReducer
        Its threads do the work.
    noisy : mapping of str to BackgroundRecording or StoredRecording
        Test recordings, by id, with noise added: further tests.
    """

    background: Mixture
    embed: Callable[[SufficientStats], FloatArray]
    adaptation: Adaptation
    reducer: LocalReducer
    noisy: Mapping[str, AnyRecording] = field(default_factory=dict)

    def make(self, speakers: Iterable[SpeakerRecordings], spool: RowSpool) -> BackgroundTrials | None:
        """Make trials, whose frames are put into a spool; None where fewer than two speakers have enough."""
        evaluator = Evaluator(self.background)

        def sides(speaker: SpeakerRecordings) -> tuple[list[TrialSide], list[TrialSide]]:
            return self._sides(speaker, evaluator, spool)

        found = list(self.reducer.threaded.map(speakers, sides))
        models = [side for own, _ in found for side in own]
        tests = [side for _, own in found for side in own]
        if len({side.speaker for side in models}) < 2 or not tests:
            return None
        model, test = choose_trials(models, tests, np.random.default_rng(0))
        target = np.array([models[m].speaker == tests[t].speaker for m, t in zip(model, test, strict=True)])
        raw = np.empty(len(model))

        def score(claim: Claim) -> FloatArray:
            return self._ratios(claim, evaluator)

        claims = [Claim(str(m), models[m], [tests[t] for t in test[model == m]]) for m in np.unique(model)]
        for claim, ratios in zip(claims, self.reducer.threaded.map(claims, score), strict=True):
            raw[model == int(claim.id)] = ratios
        return BackgroundTrials(model, test, target, raw, models, tests)

    def _sides(
        self, speaker: SpeakerRecordings, evaluator: Evaluator, spool: RowSpool
    ) -> tuple[list[TrialSide], list[TrialSide]]:
        """What the speaker is enrolled with, and tested on; nothing where there are too few frames."""

        parts = divide_recordings(speaker.recordings, self.noisy)
        if parts is None:
            return [], []
        enrolled, *tested = parts
        lengths = [int(share * len(enrolled.frames)) for share in ENROLLED_SHARES]
        cut = [(enrolled.part(0, length), False, False) for length in lengths]
        for noisy, of in enumerate(tested):
            for n in (round(seconds * enrolled.frame_rate) for seconds in TEST_SECONDS):
                if of is not None and n <= len(of.frames):
                    starts = sorted({0, len(of.frames) - n})
                    cut += [(of.part(start, start + n), True, bool(noisy)) for start in starts]
        sides = [
            TrialSide(
                speaker.number,
                of.kind,
                len(of.frames) / of.frame_rate,
                self.embed(evaluator.accumulate(of.frames)),
                spool.put(of.frames[None]),
                spool.put(evaluator.log_likelihood(of.frames)[None]) if is_test else None,
                of.decibels,
                noisy,
            )
            for of, is_test, noisy in cut
        ]
        return sides[: len(lengths)], sides[len(lengths) :]

    def _ratios(self, claim: Claim, evaluator: Evaluator) -> FloatArray:
        """Mean log-likelihood ratios a frame of the tests in which one model is claimed."""
        D = self.background.n_features
        statistics = evaluator.accumulate(frames_of([claim.model], D))
        model = Evaluator(check_shape(self.background, self.adaptation(self.background, statistics)))
        over = model.log_likelihood(frames_of(claim.tests, D))
        ratios, at = np.empty(len(claim.tests)), 0
        for i, test in enumerate(claim.tests):
            assert test.under is not None
            under = test.under.read()[0]
            ratios[i] = np.sum(over[at : at + len(under)] - under) / len(under)
            at += len(under)
        return ratios


@dataclass(frozen=True)
class SpeakerRecordings:
    """The recordings of one speaker."""

    id: str
    number: int
    recordings: Sequence[AnyRecording]


@dataclass(frozen=True)
class Claim:
    """A model, and the tests in which it is claimed."""

    id: str
    model: TrialSide
    tests: Sequence[TrialSide]


def frames_of(sides: Sequence[TrialSide], n_features: int) -> Frames:
    """Read the frames of some sides, one after the other."""
    parts = [side.frames.read().reshape(-1, n_features) for side in sides if side.frames is not None]
    found: Frames = np.concatenate(parts)
    return found


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
