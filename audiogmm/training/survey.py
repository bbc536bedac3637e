"""The first pass: reads every recording once, and finds out what there is to train on."""

from __future__ import annotations

import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError, AudioGMMError, FeatureError, OutputError, TrainingError
from audiogmm.training.moments import Moments
from audiogmm.training.monitor import Monitor
from audiogmm.training.packing import SLICE_ROWS, Packer, voiced_frames
from audiogmm.training.reduce import OnError, Reducer
from audiogmm.training.reservoir import Reservoir
from audiogmm.training.source import SET_ASIDE, FrameSource, Reread
from audiogmm.training.spool import Spool, read_rows, write_rows
from audiogmm.types import Frames, Seconds

_PORTION = 2048  # rows that are written, and whose moments are taken, together


@dataclass(frozen=True, slots=True)
class SetAside:
    """A recording that does not train: its id, and the error that says why."""

    id: str
    error: AudioGMMError


@dataclass(slots=True)
class Survey:
    """What the first pass found.

    Attributes
    ----------
    source : FrameSource
        The frames that train, for the passes to come.
    moments : Moments
        Of all frames that train.
    sample : ndarray of shape (min(sample_size, n_frames), n_features)
        A uniform sample of them, in order.
    seconds : Seconds
        Audio of the recordings that train, unvoiced parts included.
    n_recordings : int
        Recordings that train.
    set_aside : list of SetAside
        Those that do not; grows if one fails in a later pass.
    """

    source: FrameSource
    moments: Moments
    sample: Frames
    seconds: Seconds
    n_recordings: int
    set_aside: list[SetAside] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A shard and its place among all."""

    place: int
    shard: Shard

    @property
    def id(self) -> str:
        """The shard's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        return iter(self.shard)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The voiced frames of one recording, in a file of their own, and their moments."""

    place: int
    id: str
    path: Path
    dtype: str
    moments: Moments
    seconds: Seconds

    def __iter__(self) -> Iterator[Frames]:
        n, n_features = self.moments.n, len(self.moments.mean)
        for first in range(0, n, SLICE_ROWS):
            yield read_rows(self.path, first, min(SLICE_ROWS, n - first), n_features, self.dtype)


class CannotSpoolError(Exception):
    """The folder for temporary files failed: no fault of the recording, so not set aside."""


@dataclass(frozen=True, slots=True)
class Extract:
    """Writes the voiced frames of one recording to a file in `folder`; of one that fails, nothing is left."""

    folder: Path

    def __call__(self, item: Numbered) -> Extracted:
        path = self.folder / f"{item.place}.part"
        try:
            with path.open("xb", buffering=0) as file:
                return self._write(item, path, file.fileno())
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename == str(path):
                raise CannotSpoolError(error.strerror) from error
            raise

    def _write(self, item: Numbered, path: Path, descriptor: int) -> Extracted:
        packer, moments = Packer(_PORTION), None
        n_frames, seconds, dtype = 0, 0.0, "float32"

        def keep(full: Frames) -> Moments:
            try:
                write_rows(descriptor, full)
            except OSError as error:
                raise CannotSpoolError(error.strerror) from error
            part = Moments.of(full)
            return part if moments is None else moments + part

        n_features = None
        for block in item:
            frames = voiced_frames(item.id, block, n_features)
            n_features, dtype = frames.shape[1], frames.dtype.name
            n_frames += len(block)
            seconds += len(block) / block.clock.frame_rate
            for full in packer.push(frames):
                moments = keep(full)
        for full in packer.flush():
            moments = keep(full)
        if moments is None:
            raise _nothing_to_train_on(item.id, n_frames)
        return Extracted(item.place, item.id, path, dtype, moments, seconds)


