"""Scores of one segment of a recording against the models of many speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray, Json, Seconds
from audiogmm.verification.backend import BackEnd, read_backend
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.quality import MeasuredFrames
from audiogmm.verification.ratio import TOP, RatioScorer, Scoring
from audiogmm.verification.recordings.loudest_frames import MIN_FRAMES, LoudestFrames

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry

SHORT = "short"
"""The flag of a test with few or no voiced frames, of which the loudest were scored."""

WHY_SHORT = "few or no frames were voiced, so the loudest were scored"
"""What the flag means, in closing lines."""


@dataclass(frozen=True)
class TrialSegment:
    """A segment of a recording, and its models, by their indices in a `SegmentScorer`."""

    recording: Recording
    id: str
    models: tuple[int, ...]

    @property
    def entry(self) -> Entry:
        """The recording's entry."""
        return self.recording.entry


@dataclass(frozen=True)
class SegmentScores:
    """The scores of one segment.

    Attributes
    ----------
    id : str
        The segment's.
    raw : tuple of float
        Mean log-likelihood ratio a frame under each of its models, nats.
    space : tuple of float
        The back end's score of each; empty where there is no back end.
    voiced_seconds, seconds : Seconds
        Its voiced length, and its length.
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
        """Return it as a JSON object, with all digits."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Json) -> SegmentScores:
        """Make it from what `to_dict` returned."""
        return cls(**row | {name: tuple(row[name]) for name in ("raw", "space")})


@dataclass(frozen=True)
class SpeakerModels:
    """The models of some speakers, and what scores frames against them.

    Attributes
    ----------
    scorer : RatioScorer
        Likelihood ratios of the models.
    backend : BackEnd or None
        The background model's, if it has one.
    vectors : ndarray of shape (n_models, n_coordinates), float64
        The speakers' in the space of the back end.
    evaluator : Evaluator
        Of the background model.
    """

    scorer: RatioScorer
    backend: BackEnd | None
    vectors: FloatArray
    evaluator: Evaluator

    def ratios(
        self, shard: Shard, models: Sequence[int]
    ) -> tuple[FloatArray, SufficientStats | None, MeasuredFrames]:
        """Sum the ratios of a recording's voiced frames, shape (n_models,).

        The second item is their statistics under the background model, where there is a back end; the last
        is the frames' measures.
        """
        total, statistics = np.zeros(len(models)), None
        frames = MeasuredFrames(shard)
        for rows in frames:
            total += self.scorer.totals(rows, models)
            if self.backend is not None:
                part = self.evaluator.accumulate(rows)
                statistics = part if statistics is None else statistics + part
        return total, statistics, frames

    def compare(
        self, statistics: SufficientStats | None, models: Sequence[int], normalization: str = "none"
    ) -> tuple[float, ...]:
        """Return the back end's scores of statistics against some models; nothing without a back end."""
        if self.backend is None or statistics is None:
            return ()
        test = self.backend.vector(statistics)[None]
        scores = self.backend.scores(self.vectors[list(models)], test, normalization)
        return tuple(scores[:, 0].tolist())


@dataclass(frozen=True)
class SegmentScorer:
    """Scores a segment against models of a gallery; runs in a thread or a worker process.

    Only names are sent to a worker, which reads the models once.
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
        scoring: Scoring = "exact",
        top: int = TOP,
        normalization: str = "none",
    ) -> SegmentScorer:
        """Return a scorer of these speakers, as their files are now."""
        return cls(gallery.folder, tuple(names), gallery.state(names), scoring, top, normalization)

    @property
    def speakers(self) -> SpeakerModels:
        """The models; read once a process."""
        return load_models(self.folder, self.names, self.state, self.scoring, self.top)

    def __call__(self, segment: TrialSegment) -> SegmentScores:
        """Score the segment's frames against all of its models at once.

        Raises
        ------
        AudioFileError, AudioDataError, FeatureError, MismatchError
            If the segment cannot be used.
        """
        speakers = self.speakers
        total, statistics, frames = speakers.ratios(segment.recording, segment.models)
        scored, flag = frames, ""
        if frames.n_voiced < MIN_FRAMES:
            flag = SHORT
            total, statistics, scored = speakers.ratios(LoudestFrames(segment.recording), segment.models)
        if not scored.n_voiced:
            raise AudioDataError(f"{segment.recording.id} has no frame", needed="at least one")
        return SegmentScores(
            segment.id,
            tuple((total / scored.n_voiced).tolist()),
            speakers.compare(statistics, segment.models, self.normalization),
            frames.voiced_seconds,
            frames.seconds,
            None if np.isnan(scored.decibels) else scored.decibels,
            flag,
        )


@lru_cache(maxsize=2)
def load_models(
    folder: Path, names: tuple[str, ...], state: str, scoring: Scoring, top: int
) -> SpeakerModels:
    """Load the models of speakers of a gallery, in this order; `state` says which version of them."""
    gallery = Gallery(folder)
    background = gallery.background.mixture
    backend = read_backend(gallery.background)
    models, vectors = [], []
    for name in names:
        speaker = gallery[name]
        models.append(speaker.adapted(background, gallery.adaptation))
        if backend is not None:
            vectors.append(backend.vector(speaker.statistics))
    return SpeakerModels(
        RatioScorer(background, models, scoring, top), backend, np.array(vectors), Evaluator(background)
    )
