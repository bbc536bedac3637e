"""Score recordings: how likely is every frame?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.from_model import make_scorer
from audiogmm.anomaly.learning.likelihood_ratio import make_evaluators
from audiogmm.anomaly.learning.scores import PLAIN, score_names, scores_fingerprint, unit_of_scores
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.track import score_recording, scored_blocks
from audiogmm.blocks import Shard
from audiogmm.errors import ChoiceError
from audiogmm.files import refuse_overwrite
from audiogmm.mixture.store import load
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import inputs_for
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress, Silent, say_nothing
from audiogmm.runs.rows import read_ids, write_rows
from audiogmm.scoring.likelihood import score as score_shard
from audiogmm.scoring.likelihood import score_blocks
from audiogmm.scoring.track import SUFFIXES, ScoreTrack, TrackWriter
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.mixture.store import Model


def score(
    model: Model,
    entry: Entry,
    against: Model | None = None,
    *,
    detector: bool = False,
    upsample: bool = False,
) -> ScoreTrack:
    """Score one recording, frame by frame.

    Parameters
    ----------
    model : Model
        With the front end that it was trained through.
    entry : Entry
        The recording, or a piece of it.
    against : Model, optional
        Background model: the scores are then log-likelihood ratios.
    detector : bool
        Score as the model's detector does (`train --scores`), in place of log-likelihoods.
    upsample : bool
        Accept audio below the model's sample rate.

    Returns
    -------
    ScoreTrack
        A finite score, in nats (a detector's in its own unit), for every frame.

    Raises
    ------
    AudioFileError, AudioDataError, FeatureError
        If the recording cannot be used.
    MismatchError
        If it does not fit the model, or the two models have different front ends.
    ChoiceError
        If both `against` and `detector` are given.
    """
    check_one(against, detector)
    recording = next(
        iter(inputs_for(model, [entry], aside=Aside(strict=True), say=say_nothing, upsample=upsample))
    )
    if detector:
        return score_recording(make_scorer(model), recording)
    evaluator, background = make_evaluators(model, against)
    return score_shard(evaluator, recording, background)


def check_one(against: object, detector: bool) -> None:
    """Refuse a background model beside a detector's own scores.

    Raises
    ------
    ChoiceError
        If both are given.
    """
    if against is not None and detector:
        raise ChoiceError(
            "a background model and the detector's own scores",
            needed="one of them",
            remedy="calibrate --scores ratio --against UBM makes ratios the detector's own",
        )


@dataclass(frozen=True)
class ScoreTask:
    """Scores a recording into its file; runs in a thread or a worker process."""

    evaluator: Evaluator
    against: Evaluator | None
    folder: Path
    suffix: str

    def made(self, id: str) -> bool:
        """Whether the track of a recording is there."""
        return (self.folder / f"{id}{self.suffix}").exists()

    def __call__(self, shard: Shard) -> Json:
        with TrackWriter(self.folder / f"{shard.id}{self.suffix}", shard.id, force=True) as writer:
            for block, scores in score_blocks(self.evaluator, shard, self.against):
                writer.write(block, scores)
        return writer.summary.to_dict()


@dataclass(frozen=True)
class DetectorScoreTask:
    """Scores a recording into its file as the detector does; runs in a thread or a worker process."""

    scorer: FrameScorer
    folder: Path
    suffix: str

    def made(self, id: str) -> bool:
        """Whether the track of a recording is there."""
        return (self.folder / f"{id}{self.suffix}").exists()

    def __call__(self, shard: Shard) -> Json:
        with TrackWriter(self.folder / f"{shard.id}{self.suffix}", shard.id, force=True) as writer:
            for block, scored in scored_blocks(self.scorer, shard):
                writer.write(block, scored.scores)
        return writer.summary.to_dict()


@dataclass
class ScoreResult:
    """What a scoring run did."""

    folder: Path
    aside: Aside
    recordings: int = 0
    frames: int = 0
    scored: int = 0
    total: float = 0.0
    unit: str = "nats a frame"

    def add(self, row: Json) -> None:
        """Count the summary row of one recording."""
        self.recordings += 1
        self.frames += row["frames"]
        if row["mean"] is not None:
            scored = row["voiced"] or row["frames"]
            self.scored += scored
            self.total += scored * row["mean"]

    @property
    def mean(self) -> float | None:
        """Mean score of the voiced frames, nats."""
        return self.total / self.scored if self.scored else None

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.frames,
            "mean": self.mean,
            "unit": self.unit,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        mean = "" if self.mean is None else f", {self.mean:.3f} {self.unit} on average"
        yield f"scored {amount(self.recordings, 'recording')} ({amount(self.frames, 'frame')}{mean})"
        yield f"tracks and summary.jsonl: {self.folder}"


def score_to_folder(
    model: Path,
    source: str,
    output: Path,
    *,
    against: Path | None = None,
    detector: bool = False,
    format: str = "npz",
    upsample: bool = False,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> ScoreResult:
    """Score every recording of a manifest: a track each, and a summary row each.

    Raises
    ------
    OutputError
        If the folder holds something already (and neither `force` nor `resume`), or cannot be written.
    AudioGMMError
        The first bad recording's, if `strict`.
    """
    from audiogmm.reduce import LocalReducer

    progress = progress or Silent()
    check_one(against, detector)
    keep_apart(output, source)
    loaded = load(model)
    background = None if against is None else load(against)
    key = f"{loaded.fingerprint} {background.fingerprint if background else ''} {format}"
    if detector:
        key += f" detector {scores_fingerprint(loaded)}"
    journal = Journal(output / "summary.jsonl", key=key, resume=resume)
    refuse_overwrite(output, force or (resume and journal.can_resume))
    aside = Aside(errors_path(output), strict=strict)
    inputs = inputs_for(loaded, source, aside=aside, say=progress.say, upsample=upsample, again=workers > 0)
    task: ScoreTask | DetectorScoreTask
    if detector:
        task = DetectorScoreTask(make_scorer(loaded), output, f".{format}")
    else:
        task = ScoreTask(*make_evaluators(loaded, background), output, f".{format}")
    output.mkdir(parents=True, exist_ok=True)
    result = ScoreResult(output, aside, unit=unit_of_scores(score_names(loaded) if detector else [PLAIN]))
    extent = inputs.extent()
    progress.begin("scoring", extent.total, extent.unit)
    with (
        journal,
        LocalReducer(threads, workers) as reducer,
    ):
        for row in reducer.map(journal.waiting(inputs, task.made), task, inputs.refuse):
            journal.write(row)
            note = "" if row["mean"] is None else f"{row['mean']:.2f} {result.unit}"
            progress.advance(extent.part(row["duration"]), note)
        before = read_ids(output / "summary.jsonl")
        write_rows(_counted(journal.rows(), result), output / "summary.jsonl", force=True)
        remove_stale(output, before)
    progress.end()
    return result


def remove_stale(output: Path, before: set[str]) -> None:
    """Remove the tracks that an earlier summary listed and this one does not: nobody would know whose."""
    for id in before - read_ids(output / "summary.jsonl") if before else ():
        for suffix in SUFFIXES:
            (output / f"{id}{suffix}").unlink(missing_ok=True)


def _counted(rows: Iterator[Json], result: ScoreResult) -> Iterator[Json]:
    for row in rows:
        result.add(row)
        yield row
