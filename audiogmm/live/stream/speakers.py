"""Who speaks: the `speaker` lines of a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.blocks import FrameBlock
from audiogmm.live.line import Line
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames, Json, Seconds
from audiogmm.verification.recordings.segment_scorer import SegmentScores

HOP: Seconds = 0.25
"""Between two windows."""

LEAST: Seconds = 0.5
"""Least speech in a window for an identification (or half the window, where that is less)."""

AGREEING = 2
"""Consecutive windows that have to agree before a change is reported."""


class SpeakerStage:
    """Identify the speaker in a sliding window, and report every change, see `StreamStage`.

    A window gives what `identify` gives for a recording of its frames: the voiced frames are scored against
    all speakers, the calibration turns the scores into likelihood ratios, and Bayes' theorem these into
    posteriors.

    Parameters
    ----------
    plan : StreamPlan
        With speakers.
    clock : FrameClock
        Of the frames, by the front end of the speakers.
    """

    def __init__(self, plan: StreamPlan, clock: FrameClock) -> None:
        assert plan.speakers is not None
        window = plan.settings.speaker_window
        self._identifier = plan.speakers.identifier
        self._clock = clock
        self._hop = clock.count(min(HOP, window))
        self._n_hops = max(1, round(window * clock.frame_rate / self._hop))
        self._least = max(1, min(clock.count(LEAST), self._n_hops * self._hop // 2))
        self._hops: deque[_Hop] = deque(maxlen=self._n_hops)
        self._frames: Frames | None = None
        self._voiced: BoolArray = np.empty(0, np.bool_)
        self._n_frames = 0
        self._now: tuple[str, str | None] | None = None
        self._next: tuple[str, str | None] | None = None
        self._agreed = 0

    def push(self, block: FrameBlock, scored: FrameScores) -> list[Line]:
        """Take the next frames; report the changes that they decide."""
        frames = block.frames if self._frames is None else np.concatenate([self._frames, block.frames])
        voiced = np.concatenate([self._voiced, block.voiced])
        whole = len(frames) // self._hop * self._hop
        lines: list[Line] = []
        for first in range(0, whole, self._hop):
            part = slice(first, first + self._hop)
            self._hops.append(self._score(np.ascontiguousarray(frames[part][voiced[part]])))
            self._n_frames += self._hop
            if len(self._hops) == self._n_hops:
                lines += self._compare()
        self._frames, self._voiced = frames[whole:].copy(), voiced[whole:].copy()
        return lines

    def flush(self, scored: FrameScores) -> Iterator[Line]:
        """Report nothing: a window that is cut short decides nothing."""
        return iter(())

    def _score(self, frames: Frames) -> _Hop:
        """Score the voiced frames of a hop."""
        speakers = self._identifier.scorer.speakers
        all_speakers = range(len(self._identifier.scorer.names))
        if not len(frames):
            return _Hop(0, np.zeros(len(all_speakers)), None)
        statistics = None if speakers.backend is None else speakers.evaluator.accumulate(frames)
        return _Hop(len(frames), speakers.scorer.totals(frames, all_speakers), statistics)

    def _compare(self) -> Iterator[Line]:
        """Report whether the window that ends here has another speaker."""
        body = self._outcome()
        outcome = body["heard"], body["speaker"]
        self._agreed = self._agreed + 1 if outcome == self._next else 1
        self._next = outcome
        if outcome != self._now and (self._agreed >= AGREEING or self._now is None):
            self._now = outcome
            window = self._n_hops * self._hop
            since = self._clock.start(self._n_frames - window)
            yield Line("speaker", self._clock.end(self._n_frames - 1), {"since": since, **body})

    def _outcome(self) -> Json:
        """Identify the speaker of the window."""
        n = sum(hop.n_frames for hop in self._hops)
        seconds = n / self._clock.frame_rate
        if n < self._least:
            return {"heard": "nothing", "speaker": None, "voiced_seconds": seconds}
        scorer = self._identifier.scorer
        total: FloatArray = np.sum([hop.total for hop in self._hops], axis=0)
        statistics: SufficientStats | None = None
        for hop in self._hops:
            if hop.statistics is not None:
                statistics = hop.statistics if statistics is None else statistics + hop.statistics
        space = scorer.speakers.compare(statistics, range(len(scorer.names)))
        scores = SegmentScores("", tuple((total / n).tolist()), space, seconds, seconds, None, "")
        speaker, posterior, nobody, candidates = self._identifier.rank(scores)
        return {
            "heard": "nobody" if speaker is None else "speaker",
            "speaker": speaker,
            "posterior": posterior,
            "nobody": nobody,
            "candidates": [
                {"speaker": c.speaker, "posterior": c.posterior, "llr": c.llr} for c in candidates
            ],
            "voiced_seconds": seconds,
        }


@dataclass(frozen=True, slots=True)
class _Hop:
    """Voiced frames of a hop: how many, sums of their ratios (n_speakers,), and their statistics."""

    n_frames: int
    total: FloatArray
    statistics: SufficientStats | None
