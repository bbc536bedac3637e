"""Speaker verification from recordings: reading them, enrolling, scoring trials, identifying, calibrating.

Each recording is read once, in bounded memory, by threads or worker processes; results do not depend on
their number, nor on which other recordings or models are scored with it. Recordings that cannot be used are
set aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.verification.recordings.backend_training import train_backend as train_backend
    from audiogmm.verification.recordings.background_reader import read_background as read_background
    from audiogmm.verification.recordings.enrollment import Enrollment as Enrollment
    from audiogmm.verification.recordings.enrollment_run import EnrollSettings as EnrollSettings
    from audiogmm.verification.recordings.enrollment_run import enroll_recordings as enroll_recordings
    from audiogmm.verification.recordings.gallery_calibration import calibrate_gallery as calibrate_gallery
    from audiogmm.verification.recordings.gallery_calibration import find_calibration as find_calibration
    from audiogmm.verification.recordings.identifier import Identifier as Identifier
    from audiogmm.verification.recordings.leave_one_out import LeaveOneOutTrials as LeaveOneOutTrials
    from audiogmm.verification.recordings.segment_scorer import SegmentScorer as SegmentScorer
    from audiogmm.verification.recordings.segment_scorer import SegmentScores as SegmentScores
    from audiogmm.verification.recordings.segment_scorer import SpeakerModels as SpeakerModels
    from audiogmm.verification.recordings.segment_scorer import TrialSegment as TrialSegment
    from audiogmm.verification.recordings.trial_reader import TrialReader as TrialReader
    from audiogmm.verification.recordings.trial_scorer import ScoredTrials as ScoredTrials
    from audiogmm.verification.recordings.trial_scorer import TrialScorer as TrialScorer

__getattr__, __dir__ = exports(__name__)
