"""The one place where entries with a time become streams: what a detector learns from and searches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from audiogmm.audio.decode import probe
from audiogmm.audio.recording import Recording
from audiogmm.audio.stream_recording import Refuse, StreamRecording
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError
from audiogmm.manifest.clock.streams import StreamRule
from audiogmm.manifest.entry import Entry
from audiogmm.runs.progress import say_nothing
from audiogmm.types import Seconds


@dataclass(frozen=True)
class PooledShards:
    """Recordings, of which those with a time are streams; re-iterable if they are.

    Recordings without a time come first, as they are. The entries of the others are held in memory.

    Parameters
    ----------
    shards : iterable of Shard
        As a manifest has them.
    rule : StreamRule
        Which are one stream.
    refuse : callable
        Takes an entry of a stream that cannot be used, see `StreamRecording`.
    say : callable
        Takes notes.
    """

    shards: Iterable[Shard]
    rule: StreamRule
    refuse: Refuse
    say: Callable[[str], None] = say_nothing

    def __iter__(self) -> Iterator[Shard]:
        timed: dict[str, Recording] = {}
        for shard in self.shards:
            if isinstance(shard, Recording) and shard.entry.time is not None:
                timed[shard.id] = shard
            else:
                yield shard
        entries = [recording.entry for recording in timed.values()]
        for part in self.rule.parts(entries, find_length, self.say):
            pieces = tuple(timed[entry.id] for entry in part)
            yield pieces[0] if len(pieces) == 1 else StreamRecording(pieces, self.refuse)


def find_length(entry: Entry) -> Seconds:
    """Find how long an entry is by its header; 0 where it does not say, or cannot be opened."""
    try:
        whole = probe(entry, full=False, warn=say_nothing).duration
    except AudioGMMError:
        return 0.0  # which is set aside when it is read
    return 0.0 if whole is None else max(0.0, whole - entry.offset)
