"""The scores that a listener works with, taken on their way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import NOTHING, FrameScorer, Scored, ScorerStream
from audiogmm.blocks import FrameBlock


class Tap:
    """A scorer of one recording whose scores can be read besides, without being computed twice.

    Parameters
    ----------
    scorer : FrameScorer
        What scores.
    """

    def __init__(self, scorer: FrameScorer) -> None:
        self._scorer = scorer
        self._passed: list[Scored] = []

    @property
    def latency(self) -> int:
        """The scorer's."""
        return self._scorer.latency

    def open(self, id: str) -> ScorerStream:
        """Begin with a recording."""
        return _Tapped(self._scorer.open(id), self._passed)

    def take(self) -> Scored:
        """What has passed since it was last asked."""
        if not self._passed:
            return NOTHING
        parts = tuple(self._passed)
        self._passed.clear()
        if len(parts) == 1:
            return parts[0]
        return Scored(np.concatenate([p.scores for p in parts]), np.concatenate([p.voiced for p in parts]))


@dataclass(frozen=True)
class _Tapped:
    stream: ScorerStream
    passed: list[Scored]

    def push(self, block: FrameBlock) -> Scored:
        scored = self.stream.push(block)
        self.passed.append(scored)
        return scored

    def flush(self) -> Scored:
        scored = self.stream.flush()
        self.passed.append(scored)
        return scored
