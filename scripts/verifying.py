"""What recipes of speaker verification share: commands from audio to a DET curve, and cross-fitting."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from commands import Commands, write

from audiogmm.manifest import Entry, read_manifest

FOLD = "fold"
"""Key of a background manifest, and column of a trial list, that names the part of cross-fitting."""


class Recipe(Commands):
    """Trains, enrolls, scores and evaluates.

    Parameters
    ----------
    out : Path
        Folder of all files.
    sample_rate : int
        Hertz of the front end.
    """

    def __init__(self, out: Path, sample_rate: int) -> None:
        super().__init__(out)
        self.sample_rate = sample_rate

    def score(self, background: Path, enrollment: Path, trials: Path, folder: Path) -> Path:
        """Train the background model, enroll and score, with default settings; return the score file."""
        model, known, scores = folder / "ubm.agmm", folder / "known", folder / "scores.csv"
        shutil.rmtree(known, ignore_errors=True)  # from an earlier run
        speech = ("--preset", "speech", "--sample-rate", self.sample_rate)
        self.run("train", background, *speech, "-o", model, "--force")
        self.run("enroll", model, enrollment, "-o", known)
        self.run("verify", known, trials, "-o", scores, "--force")
        return scores

    def cross_fit(self, background: Path, enrollment: Path, trials: Path, folds: Sequence[str]) -> Path:
        """Score the trials of each fold with a background of all other folds; all scores in one file."""
        everybody, people, rows = (
            read_folds(background),
            list(iter(read_manifest(enrollment))),
            read_trials(trials),
        )
        there = sorted({str(row[FOLD]) for row in rows})
        unknown = [fold for fold in folds if fold not in there]
        if unknown:
            sys.exit(f"{trials} has no fold {', '.join(unknown)}, but {', '.join(there)}")
        parts = []
        for fold in folds or there:
            part = self.out / f"fold-{fold}"
            part.mkdir(exist_ok=True)
            chosen = [row for row in rows if row[FOLD] == fold]
            models = {row["model"] for row in chosen}
            write(part / "background.jsonl", (e for e in everybody if str(e.extra[FOLD]) != fold))
            write(part / "enroll.jsonl", (e for e in people if e.speaker in models))
            write_trials(part / "trials.csv", chosen)
            lists = (part / f"{name}" for name in ("background.jsonl", "enroll.jsonl", "trials.csv"))
            parts.append(self.score(*lists, part))
        return joined(parts, self.out / "scores.csv")

    def evaluate(self, scores: Path, by: Iterable[str] = ()) -> None:
        """Print the evaluation of scores, write it as JSON, and draw it where matplotlib is installed."""
        plot = ("--plot", self.out / "det.png") if find_spec("matplotlib") else ()
        conditions = [word for column in by for word in ("--by", column)]
        self.run("evaluate", "verify", scores, *conditions, "-o", self.out / "result.json", *plot, "--force")


def read_folds(manifest: Path) -> list[Entry]:
    """Read a manifest whose every entry names its fold."""
    entries = list(iter(read_manifest(manifest)))
    for entry in entries:
        if FOLD not in entry.extra:
            sys.exit(f"{entry.source} names no {FOLD}, for whose trials it must not be used")
    return entries


def read_trials(path: Path) -> list[dict[str, str]]:
    """Read the rows of a trial list, with absolute paths."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or FOLD not in rows[0]:
        sys.exit(f"{path} has no column {FOLD}")
    for row in rows:
        row["audio_filepath"] = str(path.parent.resolve() / row["audio_filepath"])
    return rows


def write_trials(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write a trial list over an earlier one."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def joined(parts: Sequence[Path], path: Path) -> Path:
    """Concatenate score files with the same columns."""
    lines = [part.read_text(encoding="utf-8").splitlines(keepends=True) for part in parts]
    path.write_text("".join([lines[0][0], *(line for part in lines for line in part[1:])]), encoding="utf-8")
    return path
