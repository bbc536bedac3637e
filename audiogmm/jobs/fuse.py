"""Fuse: several systems' scores as one calibrated log-likelihood ratio, or one system's calibrated."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.score_table import ScoreTable, read_score_table
from audiogmm.evaluation.verification.common_trials import in_common
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from audiogmm.files import replacing
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent
from audiogmm.types import FloatArray, Json
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.calibration_fitting import RIDGE, fit_calibration
from audiogmm.verification.decision import OperatingPoint


@dataclass(frozen=True, eq=False)
class Fused:
    """Trials with one score for all systems.

    Attributes
    ----------
    table : ScoreTable
        The trials that all systems scored, with the columns and in the order of the first.
    llr : ndarray of shape (n,), float64
        Calibrated log-likelihood ratios, nats.
    calibration : Calibration
        What was learnt.
    n_training : int
        Trials that it was learnt from.
    cllr, min_cllr : float
        Of the training trials after fusion, bits; they were fitted, so new trials have more.
    """

    table: ScoreTable
    llr: FloatArray
    calibration: Calibration
    n_training: int
    cllr: float
    min_cllr: float


def fuse(
    scores: Sequence[str | os.PathLike[str]],
    train: Sequence[str | os.PathLike[str]],
    *,
    columns: Sequence[str] = ("score",),
    quality: Sequence[str] = (),
    prior: float = 0.1,
    l2: float = RIDGE,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> Fused:
    """Learn on training trials how to fuse the scores of systems, and fuse those of others.

    Rows are brought together by their trial (model, recording, offset, duration, channel), whatever their
    order. With one system this is calibration.

    Parameters
    ----------
    scores : sequence of path-like
        Score files of the same trials, one a system.
    train : sequence of path-like
        Score files of the same systems on trials with a column `target`, in the same order.
    columns : sequence of str
        Columns of scores in each file.
    quality : sequence of str
        Columns of the first system's files that say how good the audio was, as side information;
        ``log_NAME`` takes the logarithm of a column NAME.
    prior : float
        Where on the scale the fusion has to be right, in (0, 1).
    l2 : float
        Penalty of `fit_calibration`.
    aside : Aside, optional
        Takes rows that cannot be used, and trials that one of the systems lacks; by default the first raises.
    progress : Progress, optional
        Who listens.

    Raises
    ------
    ChoiceError
        If the numbers of files differ, or a setting is out of range.
    ManifestError
        If a file cannot be read, lacks a column, or contradicts itself or another; if the training trials are
        of one kind, or systems have no trial in common.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "t.csv").write_text(
    ...     "model,audio_filepath,target,score\\n"
    ...     "a,1.wav,1,30\\na,2.wav,0,10\\nb,2.wav,1,25\\nb,1.wav,0,15\\n"
    ... )
    >>> _ = (folder / "a.csv").write_text("model,audio_filepath,score\\na,3.wav,29\\na,4.wav,8\\n")
    >>> fused = fuse([folder / "a.csv"], [folder / "t.csv"])
    >>> bool(fused.llr[0] > 4), bool(fused.llr[1] < -4)
    (True, True)
    """
    if len(scores) != len(train):
        raise ChoiceError(
            f"{len(scores)} score files and {len(train)} training files",
            needed="a training file for each system, in the same order",
            remedy="--train TRAIN_A.csv TRAIN_B.csv",
        )
    aside, progress = Aside(strict=True) if aside is None else aside, progress or Silent()
    # to be fused, a trial needs no truth; to be learnt from, it does
    applied = in_common(_read(scores, columns, quality, False, aside), aside)
    taught = in_common(_read(train, columns, quality, True, aside), aside)
    for table in (*applied, *taught):
        if table.n_repeated:
            progress.say(f"{table.path}: {table.n_repeated} rows repeat an earlier trial, and count once")
    names = _names(scores, columns)
    target = taught[0].targets()
    if target.all() or not target.any():
        kinds = "target" if target.all() else "nontarget"
        raise ManifestError(
            f"{taught[0].path} has {kinds} trials only, {len(target)} of them",
            needed="trials of both kinds to learn from",
        )
    learnt = _columns(taught, names, columns, quality)
    calibration = fit_calibration(learnt, target, prior=prior, l2=l2)
    llr = calibration.apply(learnt)
    return Fused(
        table=applied[0],
        llr=calibration.apply(_columns(applied, names, columns, quality)),
        calibration=calibration,
        n_training=len(target),
        cllr=cllr(llr[target], llr[~target]),
        min_cllr=min_cllr(llr[target], llr[~target]),
    )


def _read(
    paths: Sequence[str | os.PathLike[str]],
    columns: Sequence[str],
    quality: Sequence[str],
    target: bool,
    aside: Aside,
) -> list[ScoreTable]:
    """The score files; quality is asked of the first alone, and truth of all that teach."""
    return [
        read_score_table(path, (*columns, *(quality if i == 0 else ())), target=target, aside=aside)
        for i, path in enumerate(paths)
    ]


def _names(scores: Sequence[str | os.PathLike[str]], columns: Sequence[str]) -> list[list[str]]:
    """A name for each column of each system: the column's alone, or the file's and the column's."""
    if len(scores) == 1:
        return [list(columns)]
    stems = [Path(path).stem for path in scores]
    files = stems if len(set(stems)) == len(stems) else [str(i + 1) for i in range(len(scores))]
    return [[f"{file}.{column}" for column in columns] for file in files]


