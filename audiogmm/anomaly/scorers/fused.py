"""Several scores as one: each on the scale of normal audio, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import FrameScorer, FrameScores, ScorerStream
from audiogmm.anomaly.scorers.pools import PoolStream
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.blocks import FrameBlock
from audiogmm.types import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class FusedScorer:
    """A frame scorer made of groups of series.

    Each series of a group that is `scaled` becomes normal deviates (`NormalScale`); a group is the lowest or
    the mean of its series; and several groups, again as normal deviates, are averaged. No label takes part:
    deviates come from normal audio alone.

    Attributes
    ----------
    groups : tuple of SeriesGroup
        One for each score that was asked for.
    part_scales : tuple of NormalScale
        Of the series of those groups that are scaled, in order.
    group_scales : tuple of NormalScale
        Of the groups, where there are several; empty otherwise.
    """

    groups: tuple[SeriesGroup, ...]
    part_scales: tuple[NormalScale, ...] = ()
    group_scales: tuple[NormalScale, ...] = ()

    @property
    def latency(self) -> int:
        """Of the slowest series, and what comes after it."""
        return max(
            max(part.latency for part in group.parts) + (group.after.latency if group.after else 0)
            for group in self.groups
        )

    def open(self, id: str) -> FusedStream:
        """Begin with the recording of that name."""
        return FusedStream(self, id)


class Columns:
    """Values that arrive column by column, given out in rows as they are complete."""

    def __init__(self, n: int) -> None:
        self._columns: list[FloatArray] = [np.empty(0)] * n

    def add(self, column: int, values: FloatArray) -> None:
        """Add the next values of a column."""
        self._columns[column] = np.concatenate([self._columns[column], values])

    def take(self) -> FloatArray:
        """Return the rows that are complete, shape (n, n_columns)."""
        n = min(map(len, self._columns))
        rows = np.stack([column[:n] for column in self._columns], axis=1)
        self._columns = [column[n:].copy() for column in self._columns]
        return rows


class PartsStream:
    """The series of one recording, side by side; any chunking gives the same bytes."""

    def __init__(self, parts: Sequence[ScoreSeries], id: str) -> None:
        self._bases: list[tuple[FrameScorer, ScorerStream]] = []
        self._series: list[tuple[int, PoolStream | None]] = []
        for part in parts:
            places = [i for i, (base, _) in enumerate(self._bases) if base is part.base]
            if not places:  # a base that several series share is evaluated once
                places = [len(self._bases)]
                self._bases.append((part.base, part.base.open(id)))
            self._series.append((places[0], part.pool.open() if part.pool else None))
        self._columns = Columns(len(parts))
        self._voiced: list[BoolArray] = []

    def push(self, block: FrameBlock) -> tuple[FloatArray, BoolArray]:
        """Take the next block; return complete rows, shape (n, n_parts), and which frames count."""
        return self._take([stream.push(block) for _, stream in self._bases], over=False)

    def flush(self) -> tuple[FloatArray, BoolArray]:
        """Return the rest."""
        return self._take([stream.flush() for _, stream in self._bases], over=True)

    def _take(self, scored: list[FrameScores], over: bool) -> tuple[FloatArray, BoolArray]:
        for column, (place, pool) in enumerate(self._series):
            scores, voiced = scored[place].scores, scored[place].voiced
            if pool is None:
                self._columns.add(column, scores)
                continue
            self._columns.add(column, pool.push(scores, voiced))
            if over:
                self._columns.add(column, pool.flush())
        rows = self._columns.take()
        marks = np.concatenate([*self._voiced, scored[0].voiced])
        self._voiced = [marks[len(rows) :]]
        return rows, marks[: len(rows)]


class GroupsStream:
    """The groups' scores of one recording; the scorer's `part_scales` must have been fitted."""

    def __init__(self, scorer: FusedScorer, id: str) -> None:
        self.groups = scorer.groups
        self.scales = scorer.part_scales
        self._parts = PartsStream([part for group in scorer.groups for part in group.parts], id)
        self._after = [group.after.open() if group.after else None for group in scorer.groups]
        self._columns = Columns(len(scorer.groups))
        self._voiced: list[BoolArray] = []

    def push(self, block: FrameBlock) -> tuple[FloatArray, BoolArray]:
        """Take the next block; return complete rows, shape (n, n_groups), and which frames count."""
        return self._take(*self._parts.push(block), over=False)

    def flush(self) -> tuple[FloatArray, BoolArray]:
        """Return the rest."""
        return self._take(*self._parts.flush(), over=True)

    def _take(self, rows: FloatArray, voiced: BoolArray, over: bool) -> tuple[FloatArray, BoolArray]:
        first, scales = 0, iter(self.scales)
        for column, (group, after) in enumerate(zip(self.groups, self._after, strict=True)):
            series = [rows[:, first + i] for i in range(len(group.parts))]
            first += len(group.parts)
            if group.scaled:
                series = [next(scales)(values) for values in series]
            scores = lowest(series) if group.how == "lowest" else mean(series)
            if after is not None:
                scores = after.push(scores, voiced)
            self._columns.add(column, scores)
            if after is not None and over:
                self._columns.add(column, after.flush())
        rows = self._columns.take()
        marks = np.concatenate([*self._voiced, voiced])
        self._voiced = [marks[len(rows) :]]
        return rows, marks[: len(rows)]


class FusedStream:
    """The fused scores of one recording."""

    def __init__(self, scorer: FusedScorer, id: str) -> None:
        self._groups = GroupsStream(scorer, id)
        self._scales = scorer.group_scales

    def push(self, block: FrameBlock) -> FrameScores:
        """Take the next block; return the scores that are complete."""
        return self._fuse(*self._groups.push(block))

    def flush(self) -> FrameScores:
        """Return the rest."""
        return self._fuse(*self._groups.flush())

    def _fuse(self, rows: FloatArray, voiced: BoolArray) -> FrameScores:
        if not self._scales:
            return FrameScores(rows[:, 0], voiced)
        deviates = [scale(rows[:, i]) for i, scale in enumerate(self._scales)]
        return FrameScores(mean(deviates), voiced)


def lowest(series: Sequence[FloatArray]) -> FloatArray:
    """Return the lowest of several series, frame by frame."""
    found = series[0]
    for values in series[1:]:
        found = np.minimum(found, values)
    return found


def mean(series: Sequence[FloatArray]) -> FloatArray:
    """Average several series, summed one after the other, so that chunks do not matter.

    Examples
    --------
    >>> mean([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([2., 4.])
    """
    total = series[0]
    for values in series[1:]:
        total = total + values
    return total / len(series)
