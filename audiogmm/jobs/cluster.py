"""Cluster: which component claims which frame, and what does each component sound like?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.anomaly.learning.from_model import unit_of
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError
from audiogmm.files import refuse_overwrite, replacing
from audiogmm.mixture.store import load
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import inputs_for
from audiogmm.runs.progress import Progress, Silent, say_nothing, stopped_by_hand
from audiogmm.runs.rows import write_rows
from audiogmm.scoring.assignment import AssignmentWriter
from audiogmm.scoring.claims import Claim, StrongestClaims, claims
from audiogmm.scoring.posterior import Assignment, ComponentTally, assign
from audiogmm.timeline import Segment
from audiogmm.types import Json, Seconds

if TYPE_CHECKING:
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.mixture.store import Model
    from audiogmm.runs.inputs import Inputs

CONTEXT: Seconds = 0.25
"""Sound before and after a segment that is written to listen to."""


@dataclass(frozen=True)
class Clustered:
    """What came of one recording."""

    id: str
    frames: int
    seconds: Seconds
    tally: ComponentTally
    claims: StrongestClaims


@dataclass(frozen=True)
class ClusterTask:
    """Assigns the frames of a recording and writes them; runs in a thread."""

    evaluator: Evaluator
    n_components: int
    folder: Path
    min_posterior: float
    examples: int

    def __call__(self, shard: Shard) -> Clustered:
        tally, seconds = ComponentTally.zero(self.n_components), 0.0
        strongest = StrongestClaims(self.n_components, max(self.examples, 1))
        with AssignmentWriter(self.folder / f"{shard.id}.npz", self.min_posterior) as writer:

            def each() -> Iterator[Assignment]:
                nonlocal seconds, tally
                for found in assign(self.evaluator, shard):
                    last = found.start + len(found.labels) - 1
                    seconds = found.clock.end(last) - found.clock.start(0)
                    tally = tally + ComponentTally.of(found)
                    writer.write(found)
                    yield found

            for claim in claims(shard.id, each()):
                strongest.add(claim)
        return Clustered(shard.id, writer.n_frames, seconds, tally, strongest)


@dataclass
class ClusterResult:
    """What a clustering run found."""

    folder: Path
    aside: Aside
    rows: list[Json] = field(default_factory=list)
    recordings: int = 0
    frames: int = 0
    unit: str = " s"

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.frames,
            "components": len(self.rows),
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person: the heaviest components first."""
        yield f"{self.frames:,} frames of {self.recordings} recordings among {len(self.rows)} components"
        yield "component  weight  mean posterior  entropy (nats)  longest claim"
        for row in sorted(self.rows, key=lambda row: -row["weight"])[:12]:
            example = row["segments"][0] if row["segments"] else None
            claim = f"{example['id']} at {example['start']:.2f}{self.unit}" if example else "none"
            sure = "-" if row["mean_posterior"] is None else f"{row['mean_posterior']:.3f}"
            entropy = "-" if row["entropy"] is None else f"{row['entropy']:.3f}"
            yield f"{row['component']:9d}  {row['weight']:6.3f}  {sure:>14}  {entropy:>14}  {claim}"
        if len(self.rows) > 12:
            yield f"and {len(self.rows) - 12} more"
        yield f"assignments, components.jsonl and sounds: {self.folder}"


def cluster_to_folder(
    model: Path,
    source: str,
    output: Path,
    *,
    examples: int = 3,
    min_posterior: float = 1e-3,
    upsample: bool = False,
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
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
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.reduce import LocalReducer

    progress = progress or Silent()
    refuse_overwrite(output, force)
    loaded = load(model)
    K = loaded.mixture.n_components
    aside = Aside(errors_path(output), strict=strict)
    inputs = inputs_for(loaded, source, aside=aside, say=progress.say, upsample=upsample)
    output.mkdir(parents=True, exist_ok=True)
    task = ClusterTask(Evaluator(loaded.mixture), K, output, min_posterior, examples)
    tally = ComponentTally.zero(K)
    strongest = StrongestClaims(K, max(examples, 1))
    result = ClusterResult(output, aside, unit=unit_of(loaded))
    extent = inputs.extent()
    progress.begin("clustering", extent.total, extent.unit)
    begin_anew = stopped_by_hand(f"{output} is not whole; the same command with --force begins it anew")
    with begin_anew, LocalReducer(threads) as reducer:
        for found in reducer.map(inputs, task, inputs.refuse):
            tally = tally + found.tally
            strongest.merge(found.claims)
            result.recordings += 1
            result.frames += found.frames
            progress.advance(extent.part(found.seconds))
    progress.end()
    sounds = write_sounds(strongest, inputs, output / "sounds", K) if examples else {}
    result.rows = [component_row(loaded, tally, strongest.of(k), sounds, k) for k in range(K)]
    write_rows(result.rows, output / "components.jsonl", force=True)
    return result


def component_row(
    model: Model, tally: ComponentTally, strongest: list[Claim], sounds: dict[Claim, Path], component: int
) -> Json:
    """What there is to say of one component."""

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


def write_sounds(strongest: StrongestClaims, inputs: Inputs, folder: Path, K: int) -> dict[Claim, Path]:
    """Cut out the segments that each component claims most, with a little context, as wav files.

    Returns
    -------
    dict
        The file of each claim, relative to the folder above `folder`; a feature matrix has none.
    """
    wanted: dict[str, list[tuple[int, Claim]]] = {}
    for component in range(K):
        for rank, claim in enumerate(strongest.of(component)):
            wanted.setdefault(claim.id, []).append((rank, claim))
    sounds: dict[Claim, Path] = {}
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


def cut(entry: Any, segment: Segment, path: Path) -> None:
    """Write a stretch of a recording, with context where there is some, as 16-bit wav."""
    import soundfile

    from audiogmm.audio.decode import open_audio

    start = max(entry.offset, segment.start - CONTEXT)
    end = segment.end + CONTEXT
    if entry.duration is not None:
        end = min(end, entry.offset + entry.duration)
    try:
        samples, rate = _read(open_audio, replace(entry, offset=start, duration=end - start))
    except AudioGMMError:
        samples, rate = _read(open_audio, replace(entry, offset=start, duration=segment.end - start))
    with replacing(path, force=True) as temporary:
        soundfile.write(temporary, samples, rate, subtype="PCM_16")


def _read(open_audio: Any, piece: Any) -> tuple[np.ndarray[Any, Any], int]:
    with open_audio(piece, warn=say_nothing) as stream:
        return np.concatenate(list(stream)), stream.info.sample_rate
