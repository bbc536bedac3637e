"""Recordings whose frames have labels: which frames belong to which class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.training.frames.moments import FrameMoments
from audiogmm.types import IntArray, Seconds


@dataclass(frozen=True)
class LabeledShard:
    """A recording of which only frames with a label count as voiced.

    Attributes
    ----------
    shard : Shard
        The recording.
    spans : tuple of (float, float, int)
        Start and end, seconds on its clock, and the number of the class. A frame has the label that its
        center lies in, the last one of several.
    rest : int
        The class of all other frames; -1: they have none.
    only : int
        The one class whose frames count; -1: those of all.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> class Ten:
    ...     id = "ten"
    ...     def __iter__(self):
    ...         yield FrameBlock(np.zeros((10, 1), np.float32), np.ones(10, bool), 0, FrameClock.for_rows())
    >>> labeled = LabeledShard(Ten(), ((2.0, 5.0, 1),), rest=0)
    >>> [block.voiced.sum().item() for only in (-1, 0, 1) for block in replace(labeled, only=only)]
    [10, 7, 3]
    """

    shard: Shard
    spans: tuple[tuple[Seconds, Seconds, int], ...]
    rest: int = -1
    only: int = -1

    @property
    def id(self) -> str:
        """That of the recording."""
        return self.shard.id

    def classes(self, block: FrameBlock) -> IntArray:
        """Return the class of each frame, shape (n_frames,); -1 where it has none."""
        found = np.full(len(block), self.rest)
        times = block.times
        for start, end, number in self.spans:
            found[(times >= start) & (times < end)] = number
        return found

    def __iter__(self) -> Iterator[FrameBlock]:
        for block in self.shard:
            classes = self.classes(block)
            wanted = classes >= 0 if self.only < 0 else classes == self.only
            yield replace(block, voiced=block.voiced & wanted)


@dataclass(frozen=True)
class ClassMoments:
    """Moments of the voiced frames of each class of a recording."""

    place: int
    id: str
    seconds: Seconds
    moments: dict[int, FrameMoments]


@dataclass(frozen=True)
class NumberedLabels:
    """A labeled recording, and its place among others."""

    place: int
    labeled: LabeledShard

    @property
    def id(self) -> str:
        """That of the recording."""
        return self.labeled.id


def measure_classes(item: NumberedLabels) -> ClassMoments:
    """Read a recording, and measure the frames of each of its classes."""
    labeled = item.labeled
    found: dict[int, FrameMoments] = {}
    seconds = 0.0
    for block in labeled.shard:
        seconds += len(block) / block.clock.frame_rate
        classes = np.where(block.voiced, labeled.classes(block), -1)
        for number in np.unique(classes[classes >= 0]).tolist():
            part = FrameMoments.of(block.frames[classes == number])
            found[number] = found[number] + part if number in found else part
    return ClassMoments(item.place, labeled.id, seconds, found)
