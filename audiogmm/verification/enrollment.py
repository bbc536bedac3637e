"""From recordings to speakers: sums under the background model, and rounds of MAP adaptation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer, OnError, Reducer
from audiogmm.training.frames.packing import SLICE_ROWS, Packer, voiced_frames
from audiogmm.types import Seconds
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.quality import SignalToNoise
from audiogmm.verification.speaker import Speaker


@dataclass(frozen=True)
class Heard:
    """What one recording leaves.

    Attributes
    ----------
    statistics : SufficientStats
        Of its voiced frames.
    voiced_seconds, seconds : Seconds
        What of it is voiced, and its length.
    decibels : float
        Its signal-to-noise ratio; NaN where that is not known.
    """

    statistics: SufficientStats
    voiced_seconds: Seconds
    seconds: Seconds
    decibels: float


def stats_of(evaluator: Evaluator, shard: Shard) -> Heard:
    """The statistics of the voiced frames of one recording; the same bytes however its blocks are cut.

    Parameters
    ----------
    evaluator : Evaluator
        Of the model whose posteriors are taken.
    shard : Shard
        The recording.

    Raises
    ------
    AudioDataError
        If no frame is voiced.
    FeatureError
        If frames cannot be used; see `training.packing.voiced_frames`.
    """
    packer, total, ratio = Packer(SLICE_ROWS), None, SignalToNoise()
    n_frames, seconds, voiced = 0, 0.0, 0.0

    def take(frames: object) -> SufficientStats:
        part = evaluator.accumulate(frames)  # type: ignore[arg-type]
        return part if total is None else total + part

    for block in shard:
        frames = voiced_frames(shard.id, block, evaluator.mixture.n_features)
        ratio.push(block.levels, block.voiced)
        n_frames += len(block)
        seconds += len(block) / block.clock.frame_rate
        voiced += len(frames) / block.clock.frame_rate
        for full in packer.push(frames):
            total = take(full)
    for full in packer.flush():
        total = take(full)
    if total is None:
        raise AudioDataError(
            f"{shard.id}: none of its {n_frames} frames is voiced",
            needed="at least one frame in which the activity detector hears something",
            remedy="a longer or a louder recording, or leave it out",
        )
    return Heard(total, voiced, seconds, ratio.decibels)


@dataclass(frozen=True)
class Sample:
    """A recording of a speaker, with the model whose posteriors are to be taken."""

    speaker: str
    shard: Shard
    model: Mixture
    mark: str = ""

    @property
    def id(self) -> str:
        """The recording's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        return iter(self.shard)


@dataclass(frozen=True)
class Listen:
    """Takes the statistics of a sample; the background is `background`'s fingerprint."""

    background: str

    def __call__(self, sample: Sample) -> tuple[Speaker, Seconds]:
        """A speaker of whom this recording is all that is known, and the recording's length."""
        heard = stats_of(_evaluator(sample.model), sample.shard)
        alone = Speaker(
            sample.speaker,
            self.background,
            heard.statistics,
            (sample.id,),
            heard.voiced_seconds,
            (sample.mark,),
            (heard.decibels,),
        )
        return alone, heard.seconds


@lru_cache(maxsize=8)
def _evaluator(model: Mixture) -> Evaluator:
    return Evaluator(model)


def enroll_speakers(
    background: Mixture,
    fingerprint: str,
    samples: Iterable[tuple[str, Shard, str]],
    adaptation: Adaptation | None = None,
    *,
    known: Callable[[str], Speaker | None] = lambda _: None,
    reducer: Reducer | None = None,
    on_error: OnError | None = None,
    each: Callable[[str, Seconds], None] = lambda *_: None,
) -> Iterator[Speaker]:
    """Speakers from their recordings, in the order in which each is first heard.

    Parameters
    ----------
    background : Mixture
        The background model.
    fingerprint : str
        Of the background model, to be kept with the speakers.
    samples : iterable of (str, Shard, str)
        Who speaks, the recording, and its mark (see `Speaker.marks`). Re-iterable for several rounds.
    adaptation : Adaptation, optional
        Only its rounds matter to what is kept, and the rest between them.
    known : callable
        What was heard of a speaker before, or None. The result has it added (`Speaker.plus`).
    reducer : Reducer, optional
        Does the work; the same bytes for any number of threads and workers.
    on_error : callable, optional
        Hears of each recording that is set aside; by default the first error is raised.
    each : callable
        Hears of each recording that is done: its speaker, and its length in seconds.

    Yields
    ------
    Speaker
        Those of whom a recording could be used.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.timeline import FrameClock
    >>> class Twos:
    ...     id = "a"
    ...     def __iter__(self):
    ...         frames = np.full((16, 1), 2, np.float32)
    ...         yield FrameBlock(frames, np.ones(16, bool), 0, FrameClock(8000, 80, 200))
    >>> background = Mixture([1.0], [[0.0]], [[1.0]], "diag")
    >>> (ann,) = enroll_speakers(background, background.fingerprint, [("ann", Twos(), "")])
    >>> ann.name, ann.voiced_seconds, ann.adapted(background, Adaptation(tau=16)).means
    ('ann', 0.16, array([[1.]]))
    """
    adaptation, reducer = adaptation or Adaptation(), reducer or LocalReducer()
    earlier: dict[str, Speaker | None] = {}
    sums: dict[str, Speaker] = {}
    for last in range(1, adaptation.iterations + 1):
        models = {
            name: _joined(earlier[name], speaker).adapted(background, adaptation)
            for name, speaker in sums.items()
        }
        listened = (
            Sample(name, shard, models.get(name, background), mark)
            for name, shard, mark in samples
            if last == 1 or name in models
        )
        fresh: dict[str, Speaker] = {}
        for alone, seconds in reducer.map(listened, Listen(fingerprint), on_error):
            name = alone.name
            if name not in earlier:
                earlier[name] = known(name)
            fresh[name] = alone if name not in fresh else fresh[name].plus(alone)
            each(name, seconds)
        if last == 1:
            sums = fresh
        else:
            sums = {name: replace(sums[name], refined=of.statistics) for name, of in fresh.items()}
    for name, speaker in sums.items():
        yield _joined(earlier[name], speaker)


def _joined(earlier: Speaker | None, speaker: Speaker) -> Speaker:
    return speaker if earlier is None else earlier.plus(speaker)
