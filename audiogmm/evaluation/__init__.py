"""How good results are, where the truth is known: every figure with its interval.

The intervals, the settings and the text of figures that all evaluations share; `detection` evaluates
events and the scores of frames, `verification` the scores of trials. Intervals come from draws of recordings
or speakers, the same for a seed whatever the number of draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.evaluation.intervals import Coverage as Coverage
    from audiogmm.evaluation.intervals import Draws as Draws
    from audiogmm.evaluation.intervals import Interval as Interval
    from audiogmm.evaluation.intervals import draw_counts as draw_counts
    from audiogmm.evaluation.intervals import percentile_interval as percentile_interval
    from audiogmm.evaluation.intervals import percentiles as percentiles
    from audiogmm.evaluation.intervals import poisson_limits as poisson_limits
    from audiogmm.evaluation.intervals import weighted_quantile as weighted_quantile
    from audiogmm.evaluation.settings import EvaluationSettings as EvaluationSettings
    from audiogmm.evaluation.tables import align_columns as align_columns
    from audiogmm.evaluation.tables import format_interval as format_interval
    from audiogmm.evaluation.tables import format_number as format_number
    from audiogmm.evaluation.tables import format_percent as format_percent

__getattr__, __dir__ = exports(__name__)
