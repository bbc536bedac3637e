"""How well scores of trials separate speakers, and whether they are calibrated (BOSARIS, NIST SRE).

EER, minimum and actual detection cost, Cllr and its minimum of a file of scores, overall, by condition, and
in comparison with another system; fusion of several systems. Intervals come from draws of the speakers,
since trials of one speaker are not independent. All measures that choose a threshold follow from one ROC
convex hull.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.evaluation.verification.bootstrap import TrialSet as TrialSet
    from audiogmm.evaluation.verification.common_trials import match_trials as match_trials
    from audiogmm.evaluation.verification.comparison import Difference as Difference
    from audiogmm.evaluation.verification.comparison import compare as compare
    from audiogmm.evaluation.verification.evaluation import Comparison as Comparison
    from audiogmm.evaluation.verification.evaluation import Condition as Condition
    from audiogmm.evaluation.verification.evaluation import VerificationEvaluation as VerificationEvaluation
    from audiogmm.evaluation.verification.fusion import FusedScores as FusedScores
    from audiogmm.evaluation.verification.fusion import FuseSettings as FuseSettings
    from audiogmm.evaluation.verification.fusion import fuse_scores as fuse_scores
    from audiogmm.evaluation.verification.hull import Hull as Hull
    from audiogmm.evaluation.verification.hull import SortedTrials as SortedTrials
    from audiogmm.evaluation.verification.metrics import bits_lost as bits_lost
    from audiogmm.evaluation.verification.metrics import cllr as cllr
    from audiogmm.evaluation.verification.metrics import min_cllr as min_cllr
    from audiogmm.evaluation.verification.performance import Curves as Curves
    from audiogmm.evaluation.verification.performance import Performance as Performance
    from audiogmm.evaluation.verification.performance import measure_performance as measure_performance
    from audiogmm.evaluation.verification.score_evaluation import (
        EvaluateVerifySettings as EvaluateVerifySettings,
    )
    from audiogmm.evaluation.verification.score_evaluation import evaluate_scores as evaluate_scores
    from audiogmm.evaluation.verification.score_table import ScoreTable as ScoreTable
    from audiogmm.evaluation.verification.score_table import read_score_table as read_score_table
    from audiogmm.evaluation.verification.speaker_clusters import TrialSpeakers as TrialSpeakers
    from audiogmm.evaluation.verification.speaker_clusters import cluster_speakers as cluster_speakers

__getattr__, __dir__ = exports(__name__)
