"""Leave one recording out: trials between the recordings of those who are enrolled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError, AudioGMMError
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.frames.packing import packed
from audiogmm.types import BoolArray, FloatArray, Seconds
from audiogmm.verification.background_trials import IMPOSTORS
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.ratio import TOP, RatioScorer
from audiogmm.verification.recordings.background_backend import KINDS
from audiogmm.verification.recordings.enrollment_data import mark_of
from audiogmm.verification.recordings.loudest_frames import FEW
from audiogmm.verification.recordings.segment_scorer import CutScorer, Time, Timed
from audiogmm.verification.recordings.trial_scorer import ScoredTrials
from audiogmm.verification.speaker import Speaker

if TYPE_CHECKING:
    from audiogmm.reduce import Reducer
    from audiogmm.runs.inputs import Inputs

MOST_RECORDINGS = 400
"""That are left out in turn, drawn evenly over the speakers."""

MOST_SPEAKERS = 100
"""Whose recordings these are; of more, those whose names hash lowest."""


@dataclass(frozen=True)
class Held:
    """A recording to be left out, its speaker's place, and those of some who did not speak it."""

    shard: Shard
    speaker: int
    others: tuple[int, ...]

    @property
    def id(self) -> str:
        """The recording's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        return iter(self.shard)


@dataclass(frozen=True)
class Tried:
    """What came of a recording: first under its speaker's model without it, then under the others'.

    Attributes
    ----------
    speaker : int
        Its speaker's place.
    raw : ndarray of shape (1 + n_others,), float64
        Mean ratios a frame, nats.
    space : mapping of str to ndarray of shape (1 + n_others,), float64
        The back end's scores, by normalization; empty where there is no back end.
    enrolled : ndarray of shape (1 + n_others,), float64
        Seconds of speech behind each model.
    enrolled_snr : ndarray of shape (1 + n_others,), float64
        Their signal-to-noise ratios, decibels; NaN where not known.
    voiced : Seconds
        Of the test.
    snr : float
        Of the test.
    """

    speaker: int
    raw: FloatArray
    space: Mapping[str, FloatArray]
    enrolled: FloatArray
    enrolled_snr: FloatArray
    voiced: Seconds
    snr: float


@dataclass(frozen=True)
class LeaveOut:
    """Tries a recording; runs in a thread or a worker process, like the `CutScorer` of all the speakers."""

    scorer: CutScorer

    def __call__(self, held: Held) -> Tried:
        """Read the recording once, and score it.

        Raises
        ------
        AudioDataError
            If it has fewer than `FEW` voiced frames.
        MismatchError
            If it was not enrolled, or not once.
        AudioGMMError
            If it cannot be used.
        """
        speakers, gallery, names = self.scorer.speakers, Gallery(self.scorer.folder), self.scorer.names
        background, others = speakers.evaluator.mixture, list(held.others)
        time, first, n_frames = Time(), None, 0
        heard: SufficientStats | None = None
        tested: SufficientStats | None = None
        for frames in packed(Timed(held.shard, time)):
            part = speakers.evaluator.accumulate(frames)
            if first is None:  # what a very long one goes on with is left out, and not tested
                first, tested = np.array(frames), part
            heard = part if heard is None else heard + part
            n_frames += len(frames)
        if first is None or heard is None or tested is None or n_frames < FEW:
            raise AudioDataError(f"{held.id}: {n_frames} voiced frames", needed=f"at least {FEW}")
        speaker = gallery[names[held.speaker]]
        alone = Speaker(
            speaker.name, speaker.background, heard, (held.id,), time.voiced, (mark_of(held.shard),)
        )
        left = speaker.without(alone)
        own = RatioScorer(background, [left.adapted(background, gallery.adaptation)])
        raw = np.concatenate([own.scores(first), speakers.scorer.totals(first, others) / len(first)])
        space = {}
        if (backend := speakers.backend) is not None:
            models = np.concatenate([backend.vector(left.statistics)[None], speakers.vectors[others]])
            test = backend.vector(tested)[None]
            space = {how: backend.scores(models, test, how)[:, 0] for how in backend.normalizations}
        behind = [left, *(gallery[names[i]] for i in others)]
        return Tried(
            held.speaker,
            raw,
            space,
            np.array([each.voiced_seconds for each in behind]),
            np.array([each.signal_to_noise for each in behind]),
            time.voiced * len(first) / n_frames,
            time.ratio.decibels,
        )


@dataclass(frozen=True)
class LeftOut:
    """Scores of trials, and the truth.

    Attributes
    ----------
    scored : ScoredTrials
        Scores, and seconds of speech.
    space : mapping of str to ndarray of shape (n,), float64
        The back end's scores, by normalization.
    target : ndarray of shape (n,), bool
        Whether each is of the speaker.
    speakers : list of str
        Who speaks in the test of each.
    """

    scored: ScoredTrials
    space: Mapping[str, FloatArray]
    target: BoolArray
    speakers: list[str]

    def normalized(self, how: str) -> ScoredTrials:
        """The scores, those of the back end normalized."""
        scored = copy(self.scored)
        scored.space = self.space[how]
        return scored


def leave_out(
    gallery: Gallery, inputs: Inputs, several: Collection[str], most_models: int, reducer: Reducer
) -> LeftOut:
    """Score recordings of a manifest against their speakers, each as if it had not been enrolled.

    The statistics of the recording are subtracted from the speaker's. False claims are made of `IMPOSTORS`
    others at most, of the same `sex` (or `gender`) where the manifest says so and there are any.

    Parameters
    ----------
    gallery : Gallery
        Where all of them are enrolled.
    inputs : Inputs
        The manifest. At most `MOST_RECORDINGS` are read, once.
    several : collection of str
        Speakers who may have two recordings or more.
    most_models : int
        That may be in memory.
    reducer : Reducer
        Does the work; the result does not depend on it.
    """
    known = (name for name in sorted(several, key=_place) if name in gallery)
    drawn = (name for name in known if gallery[name].n_recordings > 1)
    names = sorted(islice(drawn, min(MOST_SPEAKERS, most_models)))
    tried: list[Tried] = []
    if len(names) > 1:
        task = LeaveOut(CutScorer.of(gallery, names, "exact", TOP))
        tried = list(reducer.map(_held(inputs, names), task, _set_aside_before))
    scored = ScoredTrials(sum(len(found.raw) for found in tried))
    target = np.zeros(scored.n, bool)
    speakers: list[str] = []
    for found in tried:
        rows = slice(len(speakers), len(speakers) + len(found.raw))
        scored.raw[rows] = found.raw
        scored.voiced[rows], scored.enrolled[rows] = found.voiced, found.enrolled
        scored.snr[rows], scored.enrolled_snr[rows] = found.snr, found.enrolled_snr
        target[rows.start] = True
        speakers += [names[found.speaker]] * len(found.raw)
    methods = tried[0].space if tried else ()
    space = {how: np.concatenate([found.space[how] for found in tried]) for how in methods}
    scored.space = space.get("none", scored.space)
    return LeftOut(scored, space, target, speakers)


def _held(inputs: Inputs, names: Sequence[str]) -> Iterator[Held]:
    """The recordings to be left out, evenly spaced among those of each speaker."""
    places = {name: place for place, name in enumerate(names)}
    counts: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for entry in inputs.entries:
        if entry.speaker in places:
            counts[entry.speaker] += 1
            kinds[entry.speaker] = next((str(entry.extra[key]) for key in KINDS if key in entry.extra), "")
    each = max(1, MOST_RECORDINGS // len(names))
    met: Counter[str] = Counter()
    for recording in inputs:
        name = recording.entry.speaker
        if name in places:
            if met[name] % -(-counts[name] // each) == 0:
                yield Held(recording, places[name], _others(recording.id, name, places, kinds))
            met[name] += 1


def _others(id: str, name: str, places: Mapping[str, int], kinds: Mapping[str, str]) -> tuple[int, ...]:
    """Who is claimed falsely: drawn by the recording's id, whatever else there is."""
    all = [place for other, place in places.items() if other != name]
    alike = [place for other, place in places.items() if other != name and kinds.get(other) == kinds[name]]
    rng = np.random.default_rng(int.from_bytes(_place(id), "big"))
    return tuple(sorted(rng.permutation(alike or all)[:IMPOSTORS].tolist()))


def _place(name: str) -> bytes:
    return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).digest()


def _set_aside_before(_: str, __: AudioGMMError) -> None:
    """What enrollment could not use, it has set aside already."""
