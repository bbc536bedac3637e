"""Fuse the scores of several systems into one calibrated log-likelihood ratio, or calibrate those of one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.verification.common_trials import match_trials
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from audiogmm.evaluation.verification.score_table import ScoreTable, read_score_table
from audiogmm.runs.aside import Aside
from audiogmm.runs.progress import Progress
from audiogmm.types import FloatArray
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.calibration_fitting import RIDGE, fit_calibration
from audiogmm.verification.decision import OperatingPoint
from audiogmm.words import amount


@dataclass(frozen=True, kw_only=True)
class FuseSettings:
    """How scores are fused.

    Parameters
    ----------
    columns : sequence of str
        Columns of scores in each file.
    quality : sequence of str
        Columns of the first system's files that measure the quality of the audio; ``log_NAME`` is the
        logarithm of a column NAME.
    train_prior : float
        Prior probability of a target at which the fusion is to be most accurate, in (0, 1).
    l2 : float
        Weight of the penalty of `fit_calibration`.
    point : OperatingPoint
        Prior and costs of the decisions that are written.
    force : bool
        Overwrite a file that exists.
    strict : bool
        Fail on the first bad row, in place of setting it aside.

    Raises
    ------
    ChoiceError
        If `train_prior` or `l2` is outside its range.
    """

    columns: Sequence[str] = ("score",)
    quality: Sequence[str] = ()
    train_prior: float = 0.1
    l2: float = RIDGE
    point: OperatingPoint = field(default_factory=OperatingPoint)
    force: bool = False
    strict: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.train_prior < 1:
            raise ChoiceError(f"a prior of {self.train_prior}", needed="a probability above 0 and under 1")
        if not self.l2 > 0:
            raise ChoiceError(f"l2={self.l2}", needed="a number above 0")


@dataclass(frozen=True, eq=False)
class FusedScores:
    """Trials with one score for all systems.

    Attributes
    ----------
    table : ScoreTable
        The trials that all systems scored, with the columns and in the order of the first.
    llr : ndarray of shape (n,), float64
        Calibrated log-likelihood ratios, nats.
    calibration : Calibration
        The map that was learned.
    n_training : int
        Trials that it was learned from.
    cllr, min_cllr : float
        Of the training trials after fusion, bits; those of new trials are higher.
    """

    table: ScoreTable
    llr: FloatArray
    calibration: Calibration
    n_training: int
    cllr: float
    min_cllr: float


def fuse_scores(
    scores: Sequence[str | os.PathLike[str]],
    train: Sequence[str | os.PathLike[str]],
    settings: FuseSettings,
    aside: Aside,
    progress: Progress,
) -> FusedScores:
    """Learn a fusion on training trials, and apply it to others.

    Parameters
    ----------
    scores, train : sequence of path-like
        Score files of the systems, and those of training trials, with a column `target`, in the same order.
    settings : FuseSettings
    aside : Aside
        Takes rows that cannot be used, and trials that one of the systems lacks.
    progress : Progress

    Raises
    ------
    ChoiceError
        If the numbers of files differ.
    ManifestError
        If a file cannot be used, training trials are of one kind, or systems have no trial in common.
    """
    if len(scores) != len(train):
        raise ChoiceError(
            f"{amount(len(scores), 'score file')} and {amount(len(train), 'training file')}",
            needed="a training file for each system, in the same order",
            remedy="--train TRAIN_A.csv TRAIN_B.csv",
        )
    # a trial that is fused needs no truth; one that is learned from does
    applied = match_trials(_read(scores, settings, False, aside), aside)
    training = match_trials(_read(train, settings, True, aside), aside)
    for table in (*applied, *training):
        if n := table.n_repeated:
            repeat = "repeats an earlier trial and counts" if n == 1 else "repeat earlier trials and count"
            progress.say(f"{table.path}: {amount(n, 'row')} {repeat} once")
    names = _names(scores, settings.columns)
    target = training[0].targets()
    if target.all() or not target.any():
        kind = "target" if target.all() else "nontarget"
        raise ManifestError(
            f"{training[0].path} has only {kind} trials, {len(target):,} of them",
            needed="trials of both kinds to learn from",
        )
    columns = _columns(training, names, settings)
    calibration = fit_calibration(columns, target, prior=settings.train_prior, l2=settings.l2)
    llr = calibration.apply(columns)
    return FusedScores(
        table=applied[0],
        llr=calibration.apply(_columns(applied, names, settings)),
        calibration=calibration,
        n_training=len(target),
        cllr=cllr(llr[target], llr[~target]),
        min_cllr=min_cllr(llr[target], llr[~target]),
    )


def _read(
    paths: Sequence[str | os.PathLike[str]], settings: FuseSettings, target: bool, aside: Aside
) -> list[ScoreTable]:
    """Read the score files; only the first needs the columns of quality."""
    return [
        read_score_table(
            path, (*settings.columns, *(() if i else settings.quality)), target=target, aside=aside
        )
        for i, path in enumerate(paths)
    ]


def _names(scores: Sequence[str | os.PathLike[str]], columns: Sequence[str]) -> list[list[str]]:
    """Name each column of each system: by the column alone, or by the file and the column."""
    if len(scores) == 1:
        return [list(columns)]
    stems = [Path(path).stem for path in scores]
    files = stems if len(set(stems)) == len(stems) else [str(i + 1) for i in range(len(scores))]
    return [[f"{file}.{column}" for column in columns] for file in files]


def _columns(
    tables: Sequence[ScoreTable], names: Sequence[Sequence[str]], settings: FuseSettings
) -> dict[str, FloatArray]:
    found = {
        name: table.numbers(column)
        for table, own in zip(tables, names, strict=True)
        for name, column in zip(own, settings.columns, strict=True)
    }
    return found | {name: tables[0].numbers(name) for name in settings.quality}
