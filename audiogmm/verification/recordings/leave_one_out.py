"""Leave one recording out: trials between the recordings of enrolled speakers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError, AudioGMMError
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import BoolArray, FloatArray, Frames
from audiogmm.verification.background_trials import IMPOSTORS
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.quality import MeasuredFrames
from audiogmm.verification.ratio import RatioScorer
from audiogmm.verification.recordings.background_reader import speaker_kind
from audiogmm.verification.recordings.enrollment import compute_mark
from audiogmm.verification.recordings.loudest_frames import MIN_FRAMES
from audiogmm.verification.recordings.segment_scorer import SegmentScorer
from audiogmm.verification.recordings.trial_scorer import ScoredTrials
from audiogmm.verification.speaker import Speaker

if TYPE_CHECKING:
    from audiogmm.reduce import Reducer
    from audiogmm.runs.inputs import Inputs

MAX_RECORDINGS = 400
"""Recordings that are left out, spread evenly over the speakers."""

MAX_SPEAKERS = 100
"""Speakers whose recordings these are; of more, those whose names hash lowest."""


@dataclass(frozen=True)
class LeftOutRecording:
    """A recording to be left out, and the indices of its speaker and of some impostors."""

    shard: Shard
    speaker: int
    impostors: tuple[int, ...]

    @property
    def id(self) -> str:
        """The recording's id."""
        return self.shard.id


@dataclass(frozen=True)
class LeaveOneOutTrials:
    """Trials of recordings that were left out: each against its speaker, then against the impostors.

    Attributes
    ----------
    scored : ScoredTrials
        Scores and quality measures.
    space : mapping of str to ndarray of shape (n,), float64
        The back end's scores, by normalization; empty where there is no back end.
    target : ndarray of shape (n,), bool
        Which are target trials.
    speakers : list of str
        The speaker of each test.
    """

    scored: ScoredTrials
    space: Mapping[str, FloatArray]
    target: BoolArray
    speakers: list[str]

    @classmethod
    def concatenate(cls, parts: Sequence[LeaveOneOutTrials]) -> LeaveOneOutTrials:
        """Return the trials of all parts, in order."""
        methods = parts[0].space if parts else ()
        return cls(
            ScoredTrials.concatenate([part.scored for part in parts]),
            {method: np.concatenate([part.space[method] for part in parts]) for method in methods},
            np.concatenate([np.zeros(0, np.bool_), *(part.target for part in parts)]),
            [speaker for part in parts for speaker in part.speakers],
        )

    def normalized(self, method: str) -> ScoredTrials:
        """Return the scores, with those of the back end normalized."""
        scored = copy(self.scored)
        scored.space = self.space[method]
        return scored


@dataclass(frozen=True)
class LeaveOneOutScorer:
    """Scores a recording that is left out; runs in a thread or a worker process."""

    scorer: SegmentScorer

    def __call__(self, recording: LeftOutRecording) -> LeaveOneOutTrials:
        """Read the recording once, and score it.

        Of a very long recording the first slice of frames alone is the test.

        Raises
        ------
        AudioDataError
            If it has fewer than `MIN_FRAMES` voiced frames.
        MismatchError
            If it was not enrolled exactly once.
        AudioGMMError
            If it cannot be used.
        """
        speakers, gallery, names = self.scorer.speakers, Gallery(self.scorer.folder), self.scorer.names
        impostors, frames = list(recording.impostors), MeasuredFrames(recording.shard)
        first: Frames = np.empty((0, 0), np.float32)
        tested: SufficientStats | None = None
        whole: SufficientStats | None = None
        for rows in frames:
            part = speakers.evaluator.accumulate(rows)
            if tested is None:
                first, tested = np.array(rows), part
            whole = part if whole is None else whole + part
        if tested is None or whole is None or frames.n_voiced < MIN_FRAMES:
            raise AudioDataError(
                f"{recording.id}: {frames.n_voiced} voiced frames", needed=f"at least {MIN_FRAMES}"
            )
        speaker = gallery[names[recording.speaker]]
        mark = compute_mark(recording.shard)
        left = speaker.without(
            Speaker(speaker.name, speaker.background, whole, (recording.id,), frames.voiced_seconds, (mark,))
        )
        background = speakers.evaluator.mixture
        own = RatioScorer(background, [left.adapted(background, gallery.adaptation)])
        models = [left, *(gallery[names[i]] for i in impostors)]
        scored = ScoredTrials(len(models))
        scored.raw = np.concatenate(
            [own.scores(first), speakers.scorer.totals(first, impostors) / len(first)]
        )
        scored.voiced[:] = frames.voiced_seconds * len(first) / frames.n_voiced
        scored.snr[:] = frames.decibels
        scored.enrolled = np.array([model.voiced_seconds for model in models])
        scored.enrolled_snr = np.array([model.signal_to_noise for model in models])
        space = {}
        if (backend := speakers.backend) is not None:
            vectors = np.concatenate([backend.vector(left.statistics)[None], speakers.vectors[impostors]])
            test = backend.vector(tested)[None]
            space = {how: backend.scores(vectors, test, how)[:, 0] for how in backend.normalizations}
            scored.space = space["none"]
        target = np.arange(len(models)) == 0
        return LeaveOneOutTrials(scored, space, target, [speaker.name] * len(models))


