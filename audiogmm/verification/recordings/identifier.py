"""Identify the speaker of a recording among those of a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import read_frontend
from audiogmm.types import FloatArray, Json
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.identification import INDEPENDENT, Identity, likeliest, uncalibrated
from audiogmm.verification.ratio import TOP, Scoring
from audiogmm.verification.recordings.segment_scorer import Cut, CutScorer
from audiogmm.verification.recordings.trial_scorer import ScoredTrials

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording


@dataclass(frozen=True)
class Identifier:
    """Scores a recording against everybody, and weighs them; runs in a thread or a worker process.

    Attributes
    ----------
    scorer : CutScorer
        Of all speakers.
    enrolled, enrolled_snr : tuple of float
        Seconds of speech in each speaker's enrollment, and its signal-to-noise ratio, decibels.
    calibration : Calibration or None
        What makes ratios of scores.
    rate : float
        Frames a second that pass for independent, where there is no calibration.
    known : float
        Prior probability that it is one of the speakers; 1 for a closed set.
    top : int
        Candidates to name.
    """

    scorer: CutScorer
    enrolled: tuple[float, ...]
    enrolled_snr: tuple[float, ...]
    calibration: Calibration | None
    rate: float
    known: float
    top: int

    @classmethod
    def of(cls, gallery: Gallery, aside: Aside, known: float, top: int, scoring: Scoring) -> Identifier:
        """An identifier of all speakers of a gallery; damaged ones are set aside.

        Raises
        ------
        ChoiceError
            If nobody is left.
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
                f"nobody can be identified: {gallery.folder} has no speaker"
                + (" that can be read" if len(aside) else ""),
                needed="at least one",
                remedy="audiogmm enroll UBM M -o DIR",
            )
        rate = 1.0 if read_frontend(gallery.background) is None else INDEPENDENT
        scorer = CutScorer.of(gallery, list(found), scoring, TOP)
        seconds, ratios = zip(*found.values(), strict=True)
        identifier = cls(scorer, seconds, ratios, gallery.calibration, rate, known, top)
        likeliest(scorer.names, np.zeros(len(found)), known, top)  # refuses settings before any work
        return identifier

    def __call__(self, recording: Recording) -> Json:
        """The row of one recording.

        Raises
        ------
        AudioFileError, AudioDataError, FeatureError, MismatchError
            If the recording cannot be used.
        """
        everybody = range(len(self.scorer.names))
        found = self.scorer(Cut(recording, recording.id, tuple(everybody)))
        scored = ScoredTrials(len(everybody))
        scored.enrolled, scored.enrolled_snr = np.array(self.enrolled), np.array(self.enrolled_snr)
        scored.put(everybody, found)
        outcome = likeliest(self.scorer.names, self.llr(scored), self.known, self.top)
        entry = recording.entry
        identity = Identity(
            entry.path, recording.id, *outcome, found.voiced_seconds, found.flag, entry.speaker
        )
        return {
            "id": recording.id,
            "seconds": found.seconds,
            "known": entry.speaker in self.scorer.names,
            "identity": identity.to_dict(),
        }

    def llr(self, scored: ScoredTrials) -> FloatArray:
        """Log-likelihood ratios of the speakers, shape (n_speakers,), nats."""
        if self.calibration is None:
            return uncalibrated(scored.raw, scored.space, self.rate * scored.voiced[0])
        return scored.scores(self.calibration)
