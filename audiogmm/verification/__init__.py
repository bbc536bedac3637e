"""Speaker verification and identification: who speaks, and how likely that is.

Statistics of recordings under a background model become a `Speaker`; a `Gallery` keeps the speakers of one
background model in a folder. Recordings are compared by likelihood ratios (`RatioScorer`) and by the vectors
of a `BackEnd`; a `Calibration` makes log-likelihood ratios of both, and an `OperatingPoint` decides from
these.
The room takes frames and statistics and opens no audio; `recordings` does the same from recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.verification.adaptation import Adaptation as Adaptation
    from audiogmm.verification.backend import BackEnd as BackEnd
    from audiogmm.verification.backend_learning import learn_backend as learn_backend
    from audiogmm.verification.background import BackgroundRecording as BackgroundRecording
    from audiogmm.verification.calibration import Calibration as Calibration
    from audiogmm.verification.calibration_fitting import fit_calibration as fit_calibration
    from audiogmm.verification.compensation import Compensation as Compensation
    from audiogmm.verification.decision import OperatingPoint as OperatingPoint
    from audiogmm.verification.gallery import Gallery as Gallery
    from audiogmm.verification.identification import Identification as Identification
    from audiogmm.verification.identification import SpeakerCandidate as SpeakerCandidate
    from audiogmm.verification.identification import rank_speakers as rank_speakers
    from audiogmm.verification.normalization import normalize as normalize
    from audiogmm.verification.plda import Plda as Plda
    from audiogmm.verification.projection import Projection as Projection
    from audiogmm.verification.quality import MeasuredFrames as MeasuredFrames
    from audiogmm.verification.quality import SignalToNoise as SignalToNoise
    from audiogmm.verification.ratio import RatioScorer as RatioScorer
    from audiogmm.verification.recalibration import recalibrate as recalibrate
    from audiogmm.verification.space import Space as Space
    from audiogmm.verification.space import SpaceSettings as SpaceSettings
    from audiogmm.verification.speaker import Speaker as Speaker
    from audiogmm.verification.trials import Trial as Trial
    from audiogmm.verification.trials import TrialList as TrialList

__getattr__, __dir__ = exports(__name__)
