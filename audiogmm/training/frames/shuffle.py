"""Frames in a seeded random order, in bounded memory: the batches of stepwise training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audiogmm.errors import AudioGMMError
from audiogmm.telemetry.meter import count_done
from audiogmm.training.frames.packing import Packer, pack_frames
from audiogmm.training.frames.source import SET_ASIDE, ArraySource, FrameSource, RereadSource
from audiogmm.training.frames.spool import Spool, read_rows
from audiogmm.types import Frames

BLOCK_ROWS = 128
"""Consecutive rows that are read together from a spool, each from a random place."""

WINDOW_ROWS = 1 << 16
"""Rows that are shuffled together: at 60 features 16 MB."""


def shuffled(
    source: FrameSource,
    batch: int,
    seed: np.random.SeedSequence,
    block: int = BLOCK_ROWS,
    window: int = WINDOW_ROWS,
) -> Iterator[Frames]:
    """Yield all frames of a source once, in random order, `batch` rows at a time.

    From memory and from a spool, blocks of consecutive rows are taken in random order until they fill a
    window, and the rows of a window are shuffled. So a corpus sorted by speaker gives mixed batches: a
    window draws from ``window / block`` places. Recordings that are read again cannot be drawn at random;
    they come in their order, and only the rows of a window are shuffled.

    Parameters
    ----------
    source : FrameSource
        The frames.
    batch : int
        Rows of each array; the last one may have fewer.
    seed : SeedSequence
        Decides the order, together with the number of frames.
    block, window : int
        Rows read together, and rows shuffled together.

    Yields
    ------
    ndarray of shape (batch, n_features)
        Good until the next.

    Raises
    ------
    AudioGMMError
        If a recording cannot be read any more, and there is no `on_error`.

    Examples
    --------
    >>> source = ArraySource(np.arange(10, dtype=np.float32)[:, None])
    >>> [len(rows) for rows in shuffled(source, 4, np.random.SeedSequence(0), block=2, window=6)]
    [4, 4, 2]
    """
    random = np.random.default_rng(seed)
    packer = Packer(batch)
    for rows in _windows(source, random, block, window):
        yield from packer.push(rows[random.permutation(len(rows))])
    yield from packer.flush()


def _windows(source: FrameSource, random: np.random.Generator, block: int, window: int) -> Iterator[Frames]:
    """Rows in portions of at most about `window`, from random blocks where the source allows it."""
    if isinstance(source, RereadSource):
        yield from _in_order(source, window)
        return
    n = source.n_frames
    places = random.permutation(-(-n // block)).astype(np.int64)
    for chosen in np.array_split(places, -(-n // window)):  # of one size: a small last one would mix badly
        starts = [int(place) * block for place in chosen]
        if starts:
            yield np.concatenate([read(source, start, min(block, n - start)) for start in starts])


def read(source: FrameSource, first: int, n_rows: int) -> Frames:
    """Read rows `first` to `first + n_rows` of a source that keeps them: one in memory, or a spool."""
    if isinstance(source, ArraySource):
        return source.frames[first : first + n_rows]
    assert isinstance(source, Spool)
    count_done(frames=n_rows)
    return read_rows(source.path, first, n_rows, source.n_features, source.dtype)


def _in_order(source: RereadSource, window: int) -> Iterator[Frames]:
    """The recordings one after the other; of one that fails, what came before stays."""
    packer = Packer(window)
    for place, (count, shard) in enumerate(zip(list(source.counts), source.shards, strict=False)):
        if count == SET_ASIDE:
            continue
        try:
            for rows in pack_frames(shard):
                yield from packer.push(rows)
        except AudioGMMError as error:
            if source.on_error is None:
                raise
            source.counts[place] = SET_ASIDE
            source.on_error(shard.id, error)
    yield from packer.flush()
