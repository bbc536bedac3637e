"""What a new model is made from: recordings behind a settled front end, or blocks of frames."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import TrainingError
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import Inputs, open_inputs
from audiogmm.runs.progress import Progress
from audiogmm.runs.standardise import with_global_statistics, with_scale
from audiogmm.training import Reducer

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.manifest import Entry


def open_material(
    source: str | os.PathLike[str] | Iterable[Entry] | Iterable[FrameBlock],
    frontend: FrontEnd | None,
    *,
    aside: Aside,
    progress: Progress,
    reducer: Reducer,
    sample_rate: int | None = None,
    upsample: bool = False,
) -> tuple[Inputs | None, Iterable[Shard]]:
    """Open what is to be learnt from, and measure what the front end leaves open.

    Parameters
    ----------
    source, frontend, aside, sample_rate, upsample
        As for `train`.
    progress : Progress
        Who listens.
    reducer : Reducer
        Who measures.

    Returns
    -------
    inputs : Inputs or None
        None for blocks of frames, which have no front end.
    shards : iterable of Shard
        The recordings, re-iterable.
    """
    blocks = as_blocks(source)
    if blocks is not None:
        return None, blocks
    inputs = open_inputs(
        source,  # type: ignore[arg-type]  # as_blocks has looked: these are entries
        frontend,
        aside=aside,
        say=progress.say,
        sample_rate=sample_rate,
        upsample=upsample,
    )
    inputs = with_global_statistics(with_scale(inputs, reducer, progress), reducer, progress)
    return inputs, inputs


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
