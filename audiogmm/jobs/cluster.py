"""Cluster: which component claims which frame, and what does each component sound like?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import numpy as np

from audiogmm.anomaly.learning.model_parts import terms_of
from audiogmm.audio.recording import Recording
from audiogmm.blocks import Shard
from audiogmm.errors import ChoiceError
from audiogmm.files import refuse_overwrite, settle
from audiogmm.jobs.segment_files import (
    SEGMENTS,
    SegmentFiles,
    check_label_format,
    remove_stale_sounds,
    write_sounds,
)
from audiogmm.keywords import accepts
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model, model_from
from audiogmm.reprs import lines_repr
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.journal import Journal
from audiogmm.runs.progress import Progress
from audiogmm.runs.rows import write_rows
from audiogmm.runs.settings import RunSettings
from audiogmm.runs.sources import Source, name_of
from audiogmm.scoring.assignment import ComponentTally
from audiogmm.scoring.assignment_file import AssignmentWriter
from audiogmm.scoring.classes import Classes
from audiogmm.scoring.clustering import Clusterer, ClusterSummary
from audiogmm.scoring.component_segments import ComponentSegment
from audiogmm.scoring.distinctness import measure_distinctness
from audiogmm.scoring.segmentation import INTERRUPTION
from audiogmm.scoring.track_file import is_whole
from audiogmm.types import Json
from audiogmm.words import SOUND, Terms, amount

SHOWN = 12
"""Components in the closing lines."""

COMPONENTS, LABELS = "components.jsonl", "labels"
"""Files in the output: a row for each component; the folder of label files."""


@dataclass(frozen=True, kw_only=True)
class ClusterSettings(RunSettings):
    """How the frames of a manifest are assigned to components.

    Attributes
    ----------
    examples : int
        Segments written for each component, as wav files; at least 0.
    min_posterior : float
        Posteriors below this are left out of the soft assignment, in [0, 1].
    shortest : float, optional
        What interrupts a segment is at least so long, seconds (rows of a table): see `segment_labels`. By
        default 0.2 s, and 0 for the rows of a table, which need not follow each other.
    labels : {"audacity", "rttm", "textgrid", "raven", "birdnet"}, optional
        Write the segments as labels as well, one file a recording.

    Raises
    ------
    ChoiceError
        If one is outside its range.

    Examples
    --------
    >>> ClusterSettings(examples=-1)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: examples=-1; needed: at least 0
    """

    examples: int = 3
    min_posterior: float = 1e-3
    shortest: float | None = None
    labels: str | None = None

    def __post_init__(self) -> None:
        if self.examples < 0:
            raise ChoiceError(f"examples={self.examples}", needed="at least 0")
        if not 0 <= self.min_posterior <= 1:
            raise ChoiceError(f"min_posterior={self.min_posterior}", needed="a probability, 0 to 1")
        if self.shortest is not None and not 0 <= self.shortest < np.inf:
            raise ChoiceError(f"shortest={self.shortest}", needed="a time of at least 0")
        if self.labels is not None:
            check_label_format(self.labels)


@dataclass(frozen=True)
class ClusterTask:
    """Assigns the frames of a recording and writes them; runs in a thread."""

    clusterer: Clusterer
    folder: Path
    files: SegmentFiles
    min_posterior: float

    def __call__(self, shard: Shard) -> Json:
        sums = self.clusterer.zero()
        with AssignmentWriter(self._path(shard.id), self.min_posterior) as writer:
            path = shard.entry.original_path if isinstance(shard, Recording) else ""
            self.files.write(shard.id, self.clusterer.segments(shard, sums, writer.write), path)
        return {"id": shard.id, **sums.to_json(), "files": self.files.hashes(shard.id)}

    def is_made(self, row: Json) -> bool:
        """Return whether all that an earlier run wrote of a recording is there, and whole."""
        try:
            self.clusterer.zero().restored(row["id"], row)
            return is_whole(self._path(row["id"])) and self.files.are_made(row["id"], row["files"])
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return False

    def _path(self, id: str) -> Path:
        return self.folder / f"{id}.npz"


@dataclass
class ClusterResult:
    """What a clustering run found."""

    folder: Path
    source: str
    aside: Aside
    sums: ClusterSummary
    terms: Terms = SOUND
    noun: tuple[str, str] = ("component", "components")
    rows: list[Json] = field(default_factory=list)
    recordings: int = 0
    sounds: int = 0
    labels: str | None = None

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.sums.n_frames,
            self.noun[1]: len(self.rows),
            "segments": self.sums.n_segments,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines: the most distinct components first."""
        frames, recordings = self.terms.frames(self.sums.n_frames), self.terms.recordings(self.recordings)
        segments = amount(self.sums.n_segments, "segment")
        yield f"{frames} of {recordings} among {amount(len(self.rows), *self.noun)}, in {segments}"
        width = max([len(self.noun[0]), *(len(row["label"]) for row in self.rows[:SHOWN])])
        yield f"{self.noun[0]:<{width}}  distinct (nats)  weight  mean posterior  typical segment"
        for row in self.rows[:SHOWN]:
            example = row["segments"][0] if row["segments"] else None
            typical = (
                f"{example['id']}: {self.terms.span(example['start'], example['end'])}" if example else "none"
            )
            sure, distinct = (
                "-" if row[key] is None else f"{row[key]:.{digits}f}"
                for key, digits in (("mean_posterior", 3), ("distinctness", 2))
            )
            yield f"{row['label']:<{width}}  {distinct:>15}  {row['weight']:6.3f}  {sure:>14}  {typical}"
        if len(self.rows) > SHOWN:
            yield f"and {len(self.rows) - SHOWN:,} more, less distinct"
        written = ["assignments", COMPONENTS, SEGMENTS]
        written += ["labels"] if self.labels else []
        written += ["sounds"] if self.sounds else []
        yield f"{', '.join(written[:-1])} and {written[-1]}: {self.folder}"
        if self.labels == "audacity":
            same = ", with the --preset of this model" if self.terms.unit else ""
            folder, source = quote(str(self.folder / LABELS)), quote(self.source)
            yield f"to make classes of them: edit the labels in {folder} (in Audacity), then{same}"
            yield f"  audiogmm train {source} --label {folder} -o classes.agmm"


