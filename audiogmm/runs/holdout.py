"""Which recordings a training holds out to learn how normal audio scores."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.manifest import Entry
from audiogmm.manifest.clock.streams import STREAM_KEY, stream_of
from audiogmm.runs.training_inputs import TrainingInputs

FEWEST, SHORTEST = 2, 30.0
"""Least number of recordings that are held out, and of seconds where the manifest has durations."""

LAST_PART = 5
"""Of a single recording, the last fifth is held out."""


@dataclass(frozen=True, eq=False, slots=True)
class HoldOut:
    """A set of ids that are held out, of which it keeps eight bytes each.

    Parameters
    ----------
    seed : int
        Of the draw.
    ranks : ndarray of shape (n_held_out,), uint64
        The ranks of the ids that are held out, ascending.

    Examples
    --------
    >>> held = HoldOut.of(["b", "c"], seed=0)
    >>> [id for id in "abcdef" if id in held]
    ['b', 'c']
    """

    seed: int
    ranks: NDArray[np.uint64]

    @classmethod
    def of(cls, ids: Iterable[str], seed: int) -> HoldOut:
        """Return the one that holds out these ids."""
        return cls(seed, np.sort(np.array([rank(id, seed) for id in ids], dtype=np.uint64)))

    def __contains__(self, id: str) -> bool:
        number = np.uint64(rank(id, self.seed))
        place = int(np.searchsorted(self.ranks, number))
        return place < len(self.ranks) and bool(self.ranks[place] == number)


def rank(id: str, seed: int) -> int:
    """Return a number below 2**64 that orders ids at random, the same on every machine."""
    return int.from_bytes(
        hashlib.blake2b(f"{seed}:{id}".encode(errors="surrogatepass"), digest_size=8).digest(), "big"
    )


def draw(entries: Iterable[Entry], share: float, seed: int, key: str = STREAM_KEY) -> HoldOut | None:
    """Draw `share` of the recordings, at least two, and 30 s where all durations are known, but at most half.

    Pieces of one file are one recording, and so are those of one stream, by time: all of them are held out,
    or none.

    Raises
    ------
    ChoiceError
        If `share` is not above 0 and at most one half.

    Returns
    -------
    HoldOut or None
        None where there is only one recording, which cannot be drawn from.

    Examples
    --------
    >>> entries = [Entry(audio_filepath=f"/{i}.wav", id=str(i), duration=10.0) for i in range(20)]
    >>> held = draw(entries, 0.1, seed=0)
    >>> sum(entry.id in held for entry in entries)
    3
    """
    if not 0 < share <= 0.5:
        raise ChoiceError(f"hold_out={share}", needed="above 0 and at most 0.5, or 0 to hold nothing out")
    ranks, files, durations = array("Q"), array("Q"), array("d")
    for entry in entries:
        ranks.append(rank(entry.id, seed))
        files.append(rank(_whole(entry, key), seed))
        durations.append(entry.duration or 0.0)
    by_entry = np.array(ranks, dtype=np.uint64)
    _, first, recording = np.unique(np.array(files, dtype=np.uint64), return_index=True, return_inverse=True)
    if len(first) < 2:
        return None
    order = np.argsort(by_entry[first], kind="stable")  # a recording has the rank of its first piece
    n = max(FEWEST, round(share * len(first)))
    lengths = np.array(durations)
    if (lengths > 0).all():
        seconds = np.cumsum(np.bincount(recording, lengths)[order])
        n = max(n, int(np.searchsorted(seconds, SHORTEST)) + 1)
    n = min(n, len(first) // 2)
    return HoldOut(seed, np.sort(by_entry[np.isin(recording, order[:n])]))


def draw_turns(entries: Iterable[Entry], n_turns: int, seed: int, key: str = STREAM_KEY) -> list[HoldOut]:
    """Draw turns in which every recording is held out once; none where there are fewer than two.

    Pieces of one file are one recording, and so are those of one stream, by time; where there is no other,
    they take turns in order of time.

    Examples
    --------
    >>> entries = [Entry(audio_filepath=f"/{i}.wav", id=str(i)) for i in range(20)]
    >>> [sum(entry.id in held for entry in entries) for held in draw_turns(entries, 3, seed=0)]
    [6, 7, 7]
    """
    files: dict[str, list[Entry]] = {}
    for entry in entries:
        files.setdefault(_whole(entry, key), []).append(entry)
    recordings = sorted(files.values(), key=lambda pieces: rank(pieces[0].id, seed))
    if len(recordings) == 1:
        recordings = [[piece] for piece in sorted(recordings[0], key=_place)]
    n, n_turns = len(recordings), min(n_turns, len(recordings))
    if n_turns < 2:
        return []
    turns = [recordings[i * n // n_turns : (i + 1) * n // n_turns] for i in range(n_turns)]
    return [HoldOut.of((piece.id for pieces in turn for piece in pieces), seed) for turn in turns]


def _whole(entry: Entry, key: str) -> str:
    """What the pieces of one recording have in common: the name of their stream, or their file."""
    return entry.path if entry.time is None else f"stream {stream_of(entry, key)}"


def _place(entry: Entry) -> tuple[float, float]:
    """By what the pieces of one recording are sorted."""
    return (0.0 if entry.time is None else entry.time), entry.offset


@dataclass(frozen=True)
class Excerpt:
    """Some of a shard's frames, `[start, stop)`; blocks keep their place on the clock."""

    shard: Shard
    start: int
    stop: int | None = None

    @property
    def id(self) -> str:
        """That of the shard."""
        return self.shard.id

    @property
    def is_empty(self) -> bool:
        """Whether it is known to hold no frame."""
        return self.stop is not None and self.stop <= self.start

    def __iter__(self) -> Iterator[FrameBlock]:
        for block in self.shard:
            first = max(self.start - block.start, 0)
            last = len(block) if self.stop is None else min(self.stop - block.start, len(block))
            if last > first:
                yield block.cut(first, last)


