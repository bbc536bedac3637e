"""Cluster: which component claims which frame, and what does each component sound like?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.anomaly.learning.model_parts import terms_of
from audiogmm.audio.decode import open_audio
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.files import refuse_overwrite, replacing
from audiogmm.keywords import accepts
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model, load
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress, say_nothing, stopped_by_hand
from audiogmm.runs.rows import write_rows
from audiogmm.runs.settings import RunSettings
from audiogmm.scoring.assignment import Assignment, ComponentTally, assign
from audiogmm.scoring.assignment_file import AssignmentWriter
from audiogmm.scoring.component_segments import ComponentSegment, StrongestSegments, find_segments
from audiogmm.timeline import Segment
from audiogmm.types import Json, Seconds
from audiogmm.words import SOUND, Terms, amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

CONTEXT: Seconds = 0.25
"""Sound before and after a segment that is written as a wav file."""

SHOWN = 12
"""Components in the closing lines."""


@dataclass(frozen=True, kw_only=True)
class ClusterSettings(RunSettings):
    """How the frames of a manifest are assigned to components.

    Attributes
    ----------
    examples : int
        Segments written for each component, as wav files; at least 0.
    min_posterior : float
        Posteriors below this are left out of the soft assignment, in [0, 1].

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

    def __post_init__(self) -> None:
        if self.examples < 0:
            raise ChoiceError(f"examples={self.examples}", needed="at least 0")
        if not 0 <= self.min_posterior <= 1:
            raise ChoiceError(f"min_posterior={self.min_posterior}", needed="a probability, 0 to 1")


@dataclass(frozen=True)
class RecordingClusters:
    """How the frames of one recording are assigned."""

    frames: int
    seconds: Seconds
    tally: ComponentTally
    claims: StrongestSegments


@dataclass(frozen=True)
class ClusterTask:
    """Assigns the frames of a recording and writes them; runs in a thread."""

    evaluator: Evaluator
    n_components: int
    folder: Path
    settings: ClusterSettings

    def nothing(self) -> tuple[ComponentTally, StrongestSegments]:
        """Return the tally and the claims of no frames."""
        K = self.n_components
        return ComponentTally.zero(K), StrongestSegments(K, max(self.settings.examples, 1))

    def __call__(self, shard: Shard) -> RecordingClusters:
        tally, strongest = self.nothing()
        seconds = 0.0
        with AssignmentWriter(self.folder / f"{shard.id}.npz", self.settings.min_posterior) as writer:

            def each() -> Iterator[Assignment]:
                nonlocal seconds, tally
                for found in assign(self.evaluator, shard):
                    last = found.start + len(found.labels) - 1
                    seconds = found.clock.end(last) - found.clock.start(0)
                    tally = tally + ComponentTally.of(found)
                    writer.write(found)
                    yield found

            for claim in find_segments(shard.id, each()):
                strongest.add(claim)
        return RecordingClusters(writer.n_frames, seconds, tally, strongest)


