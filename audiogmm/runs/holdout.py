"""Which recordings a training holds out to learn how normal audio scores."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.manifest import Entry
from audiogmm.runs.training_inputs import TrainingInputs

FEWEST, SHORTEST = 2, 30.0
"""Least number of recordings that are held out, and of seconds where the manifest has durations."""

LAST_PART = 5
"""Of a single recording, the last fifth is held out."""

MOST_TURNS = 4
"""Largest number of turns in which the other recordings are held out: each costs a training."""


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


def draw(entries: Iterable[Entry], share: float, seed: int) -> HoldOut | None:
    """Draw `share` of the recordings, at least two, and 30 s where all durations are known, but at most half.

    Pieces of one file are one recording: all of them are held out, or none.

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
        files.append(rank(entry.path, seed))
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


def draw_turns(entries: Iterable[Entry], first: HoldOut, seed: int) -> list[HoldOut]:
    """Draw the turns in which the others are held out: as many recordings each as in the first, or a quarter.

    Examples
    --------
    >>> entries = [Entry(audio_filepath=f"/{i}.wav", id=str(i)) for i in range(20)]
    >>> first = draw(entries, 0.1, seed=0)
    >>> [sum(entry.id in held for entry in entries) for held in [first, *draw_turns(entries, first, 0)]]
    [2, 4, 5, 4, 5]
    """
    files: dict[str, list[str]] = {}
    for entry in entries:
        files.setdefault(entry.path, []).append(entry.id)
    recordings = sorted(files.values(), key=lambda ids: rank(ids[0], seed))
    others = [ids for ids in recordings if not any(id in first for id in ids)]
    n_turns = min(MOST_TURNS, max(1, len(others) // max(1, len(recordings) - len(others)))) if others else 0
    parts = [others[i * len(others) // n_turns : (i + 1) * len(others) // n_turns] for i in range(n_turns)]
    return [HoldOut.of((id for ids in part for id in ids), seed) for part in parts]


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
    held = None if entries is None else draw(entries, share, seed)
    if entries is not None and held is None:
        pieces = sorted(entries, key=lambda entry: entry.offset)
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
