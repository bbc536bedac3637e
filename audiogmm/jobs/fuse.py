"""Fuse: several systems' scores as one calibrated log-likelihood ratio, or one system's calibrated."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiogmm.escapes import ESCAPED, guarded
from audiogmm.evaluation.verification.fusion import FusedScores, FuseSettings, fuse_scores
from audiogmm.files import replacing
from audiogmm.keywords import accepts
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.types import Json
from audiogmm.verification.decision import OperatingPoint
from audiogmm.words import amount


@accepts(FuseSettings, without=("point", "force", "strict"), renamed={"prior": "train_prior"})
def fuse(
    scores: Sequence[str | os.PathLike[str]],
    train: Sequence[str | os.PathLike[str]],
    *,
    settings: FuseSettings,
    aside: Aside | None = None,
    progress: Progress | bool | None = None,
) -> FusedScores:
    """Learn on training trials how to fuse the scores of systems, and fuse those of other trials.

    Rows are matched by their trial (model, recording, offset, duration, channel), in whatever order. With one
    system this is calibration.

    Parameters
    ----------
    scores : sequence of path-like
        Score files of the same trials, one a system.
    train : sequence of path-like
        Score files of the same systems on trials with a column `target`, in the same order.
    settings : FuseSettings
        Or its fields as keywords.
    aside : Aside, optional
        Takes rows that cannot be used, and trials that one of the systems lacks; by default the first raises.
    progress : Progress, optional
        Receives notes.

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
    aside = Aside(strict=True) if aside is None else aside
    return fuse_scores(scores, train, settings, aside, progress_of(progress))


@dataclass(frozen=True)
class FuseResult:
    """Fused scores, and the file that they were written to."""

    output: Path
    fused: FusedScores
    point: OperatingPoint
    n_systems: int
    aside: Aside

    @property
    def n_accepted(self) -> int:
        """Trials that are accepted."""
        return int(np.count_nonzero(self.fused.llr >= self.point.threshold))

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.output),
            "systems": self.n_systems,
            "trials": len(self.fused.table),
            "accepted": self.n_accepted,
            "threshold": self.point.threshold,
            "calibration": self.fused.calibration.to_json(),
            "training": {
                "trials": self.fused.n_training,
                "cllr": self.fused.cllr,
                "min_cllr": self.fused.min_cllr,
            },
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        learned = self.fused.calibration
        what = "calibration of 1 system" if self.n_systems == 1 else f"fusion of {self.n_systems} systems"
        targets = amount(learned.n_targets, "target trial")
        yield (
            f"{what}, learned from {targets} and {amount(learned.n_nontargets, 'nontarget trial')} "
            f"(Cllr {self.fused.cllr:.3f} on them, min Cllr {self.fused.min_cllr:.3f})"
        )
        weights = zip(learned.weights, learned.names, strict=True)
        terms = [f"{weight:+.4g} x {name}" for weight, name in weights]
        yield f"score = {' '.join(terms)} {learned.offset:+.4g}"
        yield (
            f"{amount(len(self.fused.table), 'trial')}, {self.n_accepted:,} accepted (scores from "
            f"{self.point.threshold:.2f} on: {self.point})"
        )
        yield f"scores: {self.output}"


@accepts(FuseSettings)
def fuse_to_file(
    scores: Sequence[Path],
    train: Sequence[Path],
    output: Path,
    *,
    settings: FuseSettings,
    progress: Progress | bool | None = None,
) -> FuseResult:
    """Fuse as `fuse` does, and write the scores: the first system's columns, with new `score` and `decision`.

    Raises
    ------
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    check_output(output, settings.force, *scores, *train)
    with set_aside_by(output, settings.strict) as aside:
        fused = fuse_scores(scores, train, settings, aside, progress_of(progress))
        write_fused(fused, settings.point, output, force=settings.force)
        return FuseResult(output, fused, settings.point, len(scores), aside)


def write_fused(fused: FusedScores, point: OperatingPoint, output: Path, *, force: bool) -> None:
    """Write the trials with their fused scores and decisions, as CSV."""
    kept = [i for i, name in enumerate(fused.table.columns) if name not in ("score", "decision")]
    with (
        replacing(output, force=force) as temporary,
        temporary.open("w", encoding="utf-8", errors=ESCAPED, newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(guarded(fused.table.columns[i]) for i in kept), "score", "decision"])
        for row, llr in zip(fused.table.rows, fused.llr.tolist(), strict=True):
            decision = "accept" if llr >= point.threshold else "reject"
            writer.writerow([*(guarded(row[i]) for i in kept), repr(llr), decision])
