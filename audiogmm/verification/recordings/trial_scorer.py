"""Scores of many trials: each recording is read once, and scored against all models claimed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioGMMError
from audiogmm.runs.journal import Journal
from audiogmm.types import FloatArray
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.quality import ENROLLED, TESTED, log_seconds, noise
from audiogmm.verification.ratio import TOP, Scoring
from audiogmm.verification.recordings.segment_scorer import SegmentScorer, SegmentScores, TrialSegment

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.reduce import Reducer

ARRAYS = ("raw", "space", "voiced", "enrolled", "snr", "enrolled_snr")


@dataclass
class ScoredTrials:
    """Scores of n trials, NaN where there is none.

    Attributes
    ----------
    raw : ndarray of shape (n,), float64
        Mean log-likelihood ratio a frame, nats.
    space : ndarray of shape (n,), float64
        The back end's score.
    voiced, enrolled : ndarray of shape (n,), float64
        Seconds of speech in the test and in the enrollment.
    snr, enrolled_snr : ndarray of shape (n,), float64
        Signal-to-noise ratios of both, decibels.
    flags : list of str
        "" or `SHORT`, of each.
    """

    n: int
    raw: FloatArray = field(init=False)
    space: FloatArray = field(init=False)
    voiced: FloatArray = field(init=False)
    enrolled: FloatArray = field(init=False)
    snr: FloatArray = field(init=False)
    enrolled_snr: FloatArray = field(init=False)
    flags: list[str] = field(init=False)

    def __post_init__(self) -> None:
        for name in ARRAYS:
            setattr(self, name, np.full(self.n, np.nan))
        self.flags = [""] * self.n

    @classmethod
    def concatenate(cls, parts: Sequence[ScoredTrials]) -> ScoredTrials:
        """Return the trials of all parts, in order."""
        whole = cls(sum(part.n for part in parts))
        for name in ARRAYS if parts else ():
            setattr(whole, name, np.concatenate([getattr(part, name) for part in parts]))
        whole.flags = [flag for part in parts for flag in part.flags]
        return whole

    def put(self, rows: Sequence[int], scores: SegmentScores) -> None:
        """Set the scores of the trials at these rows, which are of one segment."""
        self.raw[rows] = scores.raw
        self.voiced[rows] = scores.voiced_seconds
        self.snr[rows] = np.nan if scores.snr is None else scores.snr
        if scores.space:
            self.space[rows] = scores.space
        for row in rows:
            self.flags[row] = scores.flag

    def scores(self, calibration: Calibration | None) -> FloatArray:
        """Return one score a trial: calibrated, else `space`, else `raw`; NaN where it was set aside."""
        if calibration is None:
            return np.where(np.isnan(self.space), self.raw, self.space)
        scores, there = np.full(self.n, np.nan), ~np.isnan(self.raw)
        scores[there] = calibration.apply({name: c[there] for name, c in self.columns().items()})
        return scores

    def columns(self) -> Mapping[str, FloatArray]:
        """Return the columns that a calibration may read: scores, and quality measures."""
        return {
            "raw": self.raw,
            "space": self.space,
            "log_voiced_seconds": log_seconds(self.voiced, TESTED),
            "log_enrolled_seconds": log_seconds(self.enrolled, ENROLLED),
            "noise": noise(self.snr, self.enrolled_snr),
        }


@dataclass(frozen=True)
class TrialScorer:
    """Scores trials of the speakers of a gallery; see `SegmentScorer` for the settings."""

    gallery: Gallery
    reducer: Reducer
    scoring: Scoring = "exact"
    top: int = TOP
    normalization: str = "none"

    def score(
        self,
        names: Sequence[str],
        segments: Mapping[Recording, Sequence[int]],
        refuse: Callable[[int, AudioGMMError], None],
        *,
        label: str = "",
        journal: Journal | None = None,
        earlier: Mapping[str, SegmentScores] | None = None,
        each: Callable[[SegmentScores], None] = lambda _: None,
    ) -> ScoredTrials:
        """Score trials.

        Parameters
        ----------
        names : sequence of str
            The speaker that each row claims.
        segments : mapping of Recording to rows
            The segments that are tested, and the rows of each.
        refuse : callable
            Called with each row that is set aside, and why.
        label : str
            Makes the segments' names unique in the journal.
        journal, earlier
            Where finished segments are noted, and what an earlier run noted, by name.
        each : callable
            Called with the scores of each segment.
        """
        trials = ScoredTrials(len(names))
        places = self._speakers(names, trials, refuse)
        scorer = SegmentScorer.of(self.gallery, list(places), self.scoring, self.top, self.normalization)
        rows_of: dict[str, list[int]] = {}
        waiting: list[TrialSegment] = []
        for n, (recording, rows) in enumerate(segments.items()):
            usable = [row for row in rows if names[row] in places]
            if usable:
                segment = TrialSegment(recording, f"{label}{n}", tuple(places[names[row]] for row in usable))
                rows_of[segment.id] = usable
                waiting.append(segment)

        def refuse_segment(id: str, error: AudioGMMError) -> None:
            for row in rows_of.pop(id):
                refuse(row, error)

        if journal is None:
            todo = self.reducer.map(waiting, scorer, refuse_segment)
        else:
            todo = journal.map(self.reducer, waiting, scorer, refuse_segment, row=SegmentScores.to_dict)
        for found in todo:
            trials.put(rows_of.pop(found.id), found)
            each(found)
        for id, rows in rows_of.items():  # done by an earlier run
            found = (earlier or {})[id]
            trials.put(rows, found)
            each(found)
        return trials

    def _speakers(
        self, names: Sequence[str], trials: ScoredTrials, refuse: Callable[[int, AudioGMMError], None]
    ) -> dict[str, int]:
        """An index for each speaker that can be read; trials of the others are refused."""
        measures: dict[str, tuple[float, float]] = {}
        broken: dict[str, AudioGMMError] = {}
        for name in dict.fromkeys(names):
            try:
                speaker = self.gallery[name]
            except AudioGMMError as error:
                broken[name] = error
            else:
                measures[name] = speaker.voiced_seconds, speaker.signal_to_noise
        for row, name in enumerate(names):
            if name in broken:
                refuse(row, broken[name])
            else:
                trials.enrolled[row], trials.enrolled_snr[row] = measures[name]
        return {name: i for i, name in enumerate(measures)}
