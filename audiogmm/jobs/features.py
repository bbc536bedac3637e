"""Features: compute the frames of a manifest once, for other commands to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import ChoiceError, OutputError
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import open_inputs
from audiogmm.runs.progress import Progress, Silent, stopped_by_hand
from audiogmm.runs.standardise import with_scale
from audiogmm.types import Json, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry


@dataclass(frozen=True)
class Extracted:
    """How much one recording gave."""

    entry: Entry
    frames: int
    voiced: int
    seconds: Seconds


@dataclass(frozen=True)
class ExtractTask:
    """Reads a recording to its end, which fills the cache; runs in a thread or a worker process."""

    def __call__(self, shard: Recording) -> Extracted:
        frames = voiced = 0
        seconds = 0.0
        for block in shard:
            frames += len(block)
            voiced += int(block.voiced.sum())
            seconds = block.clock.end(block.start + len(block) - 1) - block.clock.start(0)
        return Extracted(shard.entry, frames, voiced, seconds)


@dataclass
class FeaturesResult:
    """What a frame cache holds after a run."""

    folder: Path
    aside: Aside
    n_features: int
    recordings: int = 0
    frames: int = 0
    voiced: int = 0
    seconds: Seconds = 0.0

    def add(self, found: Extracted) -> None:
        """Count one recording."""
        self.recordings += 1
        self.frames += found.frames
        self.voiced += found.voiced
        self.seconds += found.seconds

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.frames,
            "voiced": self.voiced,
            "seconds": self.seconds,
            "n_features": self.n_features,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        share = self.voiced / self.frames if self.frames else 0.0
        yield (
            f"{self.recordings} recordings ({self.seconds / 60:,.1f} minutes): {self.frames:,} frames of "
            f"{self.n_features} features, {share:.1%} voiced"
        )
        yield f"frame cache: {self.folder} (give it to train or score in place of the manifest)"


def features(
    source: str,
    output: Path,
    frontend: FrontEnd | None,
    *,
    sample_rate: int | None = None,
    upsample: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> FeaturesResult:
    """Compute the frames of every recording of a manifest, and keep them; what is kept already stays.

    Raises
    ------
    ChoiceError
        If the manifest brings frames of its own, which need no cache.
    MismatchError
        If the folder is for another front end already.
    OutputError
        If the folder cannot be written.
    """
    from audiogmm.audio.frame_cache.cache import FrameCache, cached_front_end
    from audiogmm.training import LocalReducer

    progress = progress or Silent()
    aside = Aside(errors_path(output), strict=strict)
    inputs = open_inputs(
        source, frontend, aside=aside, say=progress.say, sample_rate=sample_rate, upsample=upsample
    )
    if inputs.frontend is None:
        raise ChoiceError(
            f"{source} brings frames of its own", needed="recordings", remedy="give it to train as it is"
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}", needed="a folder") from error
    cache = FrameCache(output)
    declared = cached_front_end(output)
    if declared is not None:
        cache.declare(inputs.frontend)  # raises if it is another one
        inputs = replace(inputs, frontend=declared)
    with LocalReducer(threads, workers) as reducer:
        inputs = with_scale(inputs, reducer, progress)
    assert inputs.frontend is not None, "it was there before"
    cache.declare(inputs.frontend)
    inputs.frontend = inputs.frontend.without_global()  # its statistics are applied on reading
    inputs.cache = output
    result = FeaturesResult(output, aside, inputs.frontend.n_features(inputs.frontend.sample_rate or 0))
    extent = inputs.extent()
    progress.begin("computing frames", extent.total, extent.unit)
    going_on = stopped_by_hand("The frames computed so far are kept; the same command goes on from there")
    with going_on, LocalReducer(threads, workers) as reducer:
        for found in reducer.map(inputs, ExtractTask(), inputs.refuse):
            cache.enter(found.entry, inputs.frontend)
            result.add(found)
            progress.advance(extent.part(found.seconds))
    progress.end()
    return result