def _columns(
    tables: Sequence[ScoreTable],
    names: Sequence[Sequence[str]],
    columns: Sequence[str],
    quality: Sequence[str],
) -> dict[str, FloatArray]:
    found = {
        name: table.numbers(column)
        for table, own in zip(tables, names, strict=True)
        for name, column in zip(own, columns, strict=True)
    }
    return found | {name: tables[0].numbers(name) for name in quality}


@dataclass(frozen=True)
class FuseResult:
    """What was fused, and where it is."""

    output: Path
    fused: Fused
    point: OperatingPoint
    n_systems: int
    aside: Aside

    def summary(self) -> Json:
        """For `--json`."""
        accepted = int(np.count_nonzero(self.fused.llr >= self.point.threshold))
        return {
            "output": str(self.output),
            "systems": self.n_systems,
            "trials": len(self.fused.table),
            "accepted": accepted,
            "threshold": self.point.threshold,
            "calibration": self.fused.calibration.to_json(),
            "training": {
                "trials": self.fused.n_training,
                "cllr": self.fused.cllr,
                "min_cllr": self.fused.min_cllr,
            },
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        learnt, summary = self.fused.calibration, self.summary()
        what = "calibration of 1 system" if self.n_systems == 1 else f"fusion of {self.n_systems} systems"
        yield (
            f"{what}, learnt from {learnt.n_targets:,} target and {learnt.n_nontargets:,} nontarget trials "
            f"(Cllr {self.fused.cllr:.3f} on them, {self.fused.min_cllr:.3f} at best)"
        )
        terms = [f"{weight:+.4g} x {name}" for name, weight in zip(learnt.names, learnt.weights, strict=True)]
        yield f"score = {' '.join(terms)} {learnt.offset:+.4g}"
        yield (
            f"{summary['trials']:,} trials, {summary['accepted']:,} accepted (scores from "
            f"{self.point.threshold:.2f} on: {self.point})"
        )
        yield f"scores: {self.output}"


def fuse_to_file(
    scores: Sequence[Path],
    train: Sequence[Path],
    output: Path,
    *,
    columns: Sequence[str] = ("score",),
    quality: Sequence[str] = (),
    point: OperatingPoint | None = None,
    train_prior: float = 0.1,
    force: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> FuseResult:
    """Fuse as `fuse` does, and write the scores: the first system's columns, `score` and `decision` anew.

    Raises
    ------
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    check_output(output, force, *scores, *train)
    point, aside = point or OperatingPoint(), Aside(errors_path(output), strict=strict)
    fused = fuse(
        scores, train, columns=columns, quality=quality, prior=train_prior, aside=aside, progress=progress
    )
    kept = [i for i, name in enumerate(fused.table.columns) if name not in ("score", "decision")]
    with (
        replacing(output, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(fused.table.columns[i] for i in kept), "score", "decision"])
        for row, llr in zip(fused.table.rows, fused.llr.tolist(), strict=True):
            decision = "accept" if llr >= point.threshold else "reject"
            writer.writerow([*(row[i] for i in kept), repr(llr), decision])
    return FuseResult(output, fused, point, len(scores), aside)
