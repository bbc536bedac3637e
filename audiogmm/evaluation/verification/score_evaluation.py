"""Evaluate the scores of trials whose truth is known: error rates, costs and calibration, with intervals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.settings import EvaluationSettings
from audiogmm.evaluation.verification.bootstrap import TrialSet
from audiogmm.evaluation.verification.common_trials import match_trials
from audiogmm.evaluation.verification.comparison import compare
from audiogmm.evaluation.verification.conditions import divide_trials
from audiogmm.evaluation.verification.evaluation import Comparison, Condition, VerificationEvaluation
from audiogmm.evaluation.verification.performance import measure_performance
from audiogmm.evaluation.verification.score_table import ScoreTable, read_score_table
from audiogmm.evaluation.verification.speaker_clusters import TrialSpeakers, cluster_speakers
from audiogmm.runs.aside import Aside
from audiogmm.runs.progress import Progress
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.decision import OperatingPoint
from audiogmm.words import amount

POINTS = (OperatingPoint(0.01), OperatingPoint(0.05))
"""Operating points of NIST SRE and VoxSRC, where none are given."""


def operating_points(
    prior: Sequence[float], cost_miss: Sequence[float], cost_false_alarm: Sequence[float]
) -> tuple[OperatingPoint, ...]:
    """Make operating points: one of the first of each, one of the second, ...; a single one is for all.

    Raises
    ------
    ChoiceError
        If there are not as many of each, or one is out of range.

    Examples
    --------
    >>> [str(point) for point in operating_points([0.01, 0.5], [10], [])]
    ['prior 0.01, costs 10 and 1', 'prior 0.5, costs 10 and 1']
    """
    if not (prior or cost_miss or cost_false_alarm):
        return POINTS
    given = (prior or [point.prior for point in POINTS], cost_miss or [1.0], cost_false_alarm or [1.0])
    n = max(map(len, given))
    if any(len(part) not in (1, n) for part in given):
        raise ChoiceError(
            f"{amount(len(given[0]), 'prior')}, {amount(len(given[1]), 'cost')} of a miss and "
            f"{amount(len(given[2]), 'cost')} of a false alarm",
            needed="as many of each, or one",
        )
    columns = [list(part) * (n if len(part) == 1 else 1) for part in given]
    return tuple(OperatingPoint(*numbers) for numbers in zip(*columns, strict=True))


@dataclass(frozen=True, kw_only=True)
class EvaluateVerifySettings(EvaluationSettings):
    """How the scores of trials are evaluated; see `EvaluationSettings` for the rest.

    Parameters
    ----------
    points : sequence of OperatingPoint
        Where costs are measured.
    against : path-like, optional
        Another system's scores of the same trials, compared by a paired bootstrap.
    column : str
        Column of the scores.
    trials : path-like, optional
        A list of trials that holds the truth, where the scores have no column `target`.
    """

    points: Sequence[OperatingPoint] = POINTS
    against: str | os.PathLike[str] | None = None
    column: str = "score"
    trials: str | os.PathLike[str] | None = None


def evaluate_scores(
    scores: str | os.PathLike[str], settings: EvaluateVerifySettings, aside: Aside, progress: Progress
) -> VerificationEvaluation:
    """Evaluate a score file.

    Parameters
    ----------
    scores : path-like
        CSV with the columns `model`, `audio_filepath` (or `id`), `target` and `settings.column`; or scores of
        Kaldi, with the truth in `settings.trials`.
    settings : EvaluateVerifySettings
    aside : Aside
        Takes rows that cannot be used.
    progress : Progress

    Raises
    ------
    ManifestError
        If a file cannot be read, lacks a column or contradicts itself, or trials are of one kind.
    ChoiceError
        If a column of `settings.by` is missing.
    """
    column, points, draws = settings.column, settings.points, settings.draws
    read = partial(read_score_table, numeric=(column,), aside=aside, trials=settings.trials)
    table = read(scores)
    other = None if settings.against is None else read(settings.against)
    notes = _repeated(table)
    if other is not None:
        notes += _repeated(other)
        table, other = match_trials([table, other], aside)
    target = _both_kinds(table)
    columns = [(key, *divide_trials(key, table.texts(key))) for key in settings.by]
    speakers = table.texts("speaker") if "speaker" in table.columns else None
    files = [key[1] for key in table.keys]
    clusters = cluster_speakers(table.texts("model"), table.recordings(), target, speakers, files)
    notes += _speaker_notes(clusters)

    progress.begin("resampling speakers", None, "parts")
    llr = table.numbers(column)
    trials = TrialSet(llr, target, clusters.speakers, points)
    overall, curves = measure_performance(trials, draws)
    progress.advance(1)
    conditions = []
    for key, labels, which in columns:
        for i, label in enumerate(labels):
            chosen = which == i
            some = llr[chosen], target[chosen], clusters.speakers[chosen]
            conditions.append(_condition(key, label, *some, settings))
            progress.advance(1)
    comparison = None
    if other is not None:
        second = TrialSet(other.numbers(column), target, clusters.speakers, points)
        comparison = _compare(other.path, trials, second, draws)
    progress.end()
    return VerificationEvaluation(
        path=table.path,
        column=column,
        overall=overall,
        curves=curves,
        conditions=tuple(conditions),
        against=comparison,
        notes=tuple(notes),
        draws=draws,
        aside=aside,
    )


def _condition(
    key: str,
    value: str,
    llr: FloatArray,
    target: BoolArray,
    speakers: IntArray,
    settings: EvaluateVerifySettings,
) -> Condition:
    """Evaluate the trials of one condition by themselves, or say why they cannot be evaluated."""
    n, n_targets = len(target), int(np.count_nonzero(target))
    if n_targets in (0, n):
        reason = f"{amount(n_targets, 'target')} among {amount(n, 'trial')}"
        return Condition(key, value, n, reason=reason)
    trials = TrialSet(llr, target, speakers, settings.points)
    return Condition(key, value, n, measure_performance(trials, settings.draws)[0])


def _compare(path: str, first: TrialSet, second: TrialSet, draws: Draws) -> Comparison:
    performance, curves = measure_performance(second, draws)
    eer, cllr, min_cllr, *costs = compare(first, second, draws)
    k = len(first.points)
    return Comparison(path, performance, curves, eer, cllr, min_cllr, tuple(costs[:k]), tuple(costs[k:]))


def _both_kinds(table: ScoreTable) -> BoolArray:
    target = table.targets()
    n_targets = int(np.count_nonzero(target))
    if n_targets in (0, len(target)):
        raise ManifestError(
            f"{table.path} has {n_targets:,} target and {len(target) - n_targets:,} nontarget trials",
            needed="trials of both kinds: misses are counted on target trials, false alarms on the others",
            remedy="check the column target",
        )
    return target


def _repeated(table: ScoreTable) -> list[str]:
    if not table.n_repeated:
        return []
    repeat = "repeats an earlier trial" if table.n_repeated == 1 else "repeat earlier trials"
    return [f"{table.path}: {amount(table.n_repeated, 'row')} {repeat} with the same score: each counts once"]


def _speaker_notes(clusters: TrialSpeakers) -> list[str]:
    notes = []
    if n := clusters.n_unknown:
        notes.append(
            f"{amount(n, 'recording')} without a target trial and without a speaker in the column speaker: "
            "each counts as a speaker of its own"
        )
    if n := clusters.n_contradictory:
        notes.append(
            f"{amount(n, 'nontarget trial')} of a model and a recording that other trials say are the same "
            "speaker: check the column target"
        )
    return notes
