"""Score recordings: how likely is every frame?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.anomaly.learning.assembly import make_evaluators, make_scorer
from audiogmm.anomaly.learning.model_parts import score_names, scores_fingerprint, terms_of
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.table import PLAIN, score_unit
from audiogmm.anomaly.scorers.track import score_recording, scored_blocks
from audiogmm.audio.recording import Recording
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import ChoiceError
from audiogmm.files import refuse_overwrite, settle
from audiogmm.keywords import accepts
from audiogmm.mixture.store import load, model_from
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.inputs import open_inputs
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress, log_note
from audiogmm.runs.rows import read_ids, write_rows
from audiogmm.runs.settings import OF_FILES, OF_PROCESSES, RunSettings
from audiogmm.runs.sources import Source, is_one
from audiogmm.scoring.classification import Classifier, ClassSums
from audiogmm.scoring.likelihood import score_blocks, score_shard
from audiogmm.scoring.track_file import SUFFIXES, TrackWriter, is_whole
from audiogmm.types import FloatArray, Json
from audiogmm.words import SOUND, Terms

if TYPE_CHECKING:
    from audiogmm.mixture.store import AnyModel, Model

SUMMARY = "summary.jsonl"
"""The file in the output with a row for each recording."""


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(RunSettings):
    """How the recordings of a manifest are scored.

    Attributes
    ----------
    against : Path or None
        Background model: scores are then log-likelihood ratios.
    detector : bool
        Score as the model's detector does, in place of log-likelihoods.
    format : {"npz", "csv"}
        Of the tracks.

    Raises
    ------
    ChoiceError
        If both `against` and `detector` are given, or there is no such format.

    Examples
    --------
    >>> ScoreSettings(format="wav")
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: format='wav'; needed: one of npz, csv
    """

    against: Path | None = None
    detector: bool = False
    format: str = "npz"

    def __post_init__(self) -> None:
        refuse_both(self.against, self.detector)
        if f".{self.format}" not in SUFFIXES:
            known = ", ".join(suffix[1:] for suffix in SUFFIXES)
            raise ChoiceError(f"format={self.format!r}", needed=f"one of {known}")


@accepts(ScoreSettings, without=(*OF_FILES, *OF_PROCESSES, "against", "format"))
def score(
    model: AnyModel, source: Source, against: AnyModel | None = None, *, settings: ScoreSettings
) -> Any:  # ScoreTrack of one recording, list of ScoreTrack of several
    """Score one recording, or each of several, frame by frame.

    Parameters
    ----------
    model : Model or path-like
        With the front end that it was trained through.
    source : Source
        A recording or a table: an `Entry`, a path, ``(samples, sample_rate)``, a data frame; or several: a
        list, a manifest. See `audiogmm.runs.sources.entries_from`.
    against : Model or path-like, optional
        Background model: the scores are then log-likelihood ratios.
    settings : ScoreSettings
        Or its fields as keywords.

    Returns
    -------
    ScoreTrack or list of ScoreTrack
        A finite score, in nats (a detector's in its own unit), for every frame; a list of several recordings.

    Raises
    ------
    AudioFileError, AudioDataError, FeatureError
        If the recording cannot be used.
    MismatchError
        If it does not fit the model, or the two models have different front ends.
    ChoiceError
        If both `against` and `detector` are given.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> hum = [(0.05 * random.standard_normal(32000), 16000) for _ in range(4)]
    >>> model = ag.train(hum, "ambient", n_components=2)
    >>> track = ag.score(model, hum[0])
    >>> track.scores.shape, track.times[:2], len(ag.score(model, hum))
    ((198,), array([0.0125, 0.0225]), 4)
    """
    refuse_both(against, settings.detector)
    model, against = model_from(model), None if against is None else model_from(against)
    inputs = open_inputs(
        source,
        model=model,
        aside=Aside(strict=True),
        say=log_note,
        upsample=settings.upsample,
        choice=settings.choice,
    )
    if settings.detector:
        scorer = make_scorer(model)
        about: Json = {"unit": score_unit(score_names(model)), "terms": terms_of(model)}
        tracks = [
            replace(score_recording(scorer, recording), recording=recording.entry, **about)
            for recording in inputs
        ]
    else:
        evaluator, background = make_evaluators(model, against)
        about = {"unit": terms_of(model).of("nats a frame"), "terms": terms_of(model)}
        tracks = [
            replace(score_shard(evaluator, recording, background), recording=recording.entry, **about)
            for recording in inputs
        ]
    return tracks[0] if len(tracks) == 1 and is_one(source) else tracks


def refuse_both(against: object, detector: bool) -> None:
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

    score: Callable[[Shard], Iterator[tuple[FrameBlock, FloatArray]]]
    folder: Path
    format: str
    classifier: Classifier | None = None  # of a model with classes

    @classmethod
    def of(cls, model: Model, background: Model | None, folder: Path, settings: ScoreSettings) -> ScoreTask:
        """Return what scores by a model, by its ratio to a background model, or as its detector does."""
        classifier = None if model.metadata.classes is None else Classifier(model)
        if settings.detector:
            return cls(partial(detector_scores, make_scorer(model)), folder, settings.format, classifier)
        evaluator, against = make_evaluators(model, background)
        return cls(partial(score_blocks, evaluator, against=against), folder, settings.format, classifier)

    def path(self, id: str) -> Path:
        """Return the file of a recording's track."""
        return self.folder / f"{id}.{self.format}"

    def is_made(self, row: Json) -> bool:
        """Return whether the track of a recording is there, and whole."""
        return is_whole(self.path(row["id"]))

    def __call__(self, shard: Shard) -> Json:
        classes = None if self.classifier is None else ClassSums(self.classifier)
        with TrackWriter(self.path(shard.id), shard.id, force=True) as writer:
            for block, scores in self.score(shard):
                writer.write(block, scores)
                if classes is not None:
                    classes.push(block)
            writer.names = shard.row_names() if isinstance(shard, Recording) else None
        row = writer.summary.to_dict()
        return row if classes is None else row | classes.result(shard.id).to_json()


def detector_scores(scorer: FrameScorer, shard: Shard) -> Iterator[tuple[FrameBlock, FloatArray]]:
    """Yield each block of a recording with what a detector scores its frames by."""
    for block, scored in scored_blocks(scorer, shard):
        yield block, scored.scores


@dataclass
class ScoreResult:
    """What a scoring run did."""

    folder: Path
    aside: Aside
    unit: str
    terms: Terms = SOUND
    recordings: int = 0
    frames: int = 0
    scored: int = 0
    total: float = 0.0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, row: Json) -> Json:
        """Count the summary row of one recording, and return it."""
        self.recordings += 1
        self.frames += row["frames"]
        if "label" in row:
            self.labels[row["label"]] += 1
        if row["mean"] is not None:
            scored = row["voiced"] or row["frames"]
            self.scored += scored
            self.total += scored * row["mean"]
        return row

    @property
    def mean(self) -> float | None:
        """Mean score of the voiced frames, nats."""
        return self.total / self.scored if self.scored else None

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.frames,
            "mean": self.mean,
            "unit": self.unit,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        mean = "" if self.mean is None else f", {self.mean:.3f} {self.terms.of(self.unit)} on average"
        recordings, frames = self.terms.recordings(self.recordings), self.terms.frames(self.frames)
        yield f"scored {recordings} ({frames}{mean})"
        if self.labels:
            counts = ", ".join(f"{n:,} {label}" for label, n in sorted(self.labels.items()))
            yield f"{self.terms.recording}s by class: {counts}"
        yield f"tracks and {SUMMARY}: {self.folder}"