@dataclass
class ClusterResult:
    """What a clustering run found."""

    folder: Path
    aside: Aside
    terms: Terms = SOUND
    rows: list[Json] = field(default_factory=list)
    recordings: int = 0
    frames: int = 0
    sounds: int = 0

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.frames,
            "components": len(self.rows),
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines: the heaviest components first."""
        frames, recordings = self.terms.frames(self.frames), self.terms.recordings(self.recordings)
        yield f"{frames} of {recordings} among {amount(len(self.rows), 'component')}"
        yield "component  weight  mean posterior  entropy (nats)  longest stretch"
        for row in sorted(self.rows, key=lambda row: -row["weight"])[:SHOWN]:
            example = row["segments"][0] if row["segments"] else None
            stretch = f"{example['id']} at {self.terms.moment(example['start'])}" if example else "none"
            sure = "-" if row["mean_posterior"] is None else f"{row['mean_posterior']:.3f}"
            entropy = "-" if row["entropy"] is None else f"{row['entropy']:.3f}"
            yield f"{row['component']:9d}  {row['weight']:6.3f}  {sure:>14}  {entropy:>14}  {stretch}"
        if len(self.rows) > SHOWN:
            yield f"and {len(self.rows) - SHOWN:,} more"
        written = (
            "assignments, components.jsonl and sounds" if self.sounds else "assignments and components.jsonl"
        )
        yield f"{written}: {self.folder}"


@accepts(ClusterSettings)
def cluster_to_folder(
    model: Model | str | os.PathLike[str],
    source: str | os.PathLike[str],
    output: Path,
    *,
    settings: ClusterSettings,
    progress: Progress | bool | None = None,
) -> ClusterResult:
    """Assign every frame of a manifest, and write what each component sounds like.

    Writes `<id>.npz` a recording (`component`, `posterior`, `entropy`, `times`, `voiced`, and the soft
    assignment `soft_start`, `soft_component`, `soft_posterior` as a sparse matrix), `components.jsonl`,
    and `sounds/<component>/<rank>-<id>.wav`.

    Raises
    ------
    OutputError
        If the folder holds something already (and not `force`), or cannot be written.
    """
    refuse_overwrite(output, settings.force)
    loaded = model if isinstance(model, Model) else load(model)
    unfinished = stopped_by_hand(f"{output} is not whole; the same command with --force starts again")
    with Batch(output, settings, progress) as batch:
        inputs = batch.open(loaded, source)
        output.mkdir(parents=True, exist_ok=True)
        task = ClusterTask(Evaluator(loaded.mixture), loaded.mixture.n_components, output, settings)
        result = ClusterResult(output, batch.aside, terms_of(loaded))
        tally, strongest = task.nothing()
        with unfinished:
            for found in batch.map("clustering", inputs, task):
                tally = tally + found.tally
                strongest.merge(found.claims)
                result.recordings += 1
                result.frames += found.frames
                batch.advance(found.seconds)
    sounds = write_sounds(strongest, inputs, output / "sounds") if settings.examples else {}
    result.sounds = len(sounds)
    result.rows = [component_row(loaded, tally, strongest.of(k), sounds, k) for k in range(task.n_components)]
    write_rows(result.rows, output / "components.jsonl", force=True)
    return result


def component_row(
    model: Model,
    tally: ComponentTally,
    strongest: list[ComponentSegment],
    sounds: dict[ComponentSegment, Path],
    component: int,
) -> Json:
    """Return the row of one component."""

    def number(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    return {
        "component": component,
        "weight": float(tally.weights[component]),
        "model_weight": float(model.weights[component]),
        "frames": int(tally.hard[component]),
        "mean_posterior": number(tally.mean_posterior[component]),
        "entropy": number(tally.mean_entropy[component]),
        "mean": model.means[component].tolist(),
        **({"columns": model.metadata.columns} if model.metadata.columns else {}),
        "segments": [
            {
                "id": claim.id,
                "start": claim.segment.start,
                "end": claim.segment.end,
                "frames": claim.n_frames,
                "mean_posterior": claim.mean_posterior,
                **({"sound": str(sounds[claim])} if claim in sounds else {}),
            }
            for claim in strongest
        ],
    }


def write_sounds(strongest: StrongestSegments, inputs: Inputs, folder: Path) -> dict[ComponentSegment, Path]:
    """Cut out the segments that each component claims most, with a little context, as wav files.

    Returns
    -------
    dict
        The file of each claim, relative to the folder above `folder`; a feature matrix has none.
    """
    wanted: dict[str, list[tuple[int, ComponentSegment]]] = {}
    for component in range(strongest.n_components):
        for rank, claim in enumerate(strongest.of(component)):
            wanted.setdefault(claim.id, []).append((rank, claim))
    sounds: dict[ComponentSegment, Path] = {}
    for recording in inputs:
        if recording.entry.audio_filepath in (None, "-"):
            continue
        for rank, claim in wanted.get(recording.id, ()):
            path = folder / f"{claim.component:04d}" / f"{rank}-{claim.id}.wav"
            try:
                cut(recording.entry, claim.segment, path)
            except AudioGMMError as error:
                inputs.refuse(recording.id, error)
                break
            sounds[claim] = path.relative_to(folder.parent)
    return sounds


def cut(entry: Entry, segment: Segment, path: Path) -> None:
    """Write a segment of a recording, with context where there is some, as 16-bit wav."""
    import soundfile

    start = max(entry.offset, segment.start - CONTEXT)
    end = segment.end + CONTEXT
    if entry.duration is not None:
        end = min(end, entry.offset + entry.duration)
    try:
        samples, rate = _read(replace(entry, offset=start, duration=end - start))
    except AudioGMMError:
        samples, rate = _read(replace(entry, offset=start, duration=segment.end - start))
    with replacing(path, force=True) as temporary:
        soundfile.write(temporary, samples, rate, subtype="PCM_16")


def _read(piece: Entry) -> tuple[np.ndarray[Any, Any], int]:
    with open_audio(piece, warn=say_nothing) as stream:
        return np.concatenate(list(stream)), stream.info.sample_rate


@accepts(ClusterSettings)
def cluster(
    model: Model | str | os.PathLike[str],
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    settings: ClusterSettings,
    progress: Progress | bool | None = None,
) -> ClusterResult:
    """Assign every frame of some recordings to the components of a model, and write what each sounds like.

    Parameters
    ----------
    model : Model or path-like
    source : path-like
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
    """
    return cluster_to_folder(model, source, Path(output), settings=settings, progress=progress)
