"""Features: compute the frames of a manifest once, for other commands to read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.audio.frame_cache.cache import FrameCache, declared_front_end
from audiogmm.errors import ChoiceError
from audiogmm.keywords import accepts
from audiogmm.reprs import lines_repr
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.frontend_measurement import measure_scale
from audiogmm.runs.inputs import open_inputs
from audiogmm.runs.listed_inputs import note_inputs
from audiogmm.runs.progress import Progress, stopped_by_hand
from audiogmm.runs.settings import RunSettings
from audiogmm.types import Json, Seconds
from audiogmm.words import SOUND, amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry


@dataclass(frozen=True, kw_only=True)
class FeaturesSettings(RunSettings):
    """How frames are computed.

    Attributes
    ----------
    frontend : FrontEnd or None
        The preset `speech` by default, or that of the frames which the folder holds already.
    sample_rate : int or None
        Hertz; the first good recording's by default.
    """

    frontend: FrontEnd | None = None
    sample_rate: int | None = None


@dataclass(frozen=True)
class FrameCounts:
    """How many frames one recording has."""

    entry: Entry
    frames: int
    voiced: int
    seconds: Seconds


@dataclass(frozen=True)
class ReadTask:
    """Reads a recording to its end, which fills the cache; runs in a thread or a worker process."""

    def __call__(self, shard: Recording) -> FrameCounts:
        frames = voiced = 0
        seconds = 0.0
        for block in shard:
            frames += len(block)
            voiced += int(block.voiced.sum())
            seconds = block.clock.end(block.start + len(block) - 1) - block.clock.start(0)
        return FrameCounts(shard.entry, frames, voiced, seconds)


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

    __repr__ = lines_repr

    def add(self, found: FrameCounts) -> None:
        """Count one recording."""
        self.recordings += 1
        self.frames += found.frames
        self.voiced += found.voiced
        self.seconds += found.seconds

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.folder),
            "recordings": self.recordings,
            "frames": self.frames,
            "voiced": self.voiced,
            "seconds": self.seconds,
            "n_features": self.n_features,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        share = self.voiced / self.frames if self.frames else 0.0
        yield (
            f"{amount(self.recordings, 'recording')} ({SOUND.length(self.seconds)}): "
            f"{amount(self.frames, 'frame')} of {amount(self.n_features, 'feature')}, {share:.1%} voiced"
        )
        yield f"frame cache: {self.folder} (give it to train or score in place of the manifest)"


@accepts(FeaturesSettings)
def features(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    settings: FeaturesSettings,
    progress: Progress | bool | None = None,
) -> FeaturesResult:
    """Compute the frames of every recording of a manifest, and keep them; what is kept already stays.

    Parameters
    ----------
    source : path-like
        A manifest, or one recording.
    output : path-like
        The folder; give it to `audiogmm.train` and `audiogmm.jobs.score_to_folder` in place of the manifest.
    settings : FeaturesSettings
        Or its fields as keywords.
    progress : Progress, optional
        Receives stages and notes.

    Raises
    ------
    ChoiceError
        If the manifest names precomputed features, which need no cache.
    MismatchError
        If the folder is for another front end already.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> for name in ("a", "b", "c"):
    ...     soundfile.write(folder / f"{name}.wav", 0.05 * random.standard_normal(32000), 16000)
    >>> frames = ag.features(ag.scan(folder), folder / "frames", frontend=ag.FrontEnd.preset("kaldi"))
    >>> frames.recordings, frames.frames, frames.n_features
    (3, 594, 13)
    >>> model = ag.train(folder / "frames", n_components=2)
    """
    output, began = Path(output), time.time()
    stopped = stopped_by_hand("The frames computed so far are kept; the same command continues from there")
    with Batch(output, settings, progress) as batch:
        inputs = open_inputs(
            source,
            settings.frontend,
            aside=batch.aside,
            say=batch.progress.say,
            sample_rate=settings.sample_rate,
            upsample=settings.upsample,
        )
        if inputs.frontend is None:
            raise ChoiceError(
                f"{source} names precomputed features",
                needed="recordings",
                remedy="give it to train as it is",
            )
        cache = FrameCache(output)
        with cache.growing():
            declared = declared_front_end(output)
            if declared is not None:
                cache.declare(inputs.frontend)  # raises if it is another one
                inputs = replace(inputs, frontend=declared)
            inputs = measure_scale(inputs, batch.reducer, batch.progress)
            assert inputs.frontend is not None, "it was there before"
            cache.declare(inputs.frontend)
            inputs.frontend = inputs.frontend.without_global()  # its statistics are applied on reading
            inputs.cache = output
            n_features = inputs.frontend.n_features(inputs.frontend.sample_rate or 0)
            result = FeaturesResult(output, batch.aside, n_features)
            with stopped:
                for found in batch.map("computing frames", inputs, ReadTask()):
                    cache.add_entry(found.entry, inputs.frontend)
                    result.add(found)
                    batch.advance(found.seconds)
        note_inputs(output, source, batch.aside, batch.progress.say, since=began, adds=True)
    return result
