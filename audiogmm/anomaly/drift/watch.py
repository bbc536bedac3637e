"""The monitor beside a detector: one verdict for each departure, and scores that are fair after a change."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.drift.baseline import DriftBaseline
from audiogmm.anomaly.drift.change import Change
from audiogmm.anomaly.drift.level_block import BLOCK, BlockCutter, LevelBlock
from audiogmm.anomaly.drift.monitor import DriftMonitor, DriftState
from audiogmm.anomaly.drift.settings import DriftSettings
from audiogmm.anomaly.scorer import FrameScores
from audiogmm.blocks import FrameBlock
from audiogmm.types import FloatArray, Seconds

_RARE, _ROOM = 0.02, 0.7  # the lowest share of windows after a change lies at so much of the threshold
_GROWTH = 0.5  # share of its size by which what rises must grow to be an event again


@dataclass(frozen=True)
class DriftWatch:
    """What is needed to watch a recording for drift; frozen and picklable.

    Attributes
    ----------
    baseline : DriftBaseline
        Of normal audio.
    bands : BandMap
        From the features to the levels that are watched.
    settings : DriftSettings
        When a departure gets a verdict.
    """

    baseline: DriftBaseline
    bands: BandMap
    settings: DriftSettings = field(default_factory=DriftSettings)

    def open(self, detector: Detector, state: DriftMemory | None = None) -> DriftStream:
        """Begin with a recording, or go on from another one of the same source."""
        return DriftStream(self, detector, state)


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """Scores as they would have been before a change: `typical + (score - center) / width`."""

    center: float
    width: float

    @classmethod
    def of(cls, scores: FloatArray, detector: Detector, *, rising: bool) -> ScoreScale:
        """Measure scores of after a change, shape (n,): their windows' center and how low they go."""
        width = min(2 * detector.half + 1, len(scores))
        sums = np.concatenate([[0.0], np.cumsum(scores)])
        means = (sums[width:] - sums[:-width]) / width
        center = float(np.median(means))
        room = max(detector.typical - detector.threshold, 1e-9)
        found = max(1.0, (center - float(np.quantile(means, _RARE))) / (_ROOM * room))
        if rising:
            found = max(found, _GROWTH * (detector.typical - center) / room)
        return cls(center, found)


@dataclass(frozen=True, slots=True)
class DriftMemory:
    """What goes on from one recording of a source to the next.

    Attributes
    ----------
    state : DriftState
        Of the monitor.
    scale : ScoreScale or None
        Of the scores, after a change.
    """

    state: DriftState
    scale: ScoreScale | None = None


class DriftStream:
    """Watch one recording, in any chunks; made by `DriftWatch.open`.

    Scores may come later than their frames: a block is looked at when the last of its frames is scored, so
    that a verdict changes the scores from one certain frame on.

    Attributes
    ----------
    monitor : DriftMonitor
        Of the levels.
    """

    def __init__(self, watch: DriftWatch, detector: Detector, memory: DriftMemory | None = None) -> None:
        self.monitor = DriftMonitor(watch.baseline, watch.settings, None if memory is None else memory.state)
        self._cutter = BlockCutter(watch.bands)
        self._detector = detector
        self._waiting: deque[LevelBlock] = deque()
        self._recent: deque[LevelBlock] = deque(maxlen=4 * round(watch.settings.hold / BLOCK))
        self._scores: deque[FloatArray] = deque(maxlen=round(watch.settings.hold / BLOCK) // 2)
        self._current: list[FloatArray] = []
        self._n_scored = 0
        self._scale = None if memory is None else memory.scale
        self.since: Seconds | None = None  # when an event began that goes on, or got its last verdict

    @property
    def memory(self) -> DriftMemory:
        """What the next recording of the same source goes on from."""
        return DriftMemory(self.monitor.state, self._scale)

    def push(self, block: FrameBlock) -> None:
        """Take the next frames."""
        self._waiting.extend(self._cutter.push(block))

    def split(self, scored: FrameScores) -> Iterator[tuple[FrameScores, Change | None]]:
        """Cut scores where a block ends; yield them, on the scale of normal audio, and the verdict there."""
        at = 0
        while at < len(scored):
            ends = self._waiting[0].last + 1 - self._n_scored if self._waiting else len(scored)
            until = max(at, min(len(scored), at + ends))
            part = FrameScores(scored.scores[at:until], scored.voiced[at:until])
            self._n_scored += until - at
            self._current.append(part.scores[part.voiced])
            at = until
            if self._scale is not None:
                typical, scale = self._detector.typical, self._scale
                shifted = typical + (part.scores - scale.center) / scale.width
                part = FrameScores(shifted, part.voiced)
            is_end = bool(self._waiting) and self._n_scored > self._waiting[0].last
            yield part, self._look(self._waiting.popleft()) if is_end else None

    def flush(self) -> Change | None:
        """End the recording; return the departure that goes on."""
        return self.monitor.flush()

    def locate(self, time: Seconds) -> LevelBlock:
        """Return the block that begins at a time, or next to it, of those that are remembered."""
        return min(self._recent, key=lambda block: abs(block.start - time))

    def _look(self, block: LevelBlock) -> Change | None:
        self._recent.append(block)
        self._scores.append(np.concatenate(self._current))
        self._current = []
        change = self.monitor.push(block)
        settings = self.monitor.settings
        if self.since is not None and change is None and block.end - self.since >= settings.hold:
            lasted = [one for one in self._recent if one.start >= self.since - BLOCK]
            if len(lasted) >= settings.fewest:
                change = self.monitor.judge(lasted)
        if change is not None and change.verdict != "transient":
            recent = np.concatenate(list(self._scores))
            if len(recent):
                self._scale = ScoreScale.of(recent, self._detector, rising=change.verdict == "rising")
            if self.since is not None:
                self.since = block.end
        return change
