"""Learn how the levels of normal audio lie and wander, from recordings and streams that are long enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.drift.baseline import FEWEST, PREFIX, DriftBaseline
from audiogmm.anomaly.drift.level_block import BLOCK, BlockCutter, drift_bands
from audiogmm.anomaly.drift.settings import DriftSettings
from audiogmm.anomaly.drift.watch import DriftWatch
from audiogmm.anomaly.learning.frontend_bands import band_maps
from audiogmm.audio.recording import Recording
from audiogmm.audio.stream_recording import StreamRecording
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError
from audiogmm.mixture.metadata import reading_part
from audiogmm.runs.frontends import read_frontend
from audiogmm.runs.progress import Progress
from audiogmm.runs.streams import find_length
from audiogmm.types import FloatArray

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.store import Model
    from audiogmm.reduce import Reducer

ENOUGH = FEWEST * BLOCK
"""Seconds of a recording, or from a stream's first snapshot to its last, from which one can be learned."""


@dataclass(frozen=True)
class LevelsTask:
    """Gives the levels of the blocks of a recording, shape (n_blocks, n_bands); for a thread or a worker."""

    bands: BandMap

    def __call__(self, shard: Shard) -> FloatArray:
        cutter = BlockCutter(self.bands)
        found = [block.levels for frames in shard for block in cutter.push(frames)]
        return np.stack(found) if found else np.empty((0, self.bands.n_bands))


def learn_drift(
    frontend: FrontEnd | None,
    shards: Iterable[Shard],
    reducer: Reducer,
    on_error: Callable[[str, AudioGMMError], None] | None,
    progress: Progress,
) -> DriftBaseline | None:
    """Learn a baseline from those of the normal recordings that last ten minutes or more; None without any.

    Parameters
    ----------
    frontend : FrontEnd or None
        Of the frames, with its sample rate; there is no baseline where its bands are not known.
    shards : iterable of Shard
        Normal recordings, pooled.
    reducer : Reducer
        Reads them.
    on_error : callable, optional
        Takes recordings that cannot be read; by default the first one raises.
    progress : Progress
        Shows how far it is.
    """
    maps = band_maps(frontend)
    long = list(_lasting(shards)) if maps else []
    if not long:
        return None
    bands = drift_bands(maps[0])
    progress.begin("following the level of normal sound", None, "recordings")
    try:
        runs = list(reducer.map(long, LevelsTask(bands), on_error))
    finally:
        progress.end()
    return DriftBaseline.learn(runs, bands, DriftSettings())


def _lasting(shards: Iterable[Shard]) -> Iterator[Shard]:
    for shard in shards:
        if isinstance(shard, StreamRecording):
            first, last = (piece.entry.time for piece in (shard.pieces[0], shard.pieces[-1]))
            if first is not None and last is not None and last - first >= ENOUGH - BLOCK:
                yield shard
        elif isinstance(shard, Recording):
            length = shard.entry.duration
            if (find_length(shard.entry) if length is None else length) >= ENOUGH:
                yield shard


def with_drift(model: Model, baseline: DriftBaseline | None) -> Model:
    """Return the same model with another baseline, or without one."""
    if baseline is None:
        return model.with_part("drift", PREFIX, None)
    return model.with_part("drift", PREFIX, baseline.metadata(), baseline.tensors())


def read_drift(model: Model) -> DriftWatch | None:
    """Return what watches for drift; None if the model knows too little normal audio for that.

    Raises
    ------
    ModelFileError
        If something of it is missing.
    """
    maps = band_maps(read_frontend(model))
    if model.metadata.drift is None or not maps:
        return None
    with reading_part("drift"):
        return DriftWatch(DriftBaseline.from_parts(model.metadata.drift, model.tensors), drift_bands(maps[0]))