@accepts(ScoreSettings)
def score_to_folder(
    model: Path,
    source: str,
    output: Path,
    *,
    settings: ScoreSettings,
    progress: Progress | bool | None = None,
) -> ScoreResult:
    """Score every recording of a manifest: a track each, and a summary row each.

    Raises
    ------
    OutputError
        If the folder holds something already (and neither `force` nor `resume`), or cannot be written.
    AudioGMMError
        The first bad recording's, if `strict`.
    """
    keep_apart(output, source)
    loaded = load(model)
    background = None if settings.against is None else load(settings.against)
    key = f"{loaded.fingerprint} {background.fingerprint if background else ''} {settings.format}"
    key += settings.choice.key
    if settings.detector:
        key += f" detector {scores_fingerprint(loaded)}"
    journal = Journal(output, key=key, resume=settings.resume, retry=settings.retry)
    refuse_overwrite(output, settings.replaces or (settings.resume and journal.can_resume))
    journal.check()
    with Batch(output, settings, progress) as batch:
        inputs = batch.open(loaded, source)
        task = ScoreTask.of(loaded, background, output, settings)
        unit = score_unit(score_names(loaded) if settings.detector else [PLAIN])
        result = ScoreResult(output, batch.aside, unit, terms_of(loaded))
        for row in batch.map("scoring", inputs, task, journal, is_made=task.is_made):
            note = "" if row["mean"] is None else f"{row['mean']:.2f} {result.unit}"
            batch.advance(row["duration"], note)
        settle(output)
        before = read_ids(output / SUMMARY)
        write_rows(map(result.add, journal.rows()), output / SUMMARY, force=True)
        remove_stale(output, before)
    return result


def remove_stale(output: Path, before: set[str]) -> None:
    """Remove the tracks that an earlier summary listed and this one does not."""
    for id in before - read_ids(output / SUMMARY) if before else ():
        for suffix in SUFFIXES:
            (output / f"{id}{suffix}").unlink(missing_ok=True)
