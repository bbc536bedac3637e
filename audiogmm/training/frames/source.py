"""Sources of frames for the passes after the first: an array, the spool, or the shards again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioGMMError, OutputError, TrainingError
from audiogmm.mixture.carried_margins import CarriedMargins, MarginStore
from audiogmm.reduce import Addable, OnError, Reducer
from audiogmm.timeline import FrameClock
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.types import Frames

S = TypeVar("S", bound=Addable)

GROUP_FRAMES = 8 * SLICE_ROWS
"""Frames at which a group of recordings is closed: one sum is made, and sent, for each group."""

SET_ASIDE = -1
"""Stands for the frame count of a recording that does not take part."""

_ROWS = FrameClock.for_rows()


class FrameSource(Protocol):
    """The frames that train, for any number of passes."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        ...

    def reduce(
        self, reducer: Reducer, statistic: Callable[[Shard], S], each: Callable[[S], None] | None = None
    ) -> S:
        """Sum `statistic` over slices of the frames, which do not depend on the reducer."""
        ...


@dataclass(frozen=True, slots=True)
class ArraySlice:
    """Some rows of an array, as a shard."""

    id: str
    frames: Frames
    carried: CarriedMargins | None = field(default=None, compare=False, repr=False, kw_only=True)
    """Margins from the last pass over these rows; None if they may not be the same next time."""

    def __iter__(self) -> Iterator[FrameBlock]:
        yield FrameBlock(self.frames, np.ones(len(self.frames), np.bool_), 0, _ROWS)


class ArraySource:
    """Frames held in an array.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, n_features), float32 or float64
        Not copied.

    Examples
    --------
    >>> from audiogmm.reduce import LocalReducer
    >>> source = ArraySource(np.ones((10000, 2), np.float32))
    >>> source.reduce(LocalReducer(1), lambda shard: sum(len(block) for block in shard))
    10000
    """

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self._carried = MarginStore()

    @property
    def n_frames(self) -> int:
        """Rows of the array."""
        return len(self.frames)

    def reduce(
        self, reducer: Reducer, statistic: Callable[[Shard], S], each: Callable[[S], None] | None = None
    ) -> S:
        """Sum `statistic` over slices of `SLICE_ROWS` rows."""
        return require_sum(reducer.reduce(self._slices(), statistic, each=each))

    def _slices(self) -> Iterator[ArraySlice]:
        for first in range(0, len(self.frames), SLICE_ROWS):
            rows = self.frames[first : first + SLICE_ROWS]
            yield ArraySlice(f"rows from {first}", rows, carried=self._carried.of(first))


@dataclass(frozen=True, slots=True)
class RecordingGroup:
    """Consecutive recordings, as one shard; `members` are their places in the order and themselves."""

    members: tuple[tuple[int, Shard], ...]

    @property
    def id(self) -> str:
        """From the first recording to the last."""
        return f"{self.members[0][1].id} to {self.members[-1][1].id}"

    def __iter__(self) -> Iterator[FrameBlock]:
        for place, shard in self.members:
            try:
                yield from shard
            except OutputError:
                raise
            except AudioGMMError as error:
                raise MemberError(place, shard.id, error) from error

    def without(self, place: int) -> RecordingGroup:
        """Return the group without one recording."""
        return replace(self, members=tuple(member for member in self.members if member[0] != place))


class MemberError(Exception):
    """A recording of a group failed: its place, its id, and why."""

    def __init__(self, place: int, shard_id: str, error: AudioGMMError) -> None:
        super().__init__(place, shard_id, error)
        self.place, self.shard_id, self.error = place, shard_id, error


@dataclass(frozen=True, slots=True)
class PartialSum(Generic[S]):
    """A sum over the recordings that could be read, and those that could not."""

    value: S | None
    failed: tuple[MemberError, ...] = ()

    def __add__(self, other: Self) -> PartialSum[S]:
        if self.value is None or other.value is None:
            value = other.value if self.value is None else self.value
        else:
            value = self.value + other.value
        return PartialSum(value, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class SumOverReadable(Generic[S]):
    """A statistic over the readable recordings of a group; one that fails adds nothing, not even a part."""

    statistic: Callable[[Shard], S]

    def __call__(self, group: RecordingGroup) -> PartialSum[S]:
        failed: list[MemberError] = []
        while group.members:
            try:
                return PartialSum(self.statistic(group), tuple(failed))
            except MemberError as error:
                failed.append(error)
                group = group.without(error.place)
        return PartialSum(None, tuple(failed))


class RereadSource:
    """The shards themselves, read again in every pass, in groups of consecutive recordings.

    Parameters
    ----------
    shards : iterable of Shard
        Re-iterable, in the same order each time.
    counts : array of int
        Frames that each shard is known to train with, `SET_ASIDE` for those that do not take part.
    on_error : callable or None
        Called with the id and the error of recordings that could be read before and now cannot; they no
        longer take part. None: the first such error is raised.

    Examples
    --------
    >>> from audiogmm.reduce import LocalReducer
    >>> shards = [ArraySlice(name, np.ones((5, 2), np.float32)) for name in "abc"]
    >>> source = RereadSource(shards, array("q", [5, SET_ASIDE, 5]), None)
    >>> source.reduce(LocalReducer(1), lambda shard: sum(len(block) for block in shard)), source.n_frames
    (10, 10)
    """

    def __init__(self, shards: Iterable[Shard], counts: array[int], on_error: OnError | None) -> None:
        self.shards = shards
        self.counts = counts
        self.on_error = on_error

    @property
    def n_frames(self) -> int:
        """Frames of the recordings that take part."""
        return sum(count for count in self.counts if count != SET_ASIDE)

    def reduce(
        self, reducer: Reducer, statistic: Callable[[Shard], S], each: Callable[[S], None] | None = None
    ) -> S:
        """Sum `statistic` over groups of at least `GROUP_FRAMES` frames."""

        def note_failures(term: PartialSum[S]) -> None:
            for failure in term.failed:
                if self.on_error is None:
                    raise failure.error
                self.counts[failure.place] = SET_ASIDE
                self.on_error(failure.shard_id, failure.error)
            if each is not None and term.value is not None:
                each(term.value)

        total = reducer.reduce(self._groups(), SumOverReadable(statistic), each=note_failures)
        return require_sum(None if total is None else total.value)

    def _groups(self) -> Iterator[RecordingGroup]:
        members: list[tuple[int, Shard]] = []
        frames = 0
        for place, (count, shard) in enumerate(zip(list(self.counts), self.shards, strict=False)):
            if count == SET_ASIDE:
                continue
            members.append((place, shard))
            frames += count
            if frames >= GROUP_FRAMES:
                yield RecordingGroup(tuple(members))
                members, frames = [], 0
        if members:
            yield RecordingGroup(tuple(members))


def require_sum(total: S | None) -> S:
    """Return the sum, or raise if there is none.

    Raises
    ------
    TrainingError
        If no recording was left to sum over.
    """
    if total is None:
        raise TrainingError(
            "no recording could be read any more",
            needed="the recordings of the first pass, in every pass",
            remedy="keep the files in place while training",
        )
    return total
