"""Scores of some frames of normal audio, in bounded memory: what the scales of series are fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer, GroupsStream, PartsStream
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.blocks import Shard
from audiogmm.types import FloatArray

STRIDE = 5
"""Every fifth frame is kept: neighbors are nearly equal."""

MOST_ROWS = 400_000
"""Rows kept in all: five and a half hours at a hop of 10 ms."""


@dataclass(frozen=True, eq=False)
class ScoreRows:
    """Scores of frames of one recording that count, shape (n, n_series)."""

    id: str
    rows: FloatArray


@dataclass(frozen=True)
class ScoreRowsTask:
    """Scores every fifth frame of a recording; runs in a thread or a worker process.

    Parameters
    ----------
    scorer : FusedScorer
        Its groups, and for `grouped` their scales.
    grouped : bool
        Whether to take the groups' scores in place of those of their parts.
    """

    scorer: FusedScorer
    grouped: bool

    def __call__(self, shard: Shard) -> ScoreRows:
        if self.grouped:
            stream: GroupsStream | PartsStream = GroupsStream(self.scorer, shard.id)
            n = len(self.scorer.groups)
        else:
            parts = [part for group in self.scorer.groups for part in group.parts]
            stream, n = PartsStream(parts, shard.id), len(parts)
        kept, n_frames, n_rows = [np.empty((0, n))], 0, 0
        for block in shard:
            rows, voiced = stream.push(block)
            kept.append(_strided(rows, voiced, n_frames))
            n_frames, n_rows = n_frames + len(rows), n_rows + len(kept[-1])
            if n_rows >= MOST_ROWS:
                break
        rows, voiced = stream.flush()
        kept.append(_strided(rows, voiced, n_frames))
        return ScoreRows(shard.id, np.concatenate(kept)[:MOST_ROWS])


def _strided(rows: FloatArray, voiced: np.ndarray, start: int) -> FloatArray:
    chosen = voiced & (np.arange(start, start + len(rows)) % STRIDE == 0)
    kept: FloatArray = rows[chosen]
    return kept


def keep_rows(parts: Iterable[ScoreRows], most: int = MOST_ROWS) -> list[ScoreRows]:
    """Keep the rows of recordings, ordered by name, in bounded memory.

    When there are too many rows, whole recordings are left out, those whose ids have the largest hashes: a
    choice that depends neither on the order nor on the content.

    Examples
    --------
    >>> [part.id for part in keep_rows([ScoreRows("b", np.ones((1, 1))), ScoreRows("a", np.zeros((1, 1)))])]
    ['a', 'b']
    """
    kept: dict[str, ScoreRows] = {}
    n_kept = n_seen = 0
    smallest_dropped: bytes | None = None
    for part in parts:
        n_seen += 1
        name = part.id if part.id not in kept else f"{part.id} {n_seen}"  # another part of one recording
        if smallest_dropped is not None and _hash(name) > smallest_dropped:
            continue
        kept[name] = part
        n_kept += len(part.rows)
        while n_kept > most and len(kept) > 1:
            last = max(kept, key=_hash)
            smallest_dropped = _hash(last)
            n_kept -= len(kept.pop(last).rows)
    return [kept[id] for id in sorted(kept)]


def fit_scales(parts: Sequence[ScoreRows]) -> tuple[NormalScale, ...]:
    """Fit the scale of every column.

    Raises
    ------
    MismatchError
        If there is no row.
    """
    rows = np.concatenate([part.rows for part in parts]) if parts else np.empty((0, 1))
    return tuple(NormalScale.of(column) for column in rows.T)


def _hash(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()