@accepts(ClusterSettings)
def cluster_to_folder(
    model: Model | str | os.PathLike[str],
    source: Source,
    output: Path,
    *,
    settings: ClusterSettings,
    progress: Progress | bool | None = None,
) -> ClusterResult:
    """Assign every frame of a manifest, and write what each component, or class, sounds like.

    Writes `<id>.npz` a recording (`component`, `posterior`, `entropy`, `times`, `voiced`, and the soft
    assignment `soft_start`, `soft_component`, `soft_posterior` as a sparse matrix); `components.jsonl`, the
    most distinct ones first (`distinctness`); `segments.csv` with every segment; `labels/<id>.txt` where
    labels are asked for; and `sounds/<label>/<rank>-<id>.wav`, the most typical and the longest segments.
    Segments of a model with classes are those of its classes.

    Raises
    ------
    OutputError
        If the folder holds something already (and neither `force` nor `resume`), or cannot be written.
    """
    loaded = model_from(model)
    terms, classes = terms_of(loaded), Classes.of(loaded)
    clusters = Classes.of_model(loaded)
    shortest = settings.shortest if settings.shortest is not None else INTERRUPTION if terms.unit else 0.0
    clusterer = Clusterer(Evaluator(loaded.mixture), clusters, shortest, max(settings.examples, 2))
    noun = ("component", "components") if classes is None else ("class", "classes")
    key = f"{loaded.fingerprint} {clusters.to_json()} {shortest} {settings.key}"
    journal = Journal(output, key=key, resume=settings.resume, retry=settings.retry)
    refuse_overwrite(output, settings.replaces or (settings.resume and journal.can_resume))
    journal.check()
    result = ClusterResult(
        output, name_of(source), Aside(), clusterer.zero(), terms, noun, labels=settings.labels
    )
    with Batch(output, settings, progress) as batch:
        result.aside = batch.aside
        inputs = batch.open(loaded, source)
        labels = None if settings.labels is None else output / LABELS
        files = SegmentFiles(output, clusters.names, labels, settings.labels or "audacity", settings.retry)
        files.begin(goes_on=settings.resume or settings.retry)
        task = ClusterTask(clusterer, output, files, settings.min_posterior)
        for row in batch.map("clustering", inputs, task, journal, is_made=task.is_made):
            batch.advance(row["seconds"])
        ids: list[str] = []
        for row in journal.rows():
            ids.append(row["id"])
            result.sums.add(clusterer.zero().restored(row["id"], row))
        files.collect(ids)
        result.recordings = len(ids)
        sounds = write_sounds(result.sums, clusters, settings.examples, inputs, output / "sounds")
        result.sounds = len(sounds)
        remove_stale_sounds(output / "sounds", clusters, set(ids), sounds)
        found = cluster_rows(loaded, classes, result.sums.tally)
        for number, row in enumerate(found):
            row["segments"] = [segment_row(each, sounds) for each in result.sums.examples(number)]
        # the most distinct first, those without a frame last
        result.rows = sorted(found, key=lambda row: (not row["frames"], -(row["distinctness"] or 0.0)))
        write_rows(result.rows, output / COMPONENTS, force=True)
        files.end()
        settle(output)
    return result


