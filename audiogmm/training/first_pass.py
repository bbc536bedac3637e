"""The first pass: reads every recording once, and finds what there is to train on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, FeatureError, OutputError, TrainingError
from audiogmm.reduce import OnError, Reducer
from audiogmm.temporaries import temporary_prefix
from audiogmm.training.frames.extraction import (
    CannotSpoolError,
    ExtractFrames,
    NumberedShard,
    RecordingMoments,
    SampledShard,
    fetch_rows,
    measure_recording,
)
from audiogmm.training.frames.moments import FrameMoments
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.training.frames.reservoir import Reservoir
from audiogmm.training.frames.source import SET_ASIDE, FrameSource, RereadSource
from audiogmm.training.frames.spool import Spool
from audiogmm.training.schedule.monitor import Monitor
from audiogmm.types import Frames, IntArray, Seconds


@dataclass(frozen=True, slots=True)
class ExcludedRecording:
    """A recording that does not train: its id, and the error that says why."""

    id: str
    error: AudioGMMError


@dataclass(slots=True)
class TrainingData:
    """What there is to train on, as the first pass found it.

    Attributes
    ----------
    source : FrameSource
        The frames that train, for the passes to come.
    moments : FrameMoments
        Of all frames that train.
    sample : ndarray of shape (min(sample_size, n_frames), n_features)
        A uniform sample of them, in order.
    seconds : Seconds
        Audio of the recordings that train, unvoiced parts included.
    counts : array of int
        Frames of each recording, in order; `SET_ASIDE` for those that do not train.
    set_aside : list of ExcludedRecording
        Those that do not; grows if one fails in a later pass.
    """

    source: FrameSource
    moments: FrameMoments
    sample: Frames
    seconds: Seconds
    counts: array[int]
    set_aside: list[ExcludedRecording] = field(default_factory=list)

    @property
    def n_recordings(self) -> int:
        """Recordings that train."""
        return sum(count != SET_ASIDE for count in self.counts)

    @property
    def fingerprint(self) -> str:
        """Of the moments of all frames: other frames have others."""
        moments = self.moments
        return hashlib.sha256(moments.mean.tobytes() + moments.deviations.tobytes()).hexdigest()[:16]

    @property
    def ends(self) -> IntArray:
        """Frames up to the end of each recording that trains, shape (n_recordings,)."""
        counts = np.array(self.counts, dtype=np.int64)
        return np.cumsum(counts[counts != SET_ASIDE])


def read_training_data(
    shards: Iterable[Shard],
    *,
    reducer: Reducer,
    sample_size: int,
    seed: int,
    max_spool_bytes: int,
    resources: ExitStack,
    monitor: Monitor | None = None,
    on_error: OnError | None = None,
) -> TrainingData:
    """Read every recording once: counts, moments, a sample, and a spool of the voiced frames.

    Parameters
    ----------
    shards : iterable of Shard
        Recordings, taken lazily.
    reducer : Reducer
        Threads or workers that decode and extract.
    sample_size : int
        Frames to sample.
    seed : int
        Of the sample.
    max_spool_bytes : int
        Above this size the spool is given up, and `shards` is read again in every pass.
    resources : ExitStack
        Takes the temporary folder; closing it removes the spool.
    monitor : Monitor or None
        Called with the progress.
    on_error : callable or None
        Called with the id and the error of each recording that is set aside.

    Returns
    -------
    TrainingData

    Raises
    ------
    TrainingError
        If no recording can be trained on, or `shards` would have to be read again and cannot be.
    OutputError
        If the folder for temporary files does not take the frames.
    """
    builder = TrainingDataBuilder(monitor or Monitor(), on_error)
    builder.monitor.on_stage("read", 0, None)
    folder = Path(tempfile.mkdtemp(prefix=temporary_prefix()))
    resources.callback(shutil.rmtree, folder, ignore_errors=True)
    if reducer.reaches(folder):
        spool = resources.enter_context(Spool(folder / "spool", max_spool_bytes))
        reservoir = Reservoir(sample_size, seed)
        _extract(shards, reducer, folder, builder, spool, reservoir)
        sample = reservoir.sample()
        if not spool.full:
            return builder.build(spool, sample)
        _check_re_iterable(
            shards, f"{builder.n_frames} frames do not fit the spool of {max_spool_bytes} bytes"
        )
    else:
        _check_re_iterable(shards, "the workers do not share this machine's temporary folder")
        sample = _sample_remotely(shards, reducer, builder, sample_size, seed)
    return builder.build(RereadSource(shards, builder.counts, builder.set_aside_recording), sample)


class TrainingDataBuilder:
    """What the first pass has found so far.

    Parameters
    ----------
    monitor, on_error
        As for `read_training_data`.
    """

    def __init__(self, monitor: Monitor, on_error: OnError | None) -> None:
        self.monitor, self.on_error = monitor, on_error
        self.counts = array("q")
        self.set_aside: list[ExcludedRecording] = []
        self.total: FrameMoments | None = None
        self.seconds = 0.0

    @property
    def n_frames(self) -> int:
        """Frames that train."""
        return 0 if self.total is None else self.total.n

    def set_aside_recording(self, shard_id: str, error: AudioGMMError) -> None:
        """Leave a recording out of the training."""
        self.set_aside.append(ExcludedRecording(shard_id, error))
        if self.on_error is not None:
            self.on_error(shard_id, error)

    def add(self, part: RecordingMoments) -> bool:
        """Count a recording, in the order of their places; False if its frames have another width."""
        self.counts.extend([SET_ASIDE] * (part.place - len(self.counts)))
        if self.total is not None and len(part.moments.mean) != len(self.total.mean):
            self.set_aside_recording(part.id, _other_width(part, len(self.total.mean)))
            return False
        self.counts.append(part.moments.n)
        self.total = part.moments if self.total is None else self.total + part.moments
        self.seconds += part.seconds
        self.monitor.on_frames(part.moments.n, part.seconds)
        return True

    def build(self, source: FrameSource, sample: Frames) -> TrainingData:
        """Return what was found in all."""
        if self.total is None:
            raise _nothing(self.set_aside)
        return TrainingData(source, self.total, sample, self.seconds, self.counts, self.set_aside)


def _extract(
    shards: Iterable[Shard],
    reducer: Reducer,
    folder: Path,
    builder: TrainingDataBuilder,
    spool: Spool,
    reservoir: Reservoir,
) -> None:
    """Read every recording: its frames come by way of a file in `folder`."""
    try:
        for part in reducer.map(_numbered(shards), ExtractFrames(folder), builder.set_aside_recording):
            if builder.add(part.recording):
                for frames in part:
                    reservoir.offer(frames)
                    spool.append(frames)
            part.path.unlink()
    except CannotSpoolError as error:
        raise _disk(folder, str(error)) from error
    except OSError as error:
        if isinstance(error, AudioGMMError) or error.filename is not None:
            raise
        raise _disk(folder, error.strerror or str(error)) from error
    if builder.total is None:
        raise _nothing(builder.set_aside)


def _sample_remotely(
    shards: Iterable[Shard], reducer: Reducer, builder: TrainingDataBuilder, sample_size: int, seed: int
) -> Frames:
    """Let the workers read every recording, and fetch no frames but the sample: the same as `_extract` draws.

    Which frames are in it depends on their number alone, so that it is known before any has come.
    """
    numbers = Reservoir(sample_size, seed)
    for part in reducer.map(_numbered(shards), measure_recording, builder.set_aside_recording):
        first = builder.n_frames
        if builder.add(part):
            for low in range(first, builder.n_frames, SLICE_ROWS):
                high = min(low + SLICE_ROWS, builder.n_frames)
                numbers.offer(np.arange(low, high, dtype=np.float64)[:, None])  # type: ignore[arg-type]
    if builder.total is None:
        raise _nothing(builder.set_aside)
    chosen = numbers.sample()[:, 0].astype(np.int64)

    asked: set[int] = set()

    def sampled() -> Iterator[SampledShard]:
        first = 0
        for place, (count, shard) in enumerate(zip(list(builder.counts), shards, strict=False)):
            if count == SET_ASIDE:
                continue
            low, high = np.searchsorted(chosen, (first, first + count))
            if low < high:
                asked.add(place)
                yield SampledShard(place, shard, chosen[low:high] - first)
            first += count

    fetched = dict(reducer.map(sampled(), fetch_rows, builder.set_aside_recording))
    for place in asked - fetched.keys():
        builder.counts[place] = SET_ASIDE
    if not fetched:
        raise _nothing(builder.set_aside)
    return np.concatenate(list(fetched.values()))


def _check_re_iterable(shards: Iterable[Shard], why: str) -> None:
    if iter(shards) is shards:
        raise TrainingError(
            f"{why}, and the recordings cannot be read a second time",
            needed="a re-iterable of shards (a list, a manifest), or a larger spool",
            remedy="pass the recordings as a list, not a generator, or raise max_spool_bytes",
        )


def _numbered(shards: Iterable[Shard]) -> Iterator[NumberedShard]:
    return (NumberedShard(place, shard) for place, shard in enumerate(shards))


def _other_width(part: RecordingMoments, n_features: int) -> FeatureError:
    return FeatureError(
        f"{part.id}: frames of {len(part.moments.mean)} features",
        needed=f"{n_features} features, as in the recordings before it",
        remedy="one front end for all recordings",
    )


def _nothing(set_aside: list[ExcludedRecording]) -> TrainingError:
    if not set_aside:
        return TrainingError(
            "0 frames: there is no recording", needed="at least one recording", remedy="look at the manifest"
        )
    n = len({row.id for row in set_aside})  # parts of a recording have its id
    return TrainingError(
        "0 frames: "
        + ("the only recording was" if n == 1 else f"all {n} recordings were")
        + f" set aside{', the first of them' * (n > 1)} because: "
        f"{set_aside[0].error}",
        needed="at least one recording with voiced frames",
        remedy="--preset ambient where the sound is no speech, or repair the recordings",
    )


def _disk(folder: Path, reason: str) -> OutputError:
    return OutputError(
        f"the frames of the first pass cannot be kept in {folder}: {reason}",
        needed="room for 4 bytes a frame and feature, or recordings that are read again in every pass",
        remedy="set TMPDIR to a folder on a larger disk, or a smaller max_spool_bytes",
    )
