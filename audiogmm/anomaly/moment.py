"""Moments of normal audio, half a second each, described by a few numbers."""

from __future__ import annotations

import bisect
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.anomaly.modulation import Modulation
from audiogmm.blocks import FrameBlock
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Seconds

Row = dict[str, Any]
"""One moment, by the names of `ARRAYS`."""

WINDOW: Seconds = 0.5
"""Length of a moment."""

STILL = 1e-3
"""Least deviation of a feature within a moment: keeps the logarithm finite."""


@dataclass(frozen=True, eq=False)
class MomentRows:
    """Moments of one recording, one a row.

    Attributes
    ----------
    id, path : str
        The recording, and its file ("" where it has none).
    held_out : bool
        Whether the model that gave the scores was not trained on it.
    frame_rate : float
        Frames a second.
    number : ndarray of shape (n,), int64
        Places of the moments in the recording, counted in moments.
    start : ndarray of shape (n,), float64
        Where they begin, seconds on the recording's clock.
    mean, spread : ndarray of shape (n, n_static), float32
        Means of the static features, and logarithms of their deviations.
    modulation : ndarray of shape (n, n_values), float32
        Strength of modulation over the span that ends with the moment, decibels.
    has_span : ndarray of shape (n,), bool
        Whether the recording had begun by the span's start.
    score : ndarray of shape (n,), float32
        Mean log-likelihood, nats a frame.
    frame : ndarray of shape (n, n_features), float32
        The frame in the middle.
    tracks : ndarray of shape (n_tracks, n_features), float64
        What modulation is measured of, see `Modulation`.
    n_seen : int
        Moments that the recording has.
    """

    id: str
    path: str
    held_out: bool
    frame_rate: float
    number: NDArray[np.int64]
    start: FloatArray
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    modulation: NDArray[np.float32]
    has_span: BoolArray
    score: NDArray[np.float32]
    frame: NDArray[np.float32]
    tracks: FloatArray
    n_seen: int

    def __len__(self) -> int:
        return len(self.number)


ARRAYS = ("number", "start", "mean", "spread", "modulation", "has_span", "score", "frame")
"""What a moment has."""


@dataclass(frozen=True, eq=False)
class MomentPlan:
    """How moments are cut and described.

    Parameters
    ----------
    modulation : Modulation
        Measures modulation.
    static : ndarray of shape (n_static,), int64
        Which features describe a frame by itself: all but the deltas.
    every_frame : bool
        Count frames that are not voiced, too.
    """

    modulation: Modulation
    static: NDArray[np.int64]
    every_frame: bool

    @property
    def window(self) -> int:
        """Frames in a moment."""
        return max(1, round(WINDOW * self.modulation.frame_rate))

    def describe(self, frames: np.ndarray) -> tuple[FloatArray, FloatArray]:
        """Compute mean and log deviation of the static features of frames, (n_static,) each."""
        chosen = frames[:, self.static].astype(np.float64)
        return chosen.mean(axis=0), np.log(chosen.std(axis=0) + STILL)


class MomentCutter:
    """Cuts one recording into moments, as a stream, and keeps those with the smallest hashes.

    Parameters
    ----------
    plan : MomentPlan
        How moments are cut and described.
    id, path : str
        The recording.
    held_out : bool
        Whether the model that gives the scores was not trained on it.
    most : int
        Moments kept.
    """

    def __init__(self, plan: MomentPlan, id: str, path: str, held_out: bool, most: int) -> None:
        self._plan = plan
        self._named = (id, path, held_out)
        self._most = most
        self._frames: list[np.ndarray] = []  # of one span before the next moment, and what came since
        self._scores: list[FloatArray] = []
        self._counting: list[BoolArray] = []
        self._first = self._next = 0
        self._clock: FrameClock | None = None
        self._rows: list[tuple[bytes, Row]] = []
        self._n_seen = 0

    def push(self, block: FrameBlock, scores: FloatArray) -> None:
        """Take the next block, and its frames' log-likelihoods, nats."""
        if self._clock is None:
            self._clock, self._first = block.clock, block.start
            self._next = -(
                -block.start // self._plan.window
            )  # moments lie on one grid wherever a part begins
        self._frames.append(block.frames)
        self._scores.append(scores)
        self._counting.append(np.ones_like(block.voiced) if self._plan.every_frame else block.voiced)
        end = block.start + len(block)
        if (self._next + 1) * self._plan.window > end:
            return
        frames, counting = np.concatenate(self._frames), np.concatenate(self._counting)
        totals = np.concatenate(self._scores)
        while (self._next + 1) * self._plan.window <= end:
            self._cut(frames, totals, counting)
            self._next += 1
        drop = max(0, self._next * self._plan.window - self._plan.modulation.span - self._first)
        self._frames, self._scores, self._counting = (
            [frames[drop:].copy()],
            [totals[drop:].copy()],
            [counting[drop:].copy()],
        )
        self._first += drop

    def flush(self) -> MomentRows | None:
        """Return the moments that were kept, in order of time; None if there are none."""
        if not self._rows or self._clock is None:
            return None
        rows = sorted((row for _, row in self._rows), key=lambda row: row["number"])
        kinds = {"number": np.int64, "start": np.float64, "has_span": np.bool_}
        arrays: dict[str, Any] = {
            name: np.array([row[name] for row in rows], kinds.get(name, np.float32)) for name in ARRAYS
        }
        id, path, held_out = self._named
        return MomentRows(
            id,
            path,
            held_out,
            self._clock.frame_rate,
            tracks=self._plan.modulation.tracks,
            n_seen=self._n_seen,
            **arrays,
        )

    def _cut(self, frames: np.ndarray, scores: FloatArray, counting: BoolArray) -> None:
        plan, clock = self._plan, self._clock
        assert clock is not None
        first = self._next * plan.window - self._first
        piece = slice(first, first + plan.window)
        if 2 * np.count_nonzero(counting[piece]) <= plan.window - 1:
            return
        self._n_seen += 1
        id = self._named[0]
        key = hash_of(id, self._next)
        if len(self._rows) >= self._most and key > self._rows[-1][0]:
            return
        mean, spread = plan.describe(frames[piece][counting[piece]])
        span = frames[max(0, piece.stop - plan.modulation.span) : piece.stop]
        has_span = len(span) == plan.modulation.span and plan.modulation.n_values > 0
        moved = plan.modulation(span).ravel() if has_span else np.zeros(plan.modulation.n_values)
        middle = first + int(np.flatnonzero(counting[piece])[np.count_nonzero(counting[piece]) // 2])
        row: Row = {
            "number": self._next,
            "start": clock.start(self._next * plan.window),
            "mean": mean,
            "spread": spread,
            "modulation": moved,
            "has_span": has_span,
            "score": float(np.cumsum(scores[piece][counting[piece]])[-1] / np.count_nonzero(counting[piece])),
            "frame": frames[middle],
        }
        bisect.insort(self._rows, (key, row), key=_key)
        del self._rows[self._most :]


def _key(pair: tuple[bytes, Row]) -> bytes:
    return pair[0]


def hash_of(id: str, number: int) -> bytes:
    """Return a hash that orders moments at random, the same on every machine."""
    return hashlib.sha256(f"{id}\n{number}".encode()).digest()