def cluster_rows(model: Model, classes: Classes | None, tally: ComponentTally) -> list[Json]:
    """Return a row for each component, or for each class."""

    def number(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    clusters = Classes.of_model(model)
    distinct = measure_distinctness(model.mixture, clusters.groups)
    weights, means = clusters.sums(model.weights[None])[0], clusters.means(model.mixture)
    return [
        {
            **({"component": k} if classes is None else {"class": name, "components": clusters.sizes[k]}),
            "label": name,
            "distinctness": number(distinct[k]),
            "weight": float(tally.weights[k]),
            "model_weight": float(weights[k]),
            "frames": int(tally.hard[k]),
            "mean_posterior": number(tally.mean_posterior[k]),
            "entropy": number(tally.mean_entropy[k]),
            "mean": means[k].tolist(),
            **({"columns": model.metadata.columns} if model.metadata.columns else {}),
        }
        for k, name in enumerate(clusters.names)
    ]


def segment_row(found: ComponentSegment, sounds: Mapping[ComponentSegment, Json]) -> Json:
    """Return what the row of a component says of one of its segments."""
    return {
        "id": found.id,
        "start": found.segment.start,
        "end": found.segment.end,
        "frames": found.n_frames,
        "mean_posterior": found.mean_posterior,
        **sounds.get(found, {}),
    }


@accepts(ClusterSettings)
def cluster(
    model: Model | str | os.PathLike[str],
    source: Source,
    output: str | os.PathLike[str],
    *,
    settings: ClusterSettings,
    progress: Progress | bool | None = None,
) -> ClusterResult:
    """Assign every frame of some recordings to the components of a model, and write what each sounds like.

    Parameters
    ----------
    model : Model or path-like
    source : Source
        A manifest, or one recording.
    output : path-like
        A folder for the assignments, a table of the components and their sounds.
    settings : ClusterSettings
        Or its fields as keywords.
    progress : Progress, optional
        Receives stages and notes.

    Returns
    -------
    ClusterResult
        `rows` has a dict for each component, `lines()` the same for a person.

    Raises
    ------
    MismatchError
        If the recordings do not fit the model.
    OutputError
        If the folder holds something already (and not `force`), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> for name in ("a", "b", "c"):
    ...     soundfile.write(folder / f"{name}.wav", 0.05 * random.standard_normal(32000), 16000)
    >>> model = ag.train(ag.scan(folder), "kaldi", n_components=2)
    >>> found = ag.cluster(model, folder / "a.wav", folder / "clusters", examples=1)
    >>> len(found.rows), round(sum(row["weight"] for row in found.rows), 6)
    (2, 1.0)
    """
    return cluster_to_folder(model, source, Path(output), settings=settings, progress=progress)
