"""Trials, many at a time: each recording is read once, and scored against all models claimed of it."""

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
from audiogmm.verification.recordings.segment_scorer import Cut, CutScorer, CutScores

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.reduce import Reducer


@dataclass
class ScoredTrials:
    """Scores of some trials, one after another.

    Attributes
    ----------
    raw, space, voiced, enrolled : ndarray of shape (n,), float64
        Mean ratio a frame (nats), the back-end's score, and seconds of speech in the test and in the
        enrollment; NaN where there is none.
    snr, enrolled_snr : ndarray of shape (n,), float64
        Signal-to-noise ratios of both, decibels; NaN where not known.
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
        self.raw, self.space, self.voiced, self.enrolled = (np.full(self.n, np.nan) for _ in range(4))
        self.snr, self.enrolled_snr = (np.full(self.n, np.nan) for _ in range(2))
        self.flags = [""] * self.n

    def put(self, rows: Sequence[int], found: CutScores) -> None:
        """Note what came of the cut that these trials are about."""
        self.raw[rows] = found.raw
        self.voiced[rows] = found.voiced_seconds
        self.snr[rows] = np.nan if found.snr is None else found.snr
        if found.space:
            self.space[rows] = found.space
        for row in rows:
            self.flags[row] = found.flag

    def scores(self, calibration: Calibration | None) -> FloatArray:
        """One number a trial: calibrated, or else the best that there is. NaN where it was set aside."""
        if calibration is None:
            return np.where(np.isnan(self.space), self.raw, self.space)
        scores, there = np.full(self.n, np.nan), ~np.isnan(self.raw)
        scores[there] = calibration.apply({name: c[there] for name, c in self.columns().items()})
        return scores

    def columns(self) -> Mapping[str, FloatArray]:
        """What a calibration may read: scores, and quality measures."""
        return {
            "raw": self.raw,
            "space": self.space,
            "log_voiced_seconds": log_seconds(self.voiced, TESTED),
            "log_enrolled_seconds": log_seconds(self.enrolled, ENROLLED),
            "noise": noise(self.snr, self.enrolled_snr),
        }


@dataclass(frozen=True)
class TrialScorer:
    """Scores trials of the speakers of a gallery."""

    gallery: Gallery
    reducer: Reducer
    scoring: Scoring = "exact"
    top: int = TOP
    normalization: str = "none"

    def score(
        self,
        names: Sequence[str],
        cuts: Mapping[Recording, Sequence[int]],
        refuse: Callable[[int, AudioGMMError], None],
        *,
        label: str = "",
        journal: Journal | None = None,
        earlier: Mapping[str, CutScores] | None = None,
        each: Callable[[CutScores], None] = lambda _: None,
    ) -> ScoredTrials:
        """Score trials.

        Parameters
        ----------
        names : sequence of str
            Who is claimed, one a row.
        cuts : mapping of Recording to rows
            Recordings, and the rows that claim something of each.
        refuse : callable
            Hears of each row that is set aside, and why.
        label : str
            Makes the cuts' names unique in the journal.
        journal, earlier
            Where finished cuts are noted, and what an earlier run noted, by name.
        each : callable
            Hears of each cut.
        """
        scored = ScoredTrials(len(names))
        broken, places = self._models(names, scored)
        for row, name in enumerate(names):
            if name in broken:
                refuse(row, broken[name])
        scorer = CutScorer.of(self.gallery, list(places), self.scoring, self.top, self.normalization)
        rows_of: dict[str, list[int]] = {}
        waiting: list[Cut] = []
        for n, (recording, rows) in enumerate(cuts.items()):
            usable = [row for row in rows if names[row] in places]
            if usable:
                cut = Cut(recording, f"{label}{n}", tuple(places[names[row]] for row in usable))
                rows_of[cut.id] = usable
                waiting.append(cut)

        def refuse_cut(id: str, error: AudioGMMError) -> None:
            for row in rows_of.pop(id):
                refuse(row, error)

        todo = waiting if journal is None else journal.waiting(waiting)
        for found in self.reducer.map(todo, scorer, refuse_cut):
            scored.put(rows_of.pop(found.id), found)
            each(found)
            if journal is not None:
                journal.write(found.to_dict())
        for id, rows in rows_of.items():  # done by an earlier run
            found = (earlier or {})[id]
            scored.put(rows, found)
            each(found)
        return scored

    def _models(
        self, names: Sequence[str], scored: ScoredTrials
    ) -> tuple[dict[str, AudioGMMError], dict[str, int]]:
        """Which speakers cannot be used, and why; and the place of each of the others."""
        broken: dict[str, AudioGMMError] = {}
        known: dict[str, tuple[float, float]] = {}
        for name in dict.fromkeys(names):
            try:
                speaker = self.gallery[name]
            except AudioGMMError as error:
                broken[name] = error
            else:
                known[name] = speaker.voiced_seconds, speaker.signal_to_noise
        told = np.array([known.get(name, (np.nan, np.nan)) for name in names]).reshape(-1, 2)
        scored.enrolled, scored.enrolled_snr = told[:, 0], told[:, 1]
        return broken, {name: i for i, name in enumerate(known)}
