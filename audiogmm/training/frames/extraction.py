"""The first pass over one recording: its voiced frames and their moments, and a file that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError
from audiogmm.training.frames.moments import FrameMoments
from audiogmm.training.frames.packing import SLICE_ROWS, Packer, pack_frames, voiced_frames
from audiogmm.training.frames.spool import read_rows, write_rows
from audiogmm.types import Frames, Seconds
from audiogmm.words import amount

_PORTION = 2048  # rows that are written, and whose moments are taken, together


@dataclass(frozen=True, slots=True)
class NumberedShard:
    """A shard and its place among all."""

    place: int
    shard: Shard

    @property
    def id(self) -> str:
        """That of the shard."""
        return self.shard.id


@dataclass(frozen=True, slots=True)
class RecordingMoments:
    """Moments of the voiced frames of one recording, and its length."""

    place: int
    id: str
    dtype: str
    moments: FrameMoments
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class ExtractedFrames:
    """The voiced frames of one recording, in a file of their own."""

    recording: RecordingMoments
    path: Path

    def __iter__(self) -> Iterator[Frames]:
        n, n_features = self.recording.moments.n, len(self.recording.moments.mean)
        for first in range(0, n, SLICE_ROWS):
            yield read_rows(self.path, first, min(SLICE_ROWS, n - first), n_features, self.recording.dtype)


class CannotSpoolError(Exception):
    """The folder for temporary files failed: not a fault of the recording, which is not set aside."""


@dataclass(frozen=True, slots=True)
class ExtractFrames:
    """Writes the voiced frames of one recording to a file in `folder`; removes it if the recording fails."""

    folder: Path

    def __call__(self, item: NumberedShard) -> ExtractedFrames:
        path = self.folder / f"{item.place}.part"
        try:
            with path.open("xb", buffering=0) as file:

                def keep(frames: Frames) -> None:
                    try:
                        write_rows(file.fileno(), frames)
                    except OSError as error:
                        raise CannotSpoolError(error.strerror) from error

                return ExtractedFrames(measure_recording(item, keep), path)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename == str(path):
                raise CannotSpoolError(error.strerror) from error
            raise


def measure_recording(item: NumberedShard, keep: Callable[[Frames], None] | None = None) -> RecordingMoments:
    """Read one recording, and call `keep` with its voiced frames, a portion at a time.

    Raises
    ------
    AudioDataError
        If it has no voiced frame.
    FeatureError
        If frames cannot be trained on; see `packing.voiced_frames`.
    """
    packer, moments = Packer(_PORTION), None
    n_frames, seconds, dtype = 0, 0.0, "float32"

    def take(full: Frames) -> FrameMoments:
        if keep is not None:
            keep(full)
        part = FrameMoments.of(full)
        return part if moments is None else moments + part

    n_features = None
    for block in item.shard:
        frames = voiced_frames(item.id, block, n_features)
        n_features, dtype = frames.shape[1], frames.dtype.name
        n_frames += len(block)
        seconds += len(block) / block.clock.frame_rate
        for full in packer.push(frames):
            moments = take(full)
    for full in packer.flush():
        moments = take(full)
    if moments is None:
        raise _nothing_to_train_on(item.id, n_frames)
    return RecordingMoments(item.place, item.id, dtype, moments, seconds)


@dataclass(frozen=True, slots=True)
class SampledShard(NumberedShard):
    """A shard, and which of its voiced frames are in the sample, by their numbers in ascending order."""

    rows: NDArray[np.int64]


def fetch_rows(item: SampledShard) -> tuple[int, Frames]:
    """Return the place of a recording, and those of its frames that are in the sample."""
    found: list[Frames] = []
    first = 0
    for frames in pack_frames(item.shard):
        low, high = np.searchsorted(item.rows, (first, first + len(frames)))
        found.append(frames[item.rows[low:high] - first])  # a copy
        first += len(frames)
    if not found or first <= item.rows[-1]:
        raise AudioDataError(
            f"{item.id} has {first} voiced frames now",
            needed=f"frame {item.rows[-1]}, which was there when it was first read",
            remedy="keep the files as they are while training",
        )
    return item.place, np.concatenate(found)


def _nothing_to_train_on(shard_id: str, n_frames: int) -> AudioDataError:
    if n_frames:
        return AudioDataError(
            f"{shard_id}: none of {amount(n_frames, 'frame')} is voiced",  # perhaps of a part of it
            needed="at least one frame that the activity detector marks as voiced",
            remedy="--preset ambient where the sound is no speech, a lower VAD threshold, or leave it out",
        )
    return AudioDataError(
        f"{shard_id}: it has no frame", needed="at least one whole frame", remedy="leave it out"
    )
