"""Inspect: from two folders of recordings to the anomalies in one of them, by the other verbs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.files import exclusive, refuse_overwrite
from audiogmm.jobs.detect import DetectResult, detect_to_file
from audiogmm.jobs.manifests import scan_folder
from audiogmm.jobs.report import report
from audiogmm.jobs.score import ScoreResult, score_to_folder
from audiogmm.jobs.trained_files import TrainResult, train_to_file
from audiogmm.manifest.scan import find_recordings
from audiogmm.reporting.figure import can_draw
from audiogmm.reprs import lines_repr
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.types import Json

WRITTEN = ("normal.jsonl", "new.jsonl", "model.agmm", "scores", "events.jsonl", "severest.png", "report.html")
"""What is written to the output."""

UNFINISHED = ".unfinished"
"""A file in the output until all is written: what a run that failed or was stopped leaves is overwritten."""


@dataclass(frozen=True)
class InspectResult:
    """What was found in a folder, and the files that were written.

    Attributes
    ----------
    folder : Path
        Takes all that is written.
    trained, scored, detected : TrainResult, ScoreResult, DetectResult
        Of the three runs.
    page : Path or None
        The page of the events; None without the extra `plot`.
    """

    folder: Path
    trained: TrainResult
    scored: ScoreResult
    detected: DetectResult
    page: Path | None

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        steps = {
            "train": self.trained.summary(),
            "score": self.scored.summary(),
            "detect": self.detected.summary(),
        }
        aside = {name: step.get("set_aside") or 0 for name, step in steps.items()}
        errors = next((steps[name].get("errors") for name, n in aside.items() if n), None)
        return {
            "output": str(self.folder),
            "page": None if self.page is None else str(self.page),
            "set_aside": aside["train"] + max(aside["score"], aside["detect"]),
            "errors": errors,
            **steps,
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        yield from self.detected.lines()
        yield f"manifests, model, tracks and events: {self.folder}"
        if self.page is not None:
            yield f"look at, and listen to: {self.page}"
        else:
            yield "a page to look at and to listen to needs the extra `plot`: pip install 'audiogmm[plot]'"


def inspect(
    normal: str | os.PathLike[str],
    new: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> InspectResult:
    """Train on a folder of normal recordings, find what is anomalous in another, and make a page of it.

    It scans both folders, trains with the preset `ambient`, scores, detects and reports, each with its
    default settings.

    Parameters
    ----------
    normal : path-like
        Recordings of how it should sound, in this folder and those below it.
    new : path-like
        Recordings to look for anomalies in.
    output : path-like
        Folder for normal.jsonl, new.jsonl, model.agmm, scores, events.jsonl and report.html.
    force : bool
        Overwrite what is there.
    progress : Progress, optional
        Receives stages and notes.

    Raises
    ------
    ManifestError
        If a folder does not exist, or holds no recording.
    OutputError
        If a file exists (and not `force`), except those of a run that failed or was stopped; or cannot be
        written.
    KeyboardInterrupt
        On Ctrl-C; the same call starts again.
    TrainingError
        If the normal recordings cannot make a model.

    Examples
    --------
    >>> import audiogmm as ag
    >>> ag.inspect("recordings/normal", "recordings/today", "inspected").page  # doctest: +SKIP
    PosixPath('inspected/report.html')
    """
    progress = progress_of(progress)
    normal, new, output = Path(normal), Path(new), Path(output)
    for folder in (normal, new):
        next(find_recordings(folder))  # or it is refused before anything is written
    unfinished = output / UNFINISHED
    with exclusive(unfinished, output):
        force = force or unfinished.exists()
        for name in WRITTEN:
            refuse_overwrite(output / name, force)
        unfinished.touch()
        try:
            result = _inspect(normal, new, output, force, progress)
        except KeyboardInterrupt as stopped:
            raise KeyboardInterrupt(f"{output} is not whole; the same command starts again") from stopped
        unfinished.unlink()
    return result


def _inspect(normal: Path, new: Path, output: Path, force: bool, progress: Progress) -> InspectResult:
    lists = output / "normal.jsonl", output / "new.jsonl"
    for folder, manifest in zip((normal, new), lists, strict=True):
        scan_folder(folder, manifest, force=force, progress=progress)
    model, events = output / "model.agmm", output / "events.jsonl"
    shared = {"force": force, "progress": progress}
    trained = train_to_file(str(lists[0]), model, FrontEnd.preset("ambient"), **shared)
    scored = score_to_folder(model, str(lists[1]), output / "scores", **shared)
    picture = output / "severest.png" if can_draw() else None
    detected = detect_to_file(model, str(lists[1]), events, plot=picture, **shared)
    page = report(events, output / "report.html", **shared).output if can_draw() else None
    return InspectResult(output, trained, scored, detected, page)
