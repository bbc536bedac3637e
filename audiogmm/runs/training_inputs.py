"""What a new model is made from: recordings behind a settled front end, or blocks of frames."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiogmm.audio.matrix.columns import ALL, ColumnChoice
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import TrainingError
from audiogmm.reduce import OnError, Reducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontend_measurement import measure_frontend, needs_measuring
from audiogmm.runs.inputs import Inputs, open_inputs
from audiogmm.runs.progress import Progress

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class TrainingInputs:
    """What a model is trained on: recordings behind a settled front end, or blocks of frames."""

    shards: Iterable[Shard]  # the recordings, re-iterable
    # the same with their entries; None for blocks of frames, which have neither entries nor a front end
    recordings: Inputs | None = None

    @property
    def entries(self) -> Iterable[Entry] | None:
        """Of the manifest; None for blocks of frames."""
        return None if self.recordings is None else self.recordings.entries

    @property
    def frontend(self) -> FrontEnd | None:
        """With its sample rate; None for frames of the user's own."""
        return None if self.recordings is None else self.recordings.frontend

    @property
    def columns(self) -> list[str]:
        """Names of the columns, of tables that have some."""
        return [] if self.recordings is None else list(self.recordings.choice.columns)

    @property
    def hours(self) -> float | None:
        """Hours of audio, where the manifest says."""
        return None if self.recordings is None else self.recordings.extent().hours

    @property
    def on_error(self) -> OnError | None:
        """Sets recordings aside; None for blocks of frames."""
        return None if self.recordings is None else self.recordings.refuse


def open_training_inputs(
    source: str | os.PathLike[str] | Iterable[Entry] | Iterable[FrameBlock],
    frontend: FrontEnd | None = None,
    *,
    model: Model | None = None,
    reducer: Reducer | None = None,
    aside: Aside,
    progress: Progress,
    sample_rate: int | None = None,
    upsample: bool = False,
    choice: ColumnChoice = ALL,
) -> TrainingInputs:
    """Open what is learned from, and measure what the front end of a new model leaves open.

    Parameters
    ----------
    source, frontend, aside, sample_rate, upsample, choice
        As for `train`, and `open_inputs`.
    model : Model, optional
        The model that is updated, whose front end it is.
    reducer : Reducer, optional
        Measures, for a new model.
    progress : Progress
        Receives stages and notes.
    """
    blocks = as_blocks(source)
    if blocks is not None:
        return TrainingInputs(blocks)
    inputs = open_inputs(
        source,  # type: ignore[arg-type]  # as_blocks has looked: these are entries
        frontend,
        model=model,
        aside=aside,
        say=progress.say,
        sample_rate=sample_rate,
        upsample=upsample,
        choice=choice,
    )
    if reducer is not None and needs_measuring(inputs.frontend):
        inputs = measure_frontend(inputs, reducer, progress)
    return TrainingInputs(inputs, inputs)


@dataclass(frozen=True)
class BlockShard:
    """One recording of an iterable of blocks, in which a block that starts at frame 0 begins the next one."""

    blocks: Iterable[FrameBlock]
    place: int

    @property
    def id(self) -> str:
        """Its number, as a name."""
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
            remedy="a list, or an object whose __iter__ starts again",
        )
    head = next(iter(source), None)
    if not isinstance(head, FrameBlock):
        return None
    starts = sum(block.start == 0 for block in source)
    return [BlockShard(source, place) for place in range(max(starts, 1))]
