"""Entries that follow one another in time, as one recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audiogmm.audio.recording import Recording
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioDataError, AudioGMMError, OutputError
from audiogmm.manifest.entry import Entry
from audiogmm.timeline import FrameClock

Refuse = Callable[[str, AudioGMMError], None]
"""Takes the id of an entry that cannot be used, and the error; raises it to end the stream."""


@dataclass(frozen=True)
class StreamRecording:
    """The frames of entries with a time, one behind the other: a `Shard`.

    Each entry goes through the front end alone, so that no frame spans a gap; what pools frames (windows,
    events) pools them as if they followed one another. Blocks say which entry they are of.

    Parameters
    ----------
    pieces : tuple of Recording
        In the order of their times.
    refuse : callable
        Takes entries that cannot be used, which are then passed over.
    refused : list of str
        Their ids, of the last iteration.
    """

    pieces: tuple[Recording, ...]
    refuse: Refuse
    refused: list[str] = field(default_factory=list, compare=False)

    @property
    def id(self) -> str:
        """That of the first entry."""
        return self.pieces[0].id

    @property
    def entry(self) -> Entry:
        """The first entry."""
        return self.pieces[0].entry

    def __iter__(self) -> Iterator[FrameBlock]:
        clock: FrameClock | None = None
        n = 0
        failed: AudioGMMError | None = None
        self.refused.clear()
        for recording in self.pieces:
            before = n
            try:
                for block in recording:
                    clock = clock or dataclasses.replace(block.clock, offset=0.0)
                    if (block.clock.sample_rate, block.clock.hop) != (clock.sample_rate, clock.hop):
                        raise AudioDataError(
                            f"{recording.id} has {block.clock.frame_rate:g} frames a second, its stream "
                            f"{clock.frame_rate:g}",
                            needed="one frame rate in a stream",
                            remedy="a key that tells the streams apart: --stream KEY",
                        )
                    piece = block.piece and dataclasses.replace(block.piece, first=before)
                    yield dataclasses.replace(block, start=before + block.start, clock=clock, piece=piece)
                    n = before + block.start + len(block)
            except OutputError:
                raise
            except AudioGMMError as error:
                self.refuse(recording.id, error)
                self.refused.append(recording.id)
                failed = error
        if n == 0 and failed is not None:
            raise failed
