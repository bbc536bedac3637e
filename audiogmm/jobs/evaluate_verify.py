"""Evaluate verification: how well do scores tell speakers apart, and can they be taken at their word?"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.score_table import ScoreTable, read_score_table
from audiogmm.evaluation.verification.bootstrap import Sample
from audiogmm.evaluation.verification.common_trials import in_common
from audiogmm.evaluation.verification.comparison import compare
from audiogmm.evaluation.verification.conditions import cut
from audiogmm.evaluation.verification.evaluation import Comparison, Condition, Evaluation
from audiogmm.evaluation.verification.performance import perform
from audiogmm.evaluation.verification.speaker_clusters import Parties, speakers_of
from audiogmm.files import replacing
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent
from audiogmm.types import BoolArray, FloatArray
from audiogmm.verification.decision import OperatingPoint

POINTS = (OperatingPoint(0.01), OperatingPoint(0.05))
"""Operating points of NIST SRE and VoxSRC, where none are given."""


def operating_points(
    priors: Sequence[float], costs_miss: Sequence[float], costs_false_alarm: Sequence[float]
) -> tuple[OperatingPoint, ...]:
    """The first of each make a point, the second of each the next; a single one goes with all.

    Raises
    ------
    ChoiceError
        If the numbers of them do not go together, or one is out of range.

    Examples
    --------
    >>> [str(point) for point in operating_points([0.01, 0.5], [10], [])]
    ['prior 0.01, costs 10 and 1', 'prior 0.5, costs 10 and 1']
    """
    if not (priors or costs_miss or costs_false_alarm):
        return POINTS
    given = (priors or [point.prior for point in POINTS], costs_miss or [1.0], costs_false_alarm or [1.0])
    n = max(map(len, given))
    if any(len(part) not in (1, n) for part in given):
        raise ChoiceError(
            f"{len(given[0])} priors, {len(given[1])} costs of a miss and {len(given[2])} of a false alarm",
            needed="as many of each, or one",
        )
    columns = [list(part) * (n if len(part) == 1 else 1) for part in given]
    return tuple(OperatingPoint(*numbers) for numbers in zip(*columns, strict=True))


def evaluate_verify(
    scores: str | os.PathLike[str],
    *,
    points: Sequence[OperatingPoint] = POINTS,
    by: Sequence[str] = (),
    against: str | os.PathLike[str] | None = None,
    column: str = "score",
    draws: Draws | None = None,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate the scores of trials whose truth is known.

    Intervals come from draws of the speakers. Who speaks in a test is what its column `speaker` says, where
    there is one, and else the model of its target trial, or of another piece of its file; a recording without
    any of these is a speaker of its own.

    Parameters
    ----------
    scores : path-like
        CSV with the columns `model`, `audio_filepath` (or `id`), `target` and `column`, as `verify` writes.
    points : sequence of OperatingPoint
        Where costs are measured.
    by : sequence of str
        Columns to cut the trials by: text as it is, numbers into four parts.
    against : path-like, optional
        Another system's scores of the same trials, compared by a paired bootstrap.
    column : str
        Where the scores are.
    draws : Draws, optional
        How speakers are drawn for the intervals: how often, the confidence, the seed, threads.
    aside : Aside, optional
        Takes rows that cannot be used; by default the first one raises.
    progress : Progress, optional
        Who listens.

    Raises
    ------
    ManifestError
        If a file cannot be read, lacks a column or contradicts itself; if there are no targets, or nothing
        else; the first bad row's, unless `aside` takes it.
    ChoiceError
        If a column to cut by is not there, or a setting is out of range.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scores.csv"
    >>> _ = path.write_text(
    ...     "model,audio_filepath,target,score\\n"
    ...     "ann,a.wav,1,2.5\\nann,b.wav,0,-3.0\\nbob,b.wav,1,1.5\\nbob,a.wav,0,-1.0\\n"
    ... )
    >>> found = evaluate_verify(path)
    >>> found.overall.eer.value, found.overall.n_speakers, found.overall.indicative
    (0.0, 2, True)
    """
    draws, progress = draws or Draws(), progress or Silent()
    aside = Aside(strict=True) if aside is None else aside
    table = read_score_table(scores, (column,), aside=aside)
    other = None if against is None else read_score_table(against, (column,), aside=aside)
    notes = _repeated(table)
    if other is not None:
        notes += _repeated(other)
        table, other = in_common([table, other], aside)
    target = _both_kinds(table)
    cuts = [(key, *cut(key, table.texts(key))) for key in by]
    speakers = table.texts("speaker") if "speaker" in table.columns else None
    files = [key[1] for key in table.keys]
    parties = speakers_of(table.texts("model"), table.recordings(), target, speakers, files)
    notes += _of_parties(parties, target)

    progress.begin("resampling speakers", None, "parts")
    llr = table.numbers(column)
    sample = Sample(llr, target, parties.speakers, points)
    overall, curves = perform(sample, draws)
    progress.advance(1)
    conditions = []
    for key, labels, which in cuts:
        for i, label in enumerate(labels):
            chosen = which == i
            conditions.append(_condition(key, label, chosen, llr, target, parties, points, draws))
            progress.advance(1)
    comparison = None
    if other is not None:
        second = Sample(other.numbers(column), target, parties.speakers, points)
        performance, of_second = perform(second, draws)
        eer, cllr, min_cllr, *rest = compare(sample, second, draws)
        k = len(sample.points)
        comparison = Comparison(
            other.path, performance, of_second, eer, cllr, min_cllr, tuple(rest[:k]), tuple(rest[k:])
        )
    progress.end()
    return Evaluation(
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


def evaluate_verify_to_file(
    scores: Path,
    output: Path | None = None,
    *,
    points: Sequence[OperatingPoint] = POINTS,
    by: Sequence[str] = (),
    against: Path | None = None,
    column: str = "score",
    plot: Path | None = None,
    draws: Draws | None = None,
    force: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate as `evaluate_verify` does; write the result and a picture.

    Parameters
    ----------
    output : Path, optional
        The result, JSON; rows set aside are listed beside it.
    plot : Path, optional
        The picture (.png, .svg or .pdf).
    force : bool
        Replace what is there.
    strict : bool
        Raise at the first bad row.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    """
    for path in (output, plot):
        if path is not None:
            check_output(path, force, scores, against)
    if plot is not None:
        from audiogmm.report.picture import check_suffix

        check_suffix(plot)
    aside = Aside(None if output is None else errors_path(output), strict=strict)
    found = evaluate_verify(
        scores,
        points=points,
        by=by,
        against=against,
        column=column,
        draws=draws,
        aside=aside,
        progress=progress,
    )
    if plot is not None:
        from audiogmm.report.det import System, draw_det

        systems = [System(scores.stem, found.overall, found.curves)]
        if found.against is not None and against is not None:
            name = against.stem if against.stem != scores.stem else str(against)
            systems.append(System(name, found.against.performance, found.against.curves))
        draw_det(systems, plot, confidence=found.draws.confidence, force=force)
    if output is not None:
        with replacing(output, force=force) as temporary:
            text = json.dumps(found.content(), ensure_ascii=False, allow_nan=False, indent=1)
            temporary.write_text(text + "\n", encoding="utf-8")
    return replace(found, output=output, picture=plot)


def _condition(
    key: str,
    value: str,
    chosen: BoolArray,
    llr: FloatArray,
    target: BoolArray,
    parties: Parties,
    points: Sequence[OperatingPoint],
    draws: Draws,
) -> Condition:
    """The trials of one condition by themselves, or why they cannot be evaluated."""
    n = int(np.count_nonzero(chosen))
    n_targets = int(np.count_nonzero(target & chosen))
    if n_targets in (0, n):
        return Condition(key, value, n, reason=f"{n_targets} targets among {n} trials")
    sample = Sample(llr[chosen], target[chosen], parties.speakers[chosen], points)
    return Condition(key, value, n, perform(sample, draws)[0])


def _both_kinds(table: ScoreTable) -> BoolArray:
    target = table.targets()
    n_targets = int(np.count_nonzero(target))
    if n_targets in (0, len(target)):
        raise ManifestError(
            f"{table.path} has {n_targets} target and {len(target) - n_targets} nontarget trials",
            needed="trials of both kinds: misses are counted on targets, false alarms on the others",
            remedy="check the column target",
        )
    return target


def _repeated(table: ScoreTable) -> list[str]:
    if not table.n_repeated:
        return []
    rows = "row repeats" if table.n_repeated == 1 else "rows repeat"
    return [f"{table.path}: {table.n_repeated} {rows} an earlier trial with the same score, and count once"]


def _of_parties(parties: Parties, target: BoolArray) -> list[str]:
    notes = []
    if parties.n_unknown:
        notes.append(
            f"{parties.n_unknown} recordings have no target trial, and no column speaker names them: each "
            "counts as a speaker of its own"
        )
    if parties.n_contradictory:
        notes.append(
            f"{parties.n_contradictory} nontarget trials are between a model and a recording that by other "
            "trials are of one speaker: check the column target"
        )
    return notes