def leave_one_out(
    gallery: Gallery, inputs: Inputs, several: Collection[str], max_models: int, reducer: Reducer
) -> LeaveOneOutTrials:
    """Score recordings of a manifest against their speakers, each as if it had not been enrolled.

    The statistics of the recording are subtracted from the speaker's. Impostors are `IMPOSTORS` others at
    most, of the same `sex` (or `gender`) where the manifest names it and there are any.

    Parameters
    ----------
    gallery : Gallery
        Where all of them are enrolled.
    inputs : Inputs
        The manifest. At most `MAX_RECORDINGS` are read, once.
    several : collection of str
        Speakers who may have two recordings or more.
    max_models : int
        Models that may be in memory.
    reducer : Reducer
        Does the work; the result does not depend on it.
    """
    known = (name for name in sorted(several, key=_digest) if name in gallery)
    drawn = (name for name in known if gallery[name].n_recordings > 1)
    names = sorted(islice(drawn, min(MAX_SPEAKERS, max_models)))
    parts: list[LeaveOneOutTrials] = []
    if len(names) > 1:
        task = LeaveOneOutScorer(SegmentScorer.of(gallery, names))
        parts = list(reducer.map(_select_recordings(inputs, names), task, _leave_aside))
    return LeaveOneOutTrials.concatenate(parts)


def _select_recordings(inputs: Inputs, names: Sequence[str]) -> Iterator[LeftOutRecording]:
    """The recordings to be left out, evenly spaced among those of each speaker."""
    places = {name: place for place, name in enumerate(names)}
    counts: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for entry in inputs.entries:
        if entry.speaker in places:
            counts[entry.speaker] += 1
            kinds[entry.speaker] = speaker_kind(entry)
    each = max(1, MAX_RECORDINGS // len(names))
    met: Counter[str] = Counter()
    for recording in inputs:
        name = recording.entry.speaker
        if name in places:
            if met[name] % -(-counts[name] // each) == 0:
                impostors = _draw_impostors(recording.id, name, places, kinds)
                yield LeftOutRecording(recording, places[name], impostors)
            met[name] += 1


def _draw_impostors(
    id: str, name: str, places: Mapping[str, int], kinds: Mapping[str, str]
) -> tuple[int, ...]:
    """The impostors of a recording, drawn by its id, whatever other recordings there are."""
    all = [place for other, place in places.items() if other != name]
    alike = [place for other, place in places.items() if other != name and kinds.get(other) == kinds[name]]
    rng = np.random.default_rng(int.from_bytes(_digest(id), "big"))
    return tuple(sorted(rng.permutation(alike or all)[:IMPOSTORS].tolist()))


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).digest()


def _leave_aside(_: str, __: AudioGMMError) -> None:
    """Enrollment has set aside what it could not use."""