def survey(
    shards: Iterable[Shard],
    *,
    reducer: Reducer,
    sample_size: int,
    seed: int,
    max_spool_bytes: int,
    resources: ExitStack,
    monitor: Monitor | None = None,
    on_error: OnError | None = None,
) -> Survey:
    """Read every recording once: count, moments, sample, and a spool of the voiced frames.

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
        Above this size the spool is given up, and `shards` is read anew in every pass.
    resources : ExitStack
        Takes the temporary folder; closing it removes the spool.
    monitor : Monitor or None
        Hears how far it is.
    on_error : callable or None
        Hears of each recording that is set aside.

    Returns
    -------
    Survey
        What was found.

    Raises
    ------
    TrainingError
        If no recording can be trained on, or `shards` would have to be read again and cannot be.
    OutputError
        If the folder for temporary files does not take the frames.
    """
    monitor = monitor or Monitor()
    monitor.on_stage("read", 0, None)
    folder = Path(tempfile.mkdtemp(prefix="audiogmm-"))
    resources.callback(shutil.rmtree, folder, ignore_errors=True)
    spool = resources.enter_context(Spool(folder / "spool", max_spool_bytes))
    reservoir = Reservoir(sample_size, seed)
    counts = array("q")
    set_aside: list[SetAside] = []
    total: Moments | None = None
    seconds = 0.0

    def aside(shard_id: str, error: AudioGMMError) -> None:
        set_aside.append(SetAside(shard_id, error))
        if on_error is not None:
            on_error(shard_id, error)

    numbered = (Numbered(place, shard) for place, shard in enumerate(shards))
    try:
        for part in reducer.map(numbered, Extract(folder), aside):
            counts.extend([SET_ASIDE] * (part.place - len(counts)))
            if total is not None and len(part.moments.mean) != len(total.mean):
                part.path.unlink()
                aside(part.id, _other_width(part, len(total.mean)))
                continue
            for frames in part:
                reservoir.offer(frames)
                spool.append(frames)
            part.path.unlink()
            counts.append(part.moments.n)
            total = part.moments if total is None else total + part.moments
            seconds += part.seconds
            monitor.on_frames(part.moments.n, part.seconds)
    except CannotSpoolError as error:
        raise _disk(folder, str(error)) from error
    except OSError as error:
        if isinstance(error, AudioGMMError) or error.filename is not None:
            raise
        raise _disk(folder, error.strerror or str(error)) from error
    if total is None:
        raise _nothing(set_aside)
    source: FrameSource = spool
    if spool.full:
        if iter(shards) is shards:
            raise TrainingError(
                f"{reservoir.seen} frames do not fit the spool of {max_spool_bytes} bytes, "
                "and the recordings cannot be read a second time",
                needed="a re-iterable of shards (a list, a manifest), or a larger spool",
                remedy="pass the recordings as a list, not a generator, or raise max_spool_bytes",
            )
        source = Reread(shards, counts, aside)
    n_recordings = sum(count != SET_ASIDE for count in counts)
    return Survey(source, total, reservoir.sample(), seconds, n_recordings, set_aside)


def _nothing_to_train_on(shard_id: str, n_frames: int) -> AudioDataError:
    if n_frames:
        return AudioDataError(
            f"{shard_id}: none of its {n_frames} frames is voiced",
            needed="at least one frame in which the activity detector hears something",
            remedy="a lower VAD threshold, a front end without VAD, or leave it out",
        )
    return AudioDataError(
        f"{shard_id}: it has no frame", needed="at least one whole frame", remedy="leave it out"
    )


def _other_width(part: Extracted, n_features: int) -> FeatureError:
    return FeatureError(
        f"{part.id}: frames of {len(part.moments.mean)} features",
        needed=f"{n_features} features, as in the recordings before it",
        remedy="one front end for all recordings",
    )


def _nothing(set_aside: list[SetAside]) -> TrainingError:
    if not set_aside:
        return TrainingError(
            "0 frames: there is no recording", needed="at least one recording", remedy="look at the manifest"
        )
    return TrainingError(
        f"0 frames: all {len(set_aside)} recordings were set aside, the first of them because: "
        f"{set_aside[0].error}",
        needed="at least one recording with voiced frames",
        remedy="repair the recordings, or the front end's settings",
    )


def _disk(folder: Path, reason: str) -> OutputError:
    return OutputError(
        f"the frames of the first pass cannot be kept in {folder}: {reason}",
        needed="room for 4 bytes a frame and feature, or recordings that are read anew in every pass",
        remedy="set TMPDIR to a folder on a larger disk, or a smaller max_spool_bytes",
    )
