"""Who is heard now: one of those enrolled, somebody else, or nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.live.stream.line import Line
from audiogmm.live.stream.plan import SpeakerPlan
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames, Json, Seconds
from audiogmm.verification.identification import likeliest
from audiogmm.verification.recordings.trial_scorer import ScoredTrials

HOP: Seconds = 0.25
"""How often it is asked who speaks."""

LEAST: Seconds = 0.5
"""Speech in a window under which nobody is said to speak (or half the window, where that is less)."""

AGREEING = 2
"""Windows, one after the other, that have to agree before a change is told."""


class SpeakerStage:
    """Identifies who speaks in a sliding window, and tells when that changes.

    What a window gives is what `identify` gives of a recording of its frames: the voiced ones are scored
    against all speakers, the calibration makes likelihood ratios of that, and Bayes' theorem posteriors.

    Parameters
    ----------
    plan : SpeakerPlan
        Who is listened for.
    clock : FrameClock
        Of the frames.
    window : Seconds
        Length of the window.
    """

    def __init__(self, plan: SpeakerPlan, clock: FrameClock, window: Seconds) -> None:
        self._identifier = plan.identifier
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

    def push(self, block: FrameBlock) -> list[Line]:
        """Take the next frames; tell the changes."""
        frames = block.frames if self._frames is None else np.concatenate([self._frames, block.frames])
        voiced = np.concatenate([self._voiced, block.voiced])
        whole = len(frames) // self._hop * self._hop
        lines: list[Line] = []
        for first in range(0, whole, self._hop):
            part = slice(first, first + self._hop)
            self._hops.append(self._heard(np.ascontiguousarray(frames[part][voiced[part]])))
            self._n_frames += self._hop
            if len(self._hops) == self._n_hops:
                lines += self._look()
        self._frames, self._voiced = frames[whole:].copy(), voiced[whole:].copy()
        return lines

    def _heard(self, frames: Frames) -> _Hop:
        """What the voiced frames of a hop give."""
        speakers = self._identifier.scorer.speakers
        everybody = range(len(self._identifier.scorer.names))
        if not len(frames):
            return _Hop(0, np.zeros(len(everybody)), None)
        statistics = None if speakers.backend is None else speakers.evaluator.accumulate(frames)
        return _Hop(len(frames), speakers.scorer.totals(frames, everybody), statistics)

    def _look(self) -> Iterator[Line]:
        """Tell whether the window that ends here has another speaker."""
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
        """Who is heard in the window."""
        n = sum(hop.n_frames for hop in self._hops)
        seconds = n / self._clock.frame_rate
        if n < self._least:
            return {"heard": "nothing", "speaker": None, "voiced_seconds": seconds}
        identifier = self._identifier
        names = identifier.scorer.names
        speakers = identifier.scorer.speakers
        total: FloatArray = np.sum([hop.total for hop in self._hops], axis=0)
        statistics: SufficientStats | None = None
        for hop in self._hops:
            if hop.statistics is not None:
                statistics = hop.statistics if statistics is None else statistics + hop.statistics
        scored = ScoredTrials(len(names))
        scored.enrolled = np.array(identifier.enrolled)
        scored.raw, scored.voiced = total / n, np.full(len(names), seconds)
        if space := speakers.compared(statistics, range(len(names)), "none"):
            scored.space = np.array(space)
        speaker, posterior, nobody, candidates = likeliest(
            names, identifier.llr(scored), identifier.known, identifier.top
        )
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


class _Hop:
    """Voiced frames of a hop: how many, sums of their ratios (n_speakers,), and their statistics."""

    __slots__ = ("n_frames", "statistics", "total")

    def __init__(self, n_frames: int, total: FloatArray, statistics: SufficientStats | None) -> None:
        self.n_frames = n_frames
        self.total = total
        self.statistics = statistics
