"""Windows on a fixed grid of frames, and scores of whole windows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.blocks import FrameBlock
from audiogmm.errors import MismatchError
from audiogmm.scoring.track import require_finite, require_finite_frames
from audiogmm.types import BoolArray, FloatArray, Frames

NUMBERS = 1 << 19
"""Numbers in the windows that are scored at a time."""


class GridWindows:
    """Cut rows into windows around the frames 0, hop, 2 hop, ... wherever the blocks end.

    Parameters
    ----------
    half : int
        Frames on either side of a window's middle; at the ends of a recording those that are missing are
        marked as not counting.
    hop : int
        Frames from one middle to the next.

    Examples
    --------
    >>> windows = GridWindows(1, 2)
    >>> [(rows[:, :, 0].tolist(), counts.tolist()) for rows, counts in windows.push(np.eye(3)[:, :1],
    ...                                                                             np.ones(3, bool))]
    [([[0.0, 1.0, 0.0]], [[False, True, True]])]
    >>> [(rows[:, :, 0].tolist(), counts.tolist()) for rows, counts in windows.flush()]
    [([[0.0, 0.0, 0.0]], [[True, True, False]])]
    """

    def __init__(self, half: int, hop: int) -> None:
        self.half, self.hop = half, hop
        self._rows: FloatArray | None = None
        self._counts: BoolArray = np.zeros(half, dtype=np.bool_)
        self._first = -half  # index of the first row that is held
        self._n_frames = 0
        self._middle = 0  # of the next window

    def push(self, rows: FloatArray, counts: BoolArray) -> Iterator[tuple[FloatArray, BoolArray]]:
        """Take the next rows, shape (n, m), and which of them count.

        Yields
        ------
        rows : ndarray of shape (n_windows, 2 * half + 1, m)
            Of windows that are complete; zero where there is no frame.
        counts : ndarray of shape (n_windows, 2 * half + 1), bool
            Which of them count.
        """
        self._n_frames += len(rows)
        return self._cut(rows, counts, self._n_frames)

    def flush(self) -> Iterator[tuple[FloatArray, BoolArray]]:
        """Yield the windows that the end of the recording cuts short."""
        if self._rows is None:
            return iter(())
        missing = np.zeros((self.half, self._rows.shape[1]))
        return self._cut(missing, np.zeros(self.half, dtype=np.bool_), self._n_frames)

    def _cut(
        self, rows: FloatArray, counts: BoolArray, n_frames: int
    ) -> Iterator[tuple[FloatArray, BoolArray]]:
        before = np.zeros((self.half, rows.shape[1])) if self._rows is None else self._rows
        self._rows = np.concatenate([before, rows])
        self._counts = np.concatenate([self._counts, counts])
        width = 2 * self.half + 1
        last = min(self._first + len(self._rows) - 1 - self.half, n_frames - 1)
        middles = np.arange(self._middle, last + 1, self.hop)
        step = max(1, NUMBERS // (width * max(rows.shape[1], 1)))
        for i in range(0, len(middles), step):
            places = middles[i : i + step, None] - self.half - self._first + np.arange(width)
            yield self._rows[places], self._counts[places]
        self._middle += len(middles) * self.hop
        done = min(self._middle - self.half - self._first, len(self._rows))
        if done > 0:
            self._rows, self._counts = self._rows[done:].copy(), self._counts[done:].copy()
            self._first += done


class WindowScorer(ABC):
    """A score of windows on a grid: every frame has that of the window whose middle is nearest.

    A subclass is a frozen dataclass with `half` and `hop` (frames, ``hop <= 2 * half``) and `every_frame`
    (whether frames of exact silence count), and defines how a window is made of frames and scored. Memory is
    bounded: one window, and what it is compared with.
    """

    half: int
    hop: int
    every_frame: bool

    @abstractmethod
    def rows(self, frames: Frames) -> FloatArray:
        """Map frames of shape (n, d) to rows of shape (n, m), of which windows are made, each by itself."""

    @abstractmethod
    def vectors(self, rows: FloatArray, counts: BoolArray) -> FloatArray:
        """Describe windows in which some frame counts by vectors, shape (n_windows, v)."""

    @abstractmethod
    def score(self, vectors: FloatArray) -> FloatArray:
        """Score windows by their vectors, shape (n_windows,); higher is more normal."""

    @property
    def latency(self) -> int:
        """Half a window, and half of the grid's hop."""
        return self.half + self.hop // 2

    def open(self, id: str) -> _GridScores:
        """Begin with the recording of that name."""
        return _GridScores(self, id)

    def voiced(self, block: FrameBlock) -> BoolArray:
        """Mark the frames of a block that count."""
        return np.ones_like(block.voiced) if self.every_frame else block.voiced

    def vectors_of(self, blocks: Iterator[FrameBlock], id: str) -> Iterator[FloatArray]:
        """Give the vectors of a recording's windows, a few windows at a time: what a score learns from."""
        windows = GridWindows(self.half, self.hop)
        for block in blocks:
            require_finite_frames(id, block)
            yield from self._counting(windows.push(self.rows(block.frames), self.voiced(block)))
        yield from self._counting(windows.flush())

    def _counting(self, windows: Iterator[tuple[FloatArray, BoolArray]]) -> Iterator[FloatArray]:
        for rows, counts in windows:
            counting = counts.any(axis=1)
            if counting.any():
                yield self.vectors(rows[counting], counts[counting])