def last_part(shard: Shard) -> tuple[Excerpt, Excerpt]:
    """Cut a recording into its first four fifths and its last one.

    Raises
    ------
    AudioGMMError
        If the recording cannot be read: its frames are counted by reading it once.
    """
    n = sum(len(block) for block in shard)
    cut = n - n // LAST_PART
    return Excerpt(shard, 0, cut), Excerpt(shard, cut, n)


def _stream_key(inputs: TrainingInputs) -> str:
    return STREAM_KEY if inputs.recordings is None else inputs.recordings.streams.key


Turn = tuple[Iterable[Shard], Iterable[Shard]]
"""Recordings that train, and those that are held out."""


def cut_in_turns(shard: Shard, n_turns: int) -> list[Turn]:
    """Let stretches of one recording take turns, in order of time.

    Raises
    ------
    AudioGMMError
        If the recording cannot be read: its frames are counted by reading it once.
    """
    n = sum(len(block) for block in shard)
    cuts = [i * n // n_turns for i in range(n_turns + 1)]
    turns: list[Turn] = []
    for start, stop in pairwise(cuts):
        others = (Excerpt(shard, 0, start), Excerpt(shard, stop, n))
        turns.append(([other for other in others if not other.is_empty], [Excerpt(shard, start, stop)]))
    return turns


def take_turns(inputs: TrainingInputs, n_turns: int, share: float, seed: int) -> list[Turn]:
    """Let all recordings be held out, in at most so many turns; in one turn, `share` of them (`divide`).

    Returns
    -------
    list of (iterable of Shard, iterable of Shard)
        What trains, and what is held out; empty where there is nothing to divide.
    """
    if n_turns == 1:
        parts = divide(inputs, share, seed)
        return [] if parts is None else [parts]
    shards, entries = inputs.shards, inputs.usable
    turns = [] if entries is None else draw_turns(entries, n_turns, seed, _stream_key(inputs))
    if not turns:
        shards = list(shards)
        if len(shards) == 1:
            try:
                return cut_in_turns(shards[0], n_turns)
            except AudioGMMError as error:
                if inputs.on_error is None:
                    raise
                inputs.on_error(shards[0].id, error)
                return []
        # one entry that holds several recordings, such as a Kaldi ark, or blocks of frames
        turns = draw_turns(
            (Entry(audio_filepath=f"/{shard.id}", id=shard.id) for shard in shards), n_turns, seed
        )
    return [(Chosen(shards, held, False), Chosen(shards, held, True)) for held in turns]


def divide(inputs: TrainingInputs, share: float, seed: int) -> tuple[Iterable[Shard], Iterable[Shard]] | None:
    """Divide recordings into those that train and those that are held out.

    Held out are recordings drawn by `seed` from those not set aside so far, or the last fifth of a single
    one; of a single recording in pieces, those that begin last.

    Returns
    -------
    tuple of iterable of Shard, or None
        What trains, and what is held out; None where `share` is 0, or there is nothing to divide.
    """
    if share == 0:
        return None
    shards, entries = inputs.shards, inputs.usable
    held = None if entries is None else draw(entries, share, seed, _stream_key(inputs))
    if entries is not None and held is None:
        pieces = sorted(entries, key=_place)
        if len(pieces) > 1:
            held = HoldOut.of((entry.id for entry in pieces[-max(1, len(pieces) // LAST_PART) :]), seed)
    if held is not None:
        return Chosen(shards, held, False), Chosen(shards, held, True)
    single = list(shards)
    if len(single) > 1:  # one entry that holds several recordings, such as a Kaldi ark
        named = [Entry(audio_filepath=f"/{shard.id}", id=shard.id) for shard in single]
        held = draw(named, share, seed)
        return None if held is None else (Chosen(single, held, False), Chosen(single, held, True))
    if not single:
        return None
    try:
        first, last = last_part(single[0])
    except AudioGMMError as error:
        if inputs.on_error is None:
            raise
        inputs.on_error(single[0].id, error)
        return None
    return [first], [last]


@dataclass(frozen=True)
class Chosen:
    """Those of the recordings that are held out, or the others."""

    shards: Iterable[Shard]
    held: HoldOut
    wanted: bool

    def __iter__(self) -> Iterator[Shard]:
        return (shard for shard in self.shards if (shard.id in self.held) == self.wanted)
