"""Identification of the speaker of a recording among those of a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import read_frontend
from audiogmm.types import Json
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.identification import (
    INDEPENDENT_RATE,
    Identification,
    SpeakerCandidate,
    approximate_llr,
    rank_speakers,
)
from audiogmm.verification.ratio import Scoring
from audiogmm.verification.recordings.segment_scorer import SegmentScorer, SegmentScores, TrialSegment
from audiogmm.verification.recordings.trial_scorer import ScoredTrials

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording


@dataclass(frozen=True)
class Identifier:
    """Scores a recording against all speakers, and ranks them; runs in a thread or a worker process.

    Attributes
    ----------
    scorer : SegmentScorer
        Of all speakers.
    enrolled, enrolled_snr : tuple of float
        Seconds of speech in each speaker's enrollment, and its signal-to-noise ratio, decibels.
    calibration : Calibration or None
        Of the gallery.
    rate : float
        Frames a second that are taken for independent where there is no calibration.
    prior : float
        Probability that it is one of the speakers; 1 for a closed set.
    top : int
        Candidates to return.
    """

    scorer: SegmentScorer
    enrolled: tuple[float, ...]
    enrolled_snr: tuple[float, ...]
    calibration: Calibration | None
    rate: float
    prior: float
    top: int

    @classmethod
    def of(cls, gallery: Gallery, aside: Aside, prior: float, top: int, scoring: Scoring) -> Identifier:
        """Return an identifier of all speakers of a gallery; damaged ones are set aside.

        Raises
        ------
        ChoiceError
            If no speaker is left, or a setting is outside its range.
        """
        found: dict[str, tuple[float, float]] = {}
        for name in gallery.names:
            try:
                speaker = gallery[name]
            except AudioGMMError as error:
                aside.put(name, str(gallery.folder), error)
            else:
                found[name] = speaker.voiced_seconds, speaker.signal_to_noise
        if not found:
            raise ChoiceError(
                f"no speaker can be identified: {gallery.folder} has no speaker"
                + (" that can be read" if len(aside) else ""),
                needed="at least one",
                remedy="audiogmm enroll UBM M -o DIR",
            )
        rate = 1.0 if read_frontend(gallery.background) is None else INDEPENDENT_RATE
        scorer = SegmentScorer.of(gallery, list(found), scoring)
        seconds, ratios = zip(*found.values(), strict=True)
        rank_speakers(scorer.names, np.zeros(len(found)), prior, top)  # refuses settings before any work
        return cls(scorer, seconds, ratios, gallery.calibration, rate, prior, top)

    def __call__(self, recording: Recording) -> Json:
        """Return the row of one recording.

        Raises
        ------
        AudioFileError, AudioDataError, FeatureError, MismatchError
            If the recording cannot be used.
        """
        everybody = tuple(range(len(self.scorer.names)))
        scores = self.scorer(TrialSegment(recording, recording.id, everybody))
        entry = recording.entry
        found = Identification(
            entry.path, recording.id, *self.rank(scores), scores.voiced_seconds, scores.flag, entry.speaker
        )
        return {
            "id": recording.id,
            "seconds": scores.seconds,
            "known": entry.speaker in self.scorer.names,
            "identity": found.to_dict(),
        }

    def rank(self, scores: SegmentScores) -> tuple[str | None, float, float, tuple[SpeakerCandidate, ...]]:
        """Return what `rank_speakers` does, from the scores of a segment against all speakers."""
        trials = ScoredTrials(len(self.scorer.names))
        trials.enrolled, trials.enrolled_snr = np.array(self.enrolled), np.array(self.enrolled_snr)
        trials.put(range(trials.n), scores)
        if self.calibration is None:
            n_independent = self.rate * scores.voiced_seconds
            llr = approximate_llr(trials.raw, trials.space, n_independent)
        else:
            llr = trials.scores(self.calibration)
        return rank_speakers(self.scorer.names, llr, self.prior, self.top)
