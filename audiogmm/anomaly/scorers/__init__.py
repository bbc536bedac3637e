"""The scores of frames by name, their common scale, and their fusion without labels.

A score is a file here and a row of `SCORES`: how its series are made from a model, and what it learns from
normal recordings, if anything. Every score is finite for every frame, higher is more normal, and any chunking
gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.anomaly.scorers.fused import FusedScorer as FusedScorer
    from audiogmm.anomaly.scorers.grid import WindowScorer as WindowScorer
    from audiogmm.anomaly.scorers.learned import LearnedScores as LearnedScores
    from audiogmm.anomaly.scorers.scale import NormalScale as NormalScale
    from audiogmm.anomaly.scorers.score import NormalRecordings as NormalRecordings
    from audiogmm.anomaly.scorers.score import Score as Score
    from audiogmm.anomaly.scorers.score import ScoreContext as ScoreContext
    from audiogmm.anomaly.scorers.series import ScoreSeries as ScoreSeries
    from audiogmm.anomaly.scorers.series import SeriesGroup as SeriesGroup
    from audiogmm.anomaly.scorers.table import AUTO as AUTO
    from audiogmm.anomaly.scorers.table import FUSION as FUSION
    from audiogmm.anomaly.scorers.table import PLAIN as PLAIN
    from audiogmm.anomaly.scorers.table import SCORES as SCORES
    from audiogmm.anomaly.scorers.table import ScoreSpec as ScoreSpec
    from audiogmm.anomaly.scorers.table import check_scores as check_scores
    from audiogmm.anomaly.scorers.table import parse_scores as parse_scores
    from audiogmm.anomaly.scorers.table import score_unit as score_unit
    from audiogmm.anomaly.scorers.table import select_scores as select_scores
    from audiogmm.anomaly.scorers.track import TrackTask as TrackTask
    from audiogmm.anomaly.scorers.track import score_recording as score_recording
    from audiogmm.anomaly.scorers.track import scored_blocks as scored_blocks

__getattr__, __dir__ = exports(__name__)
