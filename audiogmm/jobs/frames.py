"""Blocks of frames that a caller brings, as the recordings of a job."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audiogmm.blocks import FrameBlock
from audiogmm.errors import TrainingError


@dataclass(frozen=True)
class BlockShard:
    """One recording of an iterable of blocks, in which a block that starts at frame 0 begins the next one."""

    blocks: Iterable[FrameBlock]
    place: int

    @property
    def id(self) -> str:
        """Its number."""
        return f"frames-{self.place}"

    def __iter__(self) -> Iterator[FrameBlock]:
        place = -1
        for block in self.blocks:
            place += block.start == 0 or place < 0
            if place == self.place:
                yield block
            elif place > self.place:
                return


def as_blocks(source: Any) -> list[BlockShard] | None:
    """The recordings of the source, if it is a re-iterable of blocks of frames.

    Raises
    ------
    TrainingError
        If it is an iterator.
    """
    if isinstance(source, (str, os.PathLike)) or not isinstance(source, Iterable):
        return None
    if isinstance(source, Iterator):
        raise TrainingError(
            "an iterator, which can be read only once",
            needed="something that can be read in every pass",
            remedy="a list, or an object whose __iter__ starts anew",
        )
    head = next(iter(source), None)
    if not isinstance(head, FrameBlock):
        return None
    starts = sum(block.start == 0 for block in source)
    return [BlockShard(source, place) for place in range(max(starts, 1))]
