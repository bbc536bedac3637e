"""Normal by hour of day, or by a key of the manifest: scores on one level, whatever cell a frame is of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from audiogmm.anomaly.scorer import FrameScorer, FrameScores, ScorerStream
from audiogmm.blocks import FrameBlock, Shard, StreamPiece
from audiogmm.errors import MismatchError
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Json, Seconds
from audiogmm.wall_clock import find_zone, is_absolute, local_time

HOUR = "hour"
"""In place of a key: the hour of day."""

SHRINK: Seconds = 60.0
"""A cell of so much normal audio counts half, the rest of the normal audio the other half."""

LOW = 0.1
"""The quantile of scores whose distance from the median is the width of a cell."""

MOST = 200_000
"""Scores of a cell and a recording that are kept, evenly spread."""


CellScores: TypeAlias = Mapping[str, tuple[FloatArray, Seconds]]
"""Scores of voiced frames of a recording, shape (n,), and its seconds, by cell."""


@dataclass(frozen=True)
class CellRule:
    """What divides normal audio into cells.

    Parameters
    ----------
    key : str
        ``hour`` for the hour of day, or a key of the manifest.
    zone : str, optional
        By whose clocks hours count; UTC by default.
    """

    key: str
    zone: str | None = None

    def __post_init__(self) -> None:
        find_zone(self.zone)

    def cells(
        self, piece: StreamPiece | None, first: int, n: int, clock: FrameClock
    ) -> Iterator[tuple[int, str | None]]:
        """Yield the cells of `n` frames from frame `first` of a stream on: how many frames, and the cell."""
        if piece is None or self.key != HOUR:
            value = None if piece is None else piece.about.get(self.key)
            yield n, None if value is None else str(value)
            return
        zone = find_zone(self.zone)
        while n > 0:
            if piece.time is None:
                yield n, None
                return
            time = piece.time + (first - piece.first) / clock.frame_rate
            if not is_absolute(time):
                yield n, None
                return
            local = local_time(time, zone)
            left = 3600 - (60 * local.minute + local.second + local.microsecond / 1e6)
            step = min(n, max(1, int(np.ceil(left * clock.frame_rate - 1e-6))))
            yield step, f"{local.hour:02}"
            first, n = first + step, n - step


@dataclass(frozen=True, kw_only=True)
class CellOptions:
    """What a user asks of cells.

    Attributes
    ----------
    normal_by : str or None
        ``hour``, or a key of the manifest: see `CellLevels`. None leaves what the detector has.
    time_zone : str or None
        By whose clocks hours of day count; by default UTC.
    """

    normal_by: str | None = None
    time_zone: str | None = None

    @property
    def cells(self) -> CellRule | None:
        """The rule."""
        return None if self.normal_by is None else CellRule(self.normal_by, self.time_zone)


@dataclass(frozen=True, eq=False)
class CellLevels:
    """Puts the scores of each cell on the level and the width of all normal audio.

    A cell with `n` seconds of voiced normal audio has the share ``n / (n + SHRINK)`` of its own median and
    width, and the rest of those of all: a cell with little normal audio is nearly that of all, and one
    without any is.

    Attributes
    ----------
    rule : CellRule
    median, width : float
        Of the scores of all normal audio, nats: the width is the distance of the quantile `LOW`.
    cells : mapping of str to (float, float, float)
        Of each cell: its median and width, shrunk, and its seconds of normal audio.
    """

    rule: CellRule
    median: float
    width: float
    cells: Mapping[str, tuple[float, float, float]]

    @classmethod
    def fit(
        cls, rule: CellRule, scores: Mapping[str, FloatArray], seconds: Mapping[str, Seconds]
    ) -> CellLevels:
        """Fit the levels to scores of normal audio, shape (n,), and its seconds, by cell.

        Examples
        --------
        >>> quiet, loud = np.linspace(-42, -38, 101), np.linspace(-62, -58, 101)
        >>> levels = CellLevels.fit(CellRule("site"), {"a": quiet, "b": loud}, {"a": 6000.0, "b": 6000.0})
        >>> [float(levels.level(np.array([x]), cell).round()[0]) for x, cell in ((-40.0, "a"), (-60.0, "b"))]
        [-50.0, -50.0]
        """
        everything = np.concatenate(list(scores.values()))
        median, width = _spread(everything)
        found = {}
        for name in sorted(scores):
            own, share = _spread(scores[name]), seconds[name] / (seconds[name] + SHRINK)
            shrunk = (share * a + (1 - share) * b for a, b in zip(own, (median, width), strict=True))
            found[name] = (*shrunk, seconds[name])
        widths = [width for _, width, _ in found.values()]
        return cls(rule, median, float(np.mean(widths)) if widths else width, found)  # type: ignore[arg-type]

    def level(self, scores: FloatArray, cell: str | None) -> FloatArray:
        """Put scores of a cell, shape (n,), on the level of all; those of an unknown cell stay."""
        if cell is None or cell not in self.cells:
            return scores
        median, width, _ = self.cells[cell]
        return self.median + (scores - median) * (self.width / max(width, 1e-9))

    def cost(self, windows: FloatArray, window: Seconds) -> float:
        """Return the relative variance of the rate of alarms that comes of estimating the levels.

        The median of a cell with `n` independent windows has the standard error ``1.2533 s / sqrt(n)`` (of a
        normal variable); in a tail that falls off exponentially by `e`, an error of the level changes the
        rate by the factor ``exp(error / e)``. Cells count by their share of the normal audio.

        Parameters
        ----------
        windows : ndarray of shape (n_windows,), float64
            Window scores of the normal audio, sorted, nats.
        window : Seconds
            Length of a window.
        """
        low, median = np.quantile(windows, (0.02, 0.5))
        spread = max(float(median - np.quantile(windows, 0.159)), 1e-9)
        excess = max(float(np.mean(low - windows[windows <= low])), 1e-9)
        lengths = np.array([length for _, _, length in self.cells.values()])
        own = lengths / (lengths + SHRINK)
        errors = own * 1.2533 * spread / np.sqrt(np.maximum(lengths / window, 1.0)) / excess
        return float(np.sum(np.square(lengths / lengths.sum() * errors)))

    def to_json(self) -> Json:
        """Return what a model keeps."""
        return {
            "key": self.rule.key,
            "zone": self.rule.zone,
            "median": self.median,
            "width": self.width,
            "cells": {name: list(values) for name, values in self.cells.items()},
        }

    @classmethod
    def from_json(cls, found: Json) -> CellLevels:
        """Undo `to_json`.

        Raises
        ------
        KeyError
            If something is missing.
        """
        cells = {name: (float(a), float(b), float(c)) for name, (a, b, c) in found["cells"].items()}
        rule = CellRule(str(found["key"]), found["zone"])
        return cls(rule, float(found["median"]), float(found["width"]), cells)


def _spread(scores: FloatArray) -> tuple[float, float]:
    median, low = np.quantile(scores, (0.5, LOW))
    return float(median), max(float(median - low), 1e-9)


@dataclass(frozen=True)
class LeveledScorer:
    """Scores frames, and puts the scores of each cell on one level."""

    base: FrameScorer
    levels: CellLevels

    @property
    def latency(self) -> int:
        """That of the scorer."""
        return self.base.latency

    def open(self, id: str) -> _LeveledStream:
        """Begin with the recording of that name."""
        return _LeveledStream(self.base.open(id), self.levels)


@dataclass
class _LeveledStream:
    base: ScorerStream
    levels: CellLevels
    waiting: list[tuple[int, str | None]] = field(default_factory=list)  # frames whose scores are to come

    def push(self, block: FrameBlock) -> FrameScores:
        self.waiting += self.levels.rule.cells(block.piece, block.start, len(block), block.clock)
        return self._leveled(self.base.push(block))

    def flush(self) -> FrameScores:
        return self._leveled(self.base.flush())

    def _leveled(self, scored: FrameScores) -> FrameScores:
        parts = [
            self.levels.level(scored.scores[first : first + n], cell)
            for first, n, cell in take_cells(self.waiting, len(scored))
        ]
        return FrameScores(np.concatenate(parts), scored.voiced) if parts else scored


def take_cells(waiting: list[tuple[int, str | None]], n: int) -> list[tuple[int, int, str | None]]:
    """Take the cells of the next `n` frames out of a list: their first frame, their number, and the cell.

    Examples
    --------
    >>> waiting = [(3, "a"), (5, "b")]
    >>> take_cells(waiting, 4), waiting
    ([(0, 3, 'a'), (3, 1, 'b')], [(4, 'b')])
    """
    taken, first = [], 0
    while first < n:
        length, cell = waiting.pop(0)
        step = min(length, n - first)
        taken.append((first, step, cell))
        first += step
        if length > step:
            waiting.insert(0, (length - step, cell))
    return taken


@dataclass(frozen=True)
class CellTask:
    """Scores a recording, and returns voiced scores and seconds by cell; runs in a thread or a worker."""

    scorer: FrameScorer
    rule: CellRule

    def __call__(self, shard: Shard) -> CellScores:
        stream, waiting = self.scorer.open(shard.id), list[tuple[int, str | None]]()
        found: dict[str, list[FloatArray]] = {}
        rate = 1.0

        def take(scored: FrameScores) -> None:
            for first, n, cell in take_cells(waiting, len(scored)):
                if cell is not None:
                    voiced = scored.voiced[first : first + n]
                    found.setdefault(cell, []).append(scored.scores[first : first + n][voiced])

        for block in shard:
            rate = block.clock.frame_rate
            waiting += self.rule.cells(block.piece, block.start, len(block), block.clock)
            take(stream.push(block))
        take(stream.flush())
        joined = {cell: np.concatenate(parts) for cell, parts in found.items()}
        kept = {cell: scores for cell, scores in joined.items() if len(scores)}
        return {cell: (_thinned(scores), len(scores) / rate) for cell, scores in kept.items()}


def _thinned(scores: FloatArray) -> FloatArray:
    kept: FloatArray = scores[:: -(-len(scores) // MOST)]
    return kept


def fit_levels(rule: CellRule, rows: Iterable[CellScores]) -> CellLevels | None:
    """Fit levels to what `CellTask` returned of each recording; None where no frame is of a cell."""
    scores: dict[str, list[FloatArray]] = {}
    seconds: dict[str, float] = {}
    for row in rows:
        for cell, (values, length) in row.items():
            scores.setdefault(cell, []).append(values)
            seconds[cell] = seconds.get(cell, 0.0) + length
    if not scores:
        return None
    return CellLevels.fit(rule, {cell: np.concatenate(parts) for cell, parts in scores.items()}, seconds)


def levels_of(metadata: Mapping[str, Any] | None) -> CellLevels | None:
    """Return the levels in a detector's metadata, if it has some."""
    found = None if metadata is None else metadata.get("cells")
    return None if found is None else CellLevels.from_json(found)


def no_cells(rule: CellRule) -> MismatchError:
    """Return the error where no frame of normal audio is of a cell."""
    is_hour = rule.key == HOUR
    return MismatchError(
        f"no normal recording has a {'time of day' if is_hour else 'key ' + repr(rule.key)}",
        needed="times in the manifest" if is_hour else "that key in the manifest",
        remedy="audiogmm manifest scan DIR -o M.jsonl, which finds them in names"
        if is_hour
        else "--normal-by hour",
    )