class _GridScores:
    def __init__(self, scorer: WindowScorer, id: str) -> None:
        if not 1 <= scorer.hop <= 2 * scorer.half:
            raise MismatchError(
                f"windows of {2 * scorer.half + 1} frames every {scorer.hop} frames",
                needed="windows that leave no frame out",
                remedy="a longer window",
            )
        self.scorer = scorer
        self.id = id
        self._windows = GridWindows(scorer.half, scorer.hop)
        self._n_windows = 0
        self._n_frames = 0  # scored
        self._last = 0.0  # score of the last window
        self._marks: list[BoolArray] = []  # of frames that wait for their window
        self._block: FrameBlock | None = None

    def push(self, block: FrameBlock) -> FrameScores:
        require_finite_frames(self.id, block)
        voiced = self.scorer.voiced(block)
        self._marks.append(voiced)
        self._block = block
        scores = self._scored(self._windows.push(self.scorer.rows(block.frames), voiced))
        hop = self.scorer.hop
        return self._give(scores, self._n_windows * hop - hop // 2 - self._n_frames)

    def flush(self) -> FrameScores:
        scores = self._scored(self._windows.flush())
        return self._give(scores, sum(map(len, self._marks)))

    def _scored(self, windows: Iterator[tuple[FloatArray, BoolArray]]) -> FloatArray:
        """Scores of windows, from the last one of before on; 0 where nothing counts."""
        found = [np.array([self._last])]
        for rows, counts in windows:
            counting = counts.any(axis=1)
            scores = np.zeros(len(rows))
            if counting.any():
                scores[counting] = self.scorer.score(self.scorer.vectors(rows[counting], counts[counting]))
            found.append(scores)
            self._n_windows += len(rows)
        scores = np.concatenate(found)
        self._last = float(scores[-1])
        return scores

    def _give(self, windows: FloatArray, n: int) -> FrameScores:
        """The next `n` frames; `windows` are the scores of the last windows."""
        marks = np.concatenate([np.empty(0, np.bool_), *self._marks])
        n = max(n, 0)
        frames = np.arange(self._n_frames, self._n_frames + n)
        nearest = np.minimum((frames + self.scorer.hop // 2) // self.scorer.hop, self._n_windows - 1)
        scores = windows[nearest - self._n_windows + len(windows)]
        if n and self._block is not None:
            require_finite(scores, self.id, self._n_frames, self._block.clock)
        self._n_frames += n
        self._marks = [marks[n:]]
        return FrameScores(scores, marks[:n])
