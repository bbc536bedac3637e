"""How good detection is: the events found and the scores of frames, against the truth of a manifest.

AUC and pAUC of frames, segments and whole recordings, compared within a site only; precision, recall and F1
of matched events; delay; false alarms an hour; and the official score of DCASE Task 2. What sed_eval,
scikit-learn and the organizers' evaluators compute, these compute too, and tests hold them to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.evaluation.detection.areas import Areas as Areas
    from audiogmm.evaluation.detection.areas import MeanAreas as MeanAreas
    from audiogmm.evaluation.detection.criteria import DetectionCriteria as DetectionCriteria
    from audiogmm.evaluation.detection.dcase_score import DcaseScore as DcaseScore
    from audiogmm.evaluation.detection.dcase_score import DcaseSection as DcaseSection
    from audiogmm.evaluation.detection.evaluation import DetectionEvaluation as DetectionEvaluation
    from audiogmm.evaluation.detection.evaluation import RocCurve as RocCurve
    from audiogmm.evaluation.detection.event_evaluation import (
        EvaluateDetectSettings as EvaluateDetectSettings,
    )
    from audiogmm.evaluation.detection.event_evaluation import evaluate_events as evaluate_events
    from audiogmm.evaluation.detection.event_figures import Delay as Delay
    from audiogmm.evaluation.detection.event_figures import EventFigures as EventFigures
    from audiogmm.evaluation.detection.event_figures import FalseAlarms as FalseAlarms
    from audiogmm.evaluation.detection.event_figures import Rates as Rates
    from audiogmm.evaluation.detection.frame_metrics import EventCounts as EventCounts
    from audiogmm.evaluation.detection.frame_metrics import LabeledTrack as LabeledTrack
    from audiogmm.evaluation.detection.frame_metrics import SiteAreas as SiteAreas
    from audiogmm.evaluation.detection.frame_metrics import compare_events as compare_events
    from audiogmm.evaluation.detection.frame_metrics import evaluate_frames as evaluate_frames
    from audiogmm.evaluation.detection.frame_metrics import frame_auc as frame_auc
    from audiogmm.evaluation.detection.frame_metrics import partial_auc as partial_auc
    from audiogmm.evaluation.detection.frame_metrics import score_loudness as score_loudness
    from audiogmm.evaluation.detection.matching import Collars as Collars
    from audiogmm.evaluation.detection.recording import EvaluatedRecording as EvaluatedRecording
    from audiogmm.evaluation.detection.recording import evaluate_recording as evaluate_recording
    from audiogmm.evaluation.detection.roc import Separation as Separation
    from audiogmm.evaluation.detection.site_figures import SiteFigures as SiteFigures
    from audiogmm.evaluation.detection.wording import evaluation_lines as evaluation_lines

__getattr__, __dir__ = exports(__name__)
