"""Score one recording against the models of many speakers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.frames.packing import packed
from audiogmm.types import FloatArray, Json, Seconds
from audiogmm.verification.backend import BackEnd, backend_of
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.quality import SignalToNoise
from audiogmm.verification.ratio import TOP, RatioScorer, Scoring
from audiogmm.verification.recordings.loudest_frames import FEW, Loudest

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry

SHORT = "short"
"""The flag of a test with few or no voiced frames, of which the loudest were scored."""

WHY_SHORT = "few or no frames were voiced, so the loudest were scored"
"""What the flag means, in closing lines."""


@dataclass(frozen=True)
class Cut:
    """A piece of a recording to be tested, and the models against which, by their places in a `CutScorer`."""

    recording: Recording
    id: str
    models: tuple[int, ...]

    @property
    def entry(self) -> Entry:
        """The recording's."""
        return self.recording.entry

    def __iter__(self) -> Iterator[FrameBlock]:
        return iter(self.recording)


@dataclass(frozen=True)
class CutScores:
    """What came of one cut.

    Attributes
    ----------
    id : str
        The cut's.
    raw : tuple of float
        Mean log-likelihood ratio a frame under each of its models, nats.
    space : tuple of float
        The back-end's score of each; empty where there is no back-end.
    voiced_seconds : Seconds
        What was voiced.
    seconds : Seconds
        Its length.
    snr : float or None
        Its signal-to-noise ratio, decibels; None where that is not known.
    flag : str
        "" or `SHORT`.
    """

    id: str
    raw: tuple[float, ...]
    space: tuple[float, ...]
    voiced_seconds: Seconds
    seconds: Seconds
    snr: float | None
    flag: str

    def to_dict(self) -> Json:
        """As JSON, which gives every number back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Json) -> CutScores:
        """What `to_dict` gave."""
        return cls(**row | {name: tuple(row[name]) for name in ("raw", "space")})


@dataclass(frozen=True)
class CutScorer:
    """Scores a cut against models of a gallery; runs in a thread or a worker process.

    Only names travel to a worker, which reads the models once.
    """

    folder: Path
    names: tuple[str, ...]
    state: str
    scoring: Scoring = "exact"
    top: int = TOP
    normalization: str = "none"

    @classmethod
    def of(
        cls,
        gallery: Gallery,
        names: Sequence[str],
        scoring: Scoring,
        top: int,
        normalization: str = "none",
    ) -> CutScorer:
        """A scorer of these speakers, as their files are now."""
        return cls(gallery.folder, tuple(names), gallery.state(names), scoring, top, normalization)

    @property
    def speakers(self) -> SpeakerModels:
        """What scores frames; read once a process."""
        return models_of(self.folder, self.names, self.state, self.scoring, self.top)

    def __call__(self, cut: Cut) -> CutScores:
        """Take the cut's frames through all of its models at once.

        Raises
        ------
        AudioFileError, AudioDataError, FeatureError, MismatchError
            If the cut cannot be used.
        """
        speakers = self.speakers
        total, n_frames, time, heard = scored(speakers, cut.recording, cut.models)
        voiced, flag, ratio = time.voiced, "", time.ratio
        if n_frames < FEW:
            flag = SHORT
            total, n_frames, loudest, heard = scored(speakers, Loudest(cut.recording), cut.models)
            ratio = loudest.ratio
        if not n_frames:
            raise AudioDataError(f"{cut.recording.id} has no frame", needed="at least one")
        space = speakers.compared(heard, cut.models, self.normalization)
        raw = tuple((total / n_frames).tolist())
        snr = None if np.isnan(ratio.decibels) else ratio.decibels
        return CutScores(cut.id, raw, space, voiced, time.all, snr, flag)


@dataclass
class Time:
    """Seconds of a recording, as its frames count them, and how far speech stands out of its noise."""

    all: Seconds = 0.0
    voiced: Seconds = 0.0
    ratio: SignalToNoise = field(default_factory=SignalToNoise)


@dataclass(frozen=True)
class SpeakerModels:
    """What scores frames of a cut.

    Attributes
    ----------
    scorer : RatioScorer
        Likelihood ratios of the speakers' models.
    backend : BackEnd or None
        The background model's, if it keeps one.
    vectors : ndarray of shape (n_models, n_coordinates), float64
        The speakers' in the back end's space.
    evaluator : Evaluator
        Of the background model.
    """

    scorer: RatioScorer
    backend: BackEnd | None
    vectors: FloatArray
    evaluator: Evaluator

    def compared(
        self, heard: SufficientStats | None, models: Sequence[int], normalization: str
    ) -> tuple[float, ...]:
        """The back end's scores of what was heard against some of the models; nothing without a back end."""
        if self.backend is None or heard is None:
            return ()
        test = self.backend.vector(heard)[None]
        scores = self.backend.scores(self.vectors[list(models)], test, normalization)
        return tuple(scores[:, 0].tolist())


def scored(
    speakers: SpeakerModels, shard: Shard, models: Sequence[int]
) -> tuple[FloatArray, int, Time, SufficientStats | None]:
    """Sums of the ratios of the voiced frames (n_models,), how many frames these are, and the time.

    Last come their statistics under the background model, where there is a back end. Frames are taken a
    slice of fixed length at a time, so the sums do not depend on how blocks are cut.
    """
    time = Time()
    total, n_frames = np.zeros(len(models)), 0
    heard: SufficientStats | None = None
    for frames in packed(Timed(shard, time)):
        total += speakers.scorer.totals(frames, models)
        n_frames += len(frames)
        if speakers.backend is not None:
            part = speakers.evaluator.accumulate(frames)
            heard = part if heard is None else heard + part
    return total, n_frames, time, heard


@dataclass(frozen=True)
class Timed:
    """A shard whose time is taken as it passes."""

    shard: Shard
    time: Time

    @property
    def id(self) -> str:
        """The shard's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        for block in self.shard:
            self.time.all += len(block) / block.clock.frame_rate
            self.time.voiced += int(np.count_nonzero(block.voiced)) / block.clock.frame_rate
            self.time.ratio.push(block.levels, block.voiced)
            yield block


@lru_cache(maxsize=2)
def models_of(folder: Path, names: tuple[str, ...], state: str, scoring: Scoring, top: int) -> SpeakerModels:
    """What scores cuts against these speakers, in this order; `state` says which version of them."""
    gallery = Gallery(folder)
    background = gallery.background.mixture
    backend = backend_of(gallery.background)
    models, vectors = [], []
    for name in names:
        speaker = gallery[name]
        models.append(speaker.adapted(background, gallery.adaptation))
        if backend is not None:
            vectors.append(backend.vector(speaker.statistics))
    return SpeakerModels(
        RatioScorer(background, models, scoring, top), backend, np.array(vectors), Evaluator(background)
    )
