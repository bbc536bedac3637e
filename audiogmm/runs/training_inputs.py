"""What a new model is made from: recordings behind a settled front end, or blocks of frames."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audiogmm.audio.matrix.columns import ALL, ColumnChoice
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import MismatchError, TrainingError
from audiogmm.manifest.clock.streams import StreamRule
from audiogmm.manifest.dataframe import is_dataframe
from audiogmm.manifest.objects import entries_of
from audiogmm.manifest.read import Manifest
from audiogmm.reduce import OnError, Reducer
from audiogmm.runs.aside import Aside, ignore_repeated
from audiogmm.runs.frontend_measurement import measure_frontend, needs_measuring
from audiogmm.runs.inputs import Inputs, open_inputs
from audiogmm.runs.progress import Progress
from audiogmm.runs.sources import Source
from audiogmm.words import amount

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
    of_blocks: FrontEnd | None = None  # through which blocks were made, with its sample rate, where known

    @property
    def entries(self) -> Iterable[Entry] | None:
        """Of the manifest; None for blocks of frames."""
        return None if self.recordings is None else self.recordings.entries

    @property
    def usable(self) -> Iterable[Entry] | None:
        """Those of the entries that are not set aside."""
        if self.recordings is None or not len(self.recordings.aside):
            return self.entries
        bad = {row.id for row in self.recordings.aside.rows}
        return [entry for entry in self.recordings.entries if entry.id not in bad]

    @property
    def frontend(self) -> FrontEnd | None:
        """With its sample rate; None for frames of the user's own, and for blocks unless it was given."""
        return self.of_blocks if self.recordings is None else self.recordings.frontend

    @property
    def columns(self) -> list[str]:
        """Names of the columns, of tables that have some."""
        return [] if self.recordings is None else list(self.recordings.choice.columns)

    @property
    def hours(self) -> float | None:
        """Hours of audio, where the manifest says."""
        return None if self.recordings is None else self.recordings.extent().hours

    def pooled(self, shards: Iterable[Shard]) -> Iterable[Shard]:
        """Return some of the recordings with those that follow one another in time as streams."""
        return shards if self.recordings is None else self.recordings.pooled(shards, ignore_repeated)

    @property
    def on_error(self) -> OnError | None:
        """Sets recordings aside; None for blocks of frames."""
        return None if self.recordings is None else self.recordings.refuse


def open_training_inputs(
    source: Source,
    frontend: FrontEnd | None = None,
    *,
    model: Model | None = None,
    reducer: Reducer | None = None,
    aside: Aside,
    progress: Progress,
    sample_rate: int | None = None,
    upsample: bool = False,
    choice: ColumnChoice = ALL,
    streams: StreamRule | None = None,
) -> TrainingInputs:
    """Open what is learned from, and measure what the front end of a new model leaves open.

    Parameters
    ----------
    source, frontend, aside, sample_rate, upsample, choice, streams
        As for `train`, and `open_inputs`.
    model : Model, optional
        The model that is updated, whose front end it is.
    reducer : Reducer, optional
        Measures, for a new model.
    progress : Progress
        Receives stages and notes.
    """
    if isinstance(source, Iterator):
        head = next(source, None)
        source = [head, *(() if isinstance(head, FrameBlock) else source)] if head is not None else []
        if isinstance(head, FrameBlock):
            raise TrainingError(
                "an iterator, which can be read only once",
                needed="something that can be read in every pass",
                remedy="a list, or an object whose __iter__ starts again",
            )
    blocks = as_blocks(source)
    if blocks is not None:
        kept = None if frontend is None else frontend_of_blocks(frontend, source, sample_rate)
        return TrainingInputs(blocks, of_blocks=kept)
    inputs = open_inputs(
        source,
        frontend,
        model=model,
        aside=aside,
        say=progress.say,
        sample_rate=sample_rate,
        upsample=upsample,
        choice=choice,
        streams=streams,
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


def as_blocks(source: Source) -> list[BlockShard] | None:
    """The recordings of the source, if it is a re-iterable of blocks of frames."""
    if not isinstance(source, Iterable) or isinstance(source, (str, os.PathLike, Manifest, dict)):
        return None
    if hasattr(source, "__array__") or is_dataframe(source) or entries_of(source) is not None:
        return None
    head = next(iter(source), None)
    if not isinstance(head, FrameBlock):
        return None
    starts = sum(block.start == 0 for block in source)
    return [BlockShard(source, place) for place in range(max(starts, 1))]


def frontend_of_blocks(frontend: FrontEnd, blocks: Iterable[FrameBlock], sample_rate: int | None) -> FrontEnd:
    """Return the front end that blocks were made through, with its sample rate, so that a model can keep it.

    Raises
    ------
    MismatchError
        If it does not make such blocks.
    """
    block = next(iter(blocks))
    rate = sample_rate or frontend.sample_rate or int(block.clock.sample_rate)
    settled = replace(frontend, sample_rate=rate)
    if settled.cmvn == "global" and not settled.cmvn_mean:
        raise MismatchError(
            "blocks, and a front end whose global normalization is not measured",
            needed="the front end that the blocks were made through",
            remedy="the front end of a model that was trained on recordings, or cmvn='none'",
        )
    ours, theirs = settled.clock(rate), block.clock
    if (ours.sample_rate, ours.hop, ours.length) != (theirs.sample_rate, theirs.hop, theirs.length):
        raise MismatchError(
            f"blocks of {theirs.hop} samples a step and {theirs.length} a frame at {theirs.sample_rate:g} Hz",
            needed=f"those of the front end: {ours.hop} and {ours.length} at {ours.sample_rate:g} Hz",
            remedy="the front end that the blocks were made through",
        )
    if block.frames.shape[1] != settled.n_features():
        raise MismatchError(
            f"blocks of {amount(block.frames.shape[1], 'feature')}",
            needed=f"those of the front end: {settled.n_features()}",
            remedy="the front end that the blocks were made through",
        )
    return settled
