"""Anomalies: thresholds from the scores of normal audio, events, and what made them anomalous.

Pure of audio files: scores and frames come in, events go out, and any chunking of them gives the same events.
A `Detector` holds the scores of normal audio and the thresholds that follow from them; an `EventStream` finds
events in scores as they arrive; a `DetectionPipeline` does both from frames, and explains the events.
`scorers` are the scores of frames; `learning` learns all of this from recordings and keeps it in a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.anomaly.bands import BandMap as BandMap
    from audiogmm.anomaly.budget import AlarmBudget as AlarmBudget
    from audiogmm.anomaly.detector import Detector as Detector
    from audiogmm.anomaly.detector_calibration import calibrate_detector as calibrate_detector
    from audiogmm.anomaly.detector_calibration import find_outliers as find_outliers
    from audiogmm.anomaly.detector_settings import DetectorOptions as DetectorOptions
    from audiogmm.anomaly.detector_settings import DetectorSettings as DetectorSettings
    from audiogmm.anomaly.event import Event as Event
    from audiogmm.anomaly.explainer import EventExplainer as EventExplainer
    from audiogmm.anomaly.formats import FORMATS as FORMATS
    from audiogmm.anomaly.formats import EventFormat as EventFormat
    from audiogmm.anomaly.formats import EventWriter as EventWriter
    from audiogmm.anomaly.formats import read_events as read_events
    from audiogmm.anomaly.formats import write_events as write_events
    from audiogmm.anomaly.normal import NormalScores as NormalScores
    from audiogmm.anomaly.normal_moments import NormalMoments as NormalMoments
    from audiogmm.anomaly.notice import Notice as Notice
    from audiogmm.anomaly.pipeline import DetectionPipeline as DetectionPipeline
    from audiogmm.anomaly.pipeline import DetectionStream as DetectionStream
    from audiogmm.anomaly.scorer import FrameScorer as FrameScorer
    from audiogmm.anomaly.scorer import FrameScores as FrameScores
    from audiogmm.anomaly.scorer import LogLikelihoodScorer as LogLikelihoodScorer
    from audiogmm.anomaly.scorer import ScorerStream as ScorerStream
    from audiogmm.anomaly.stream import EventStream as EventStream
    from audiogmm.anomaly.stream import detect_events as detect_events
    from audiogmm.anomaly.threshold import Thresholds as Thresholds
    from audiogmm.anomaly.threshold import tail_probability as tail_probability

__getattr__, __dir__ = exports(__name__)
