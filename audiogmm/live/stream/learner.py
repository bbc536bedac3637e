"""From frames to a mixture: a cold start, then stepwise EM, each batch scored before its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorer import FrameScores, LogLikelihoodScorer
from audiogmm.blocks import FrameBlock
from audiogmm.errors import TrainingError
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model, floor_of
from audiogmm.reduce import LocalReducer
from audiogmm.runs.defaults import choose_defaults
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.training import train_mixture
from audiogmm.training.em_steps import FlooredEM
from audiogmm.training.frames.packing import voiced_frames
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.online import OnlineEM, batch_of, memory_of
from audiogmm.types import BoolArray, Frames, Json, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

COLD_PASSES = 20
"""Passes of batch EM in the cold start, at most."""

MOST_SCORES = 360_000
"""Scores kept, 5 bytes each: an hour at a hop of 10 ms."""

LEAST_SCORED: Seconds = 60.0
"""The threshold rests on at least so much of the latest sound, if there is so much."""


class Learner:
    """Learn a mixture from the frames of a stream, in memory that does not grow.

    Batch EM, as `train` runs it, starts the mixture on the voiced frames of the first `cold_start` seconds
    (or of more, until they fill a batch). From then on each batch of frames is scored by the mixture of its
    time, and then `OnlineEM` takes a step on it. Batches lie at multiples of their length, so that any
    chunking gives the same mixture.

    Parameters
    ----------
    frontend : FrontEnd
        Of the frames, complete.
    clock : FrameClock
        Of the frames.
    settings : LearnSettings
        How to learn.
    start : Model, optional
        To continue from, in place of the cold start.

    Attributes
    ----------
    online : OnlineEM
        Takes the steps.
    latest : LatestScores
        Scores of frames before they were learned from.
    n_heard, n_cold : int
        Frames so far, and voiced frames of the cold start.
    """

    def __init__(
        self, frontend: FrontEnd, clock: FrameClock, settings: LearnSettings, start: Model | None = None
    ) -> None:
        usual = choose_defaults(frontend)
        form = settings.covariance_type or usual.covariance_type
        K = settings.n_components or usual.n_components
        relative = usual.floor if settings.floor is None else settings.floor
        if start is not None:
            K, form = start.mixture.n_components, start.mixture.covariance_type
        self.settings = settings
        self.clock = clock
        self.every_frame = frontend.vad == "none"
        em = FlooredEM(K, form, settings.seed, relative)
        batch = batch_of(K)
        self.online = OnlineEM(
            em,
            K,
            settings.exponent,
            settings.forget(batch, clock.frame_rate),
            batch,
            memory_of(form, frontend.n_features()),
        )
        self.latest = LatestScores()
        self.constant: tuple[int, ...] = ()
        self.n_heard = 0
        self._cold: list[Frames] = []
        self.n_cold = self._n_heard_cold = 0
        self._waiting: Frames | None = None
        self._marks: BoolArray = np.empty(0, np.bool_)
        self._scorer: LogLikelihoodScorer | None = None
        if start is not None:
            self._resume(start, em)

    @property
    def has_started(self) -> bool:
        """Whether there is a mixture."""
        return self.online.settled is not None

    @property
    def log_likelihood(self) -> float | None:
        """Mean of the last minute of scores, nats per frame; None before the first."""
        return self.latest.mean(round(60 * self.clock.frame_rate))

    @property
    def figures(self) -> Json:
        """Settings and steps, for the model's metadata."""
        online, settings = self.online, self.settings
        return {
            "exponent": online.alpha,
            "half_life_hours": settings.half_life,
            "forget": online.forget,
            "batch": online.batch,
            "memory": online.memory,
            "steps": online.steps,
            "cold_start": settings.cold_start,
        }

    def push(self, block: FrameBlock) -> int | None:
        """Learn from more frames; return the index of the frame that ends the cold start, if it is here."""
        self.n_heard += len(block)
        if self.has_started:
            self._learn(block.frames, block.voiced)
            return None
        taken = 0
        wanted = round(self.settings.cold_start * self.clock.frame_rate)
        while taken < len(block):
            step = len(block) - taken if self._n_heard_cold < wanted else 1
            step = min(step, max(wanted - self._n_heard_cold, 1))
            part = slice(taken, taken + step)
            self._keep(FrameBlock(block.frames[part], block.voiced[part], block.start + taken, block.clock))
            taken = part.stop
            if self._n_heard_cold >= wanted and self.n_cold >= self.online.batch:
                self._start()
                self._learn(block.frames[taken:], block.voiced[taken:])
                return block.start + taken - 1
        return None

    def close(self) -> None:
        """Learn from the frames that wait, at the end of the stream.

        Raises
        ------
        TrainingError
            If the stream held fewer voiced frames than components.
        """
        if not self.has_started:
            if self.n_cold < self.online.n_components:
                raise TrainingError(
                    f"the stream held {self.n_cold} voiced frames",
                    needed=f"at least {self.online.n_components}, one for each component",
                    remedy="a longer stream, or fewer components (-k)",
                )
            self._start()
        if self._waiting is not None and len(self._waiting):
            self._step(self._waiting, self._marks)
            self._waiting, self._marks = None, np.empty(0, np.bool_)
        self.online.flush()

    def _keep(self, block: FrameBlock) -> None:
        """Keep frames for the cold start."""
        rows = voiced_frames("the stream", block)
        self._n_heard_cold += len(block)
        if len(rows):
            self._cold.append(rows.copy())
            self.n_cold += len(rows)

    def _start(self) -> None:
        """Train on the frames of the cold start."""
        frames = np.concatenate(self._cold)
        self._cold = []
        online = self.online
        assert isinstance(online.em, FlooredEM)
        with LocalReducer(1) as reducer:
            result = train_mixture(
                [ArraySlice("the beginning of the stream", frames)],
                n_components=online.n_components,
                covariance_type=online.em.covariance_type,
                seed=self.settings.seed,
                passes=COLD_PASSES,
                floor=online.em.relative,
                reducer=reducer,
            )
        online.em.floor = result.floor
        self.constant = result.constant
        online.resume(result.mixture, result.statistics, len(frames) / online.batch)
        online.n_frames += len(frames)

    def _resume(self, start: Model, em: FlooredEM) -> None:
        """Continue from a model, with the normal scores that it keeps if they are log-likelihoods."""
        from audiogmm.anomaly.learning.model_parts import read_detector, read_learned_scores

        em.floor = floor_of(start)
        training, data = start.metadata.training, start.metadata.data
        self.constant = tuple(training.get("constant", ()))
        n_frames = float(data.get("n_frames") or 0)
        steps = (training.get("online") or {}).get("steps", n_frames / self.online.batch)
        self.online.resume(start.mixture, start.statistics, steps)
        self.online.n_frames = n_frames
        if start.metadata.detector is not None and read_learned_scores(start) is None:
            for track in read_detector(start).normal.tracks():
                self.latest.push(FrameScores(track.scores, track.voiced))

    def _learn(self, frames: Frames, voiced: BoolArray) -> None:
        """Cut frames into batches."""
        if self._waiting is not None and len(self._waiting):
            frames, voiced = np.concatenate([self._waiting, frames]), np.concatenate([self._marks, voiced])
        batch = self.online.batch
        whole = len(frames) // batch * batch
        for first in range(0, whole, batch):
            self._step(frames[first : first + batch], voiced[first : first + batch])
        self._waiting, self._marks = frames[whole:].copy(), voiced[whole:].copy()

    def _step(self, frames: Frames, voiced: BoolArray) -> None:
        """Score a batch, then learn from it."""
        assert self.online.settled is not None
        frames = np.ascontiguousarray(frames)
        block = FrameBlock(frames, voiced, self.latest.n_seen, self.clock)
        scorer = LogLikelihoodScorer(Evaluator(self.online.settled))
        self.latest.push(scorer.open("the stream").push(block))
        self.online.push(frames[voiced])


class LatestScores:
    """Keep the latest scores of a stream, each by the mixture of its time (test, then train).

    Parameters
    ----------
    most : int
        Number of scores kept.

    Examples
    --------
    >>> latest = LatestScores(most=3)
    >>> latest.push(FrameScores(np.array([1.0, 2.0]), np.ones(2, bool)))
    >>> latest.push(FrameScores(np.array([3.0, 4.0]), np.ones(2, bool)))
    >>> latest.last(9)[0], latest.n_seen
    (array([2., 3., 4.], dtype=float32), 4)
    """

    def __init__(self, most: int = MOST_SCORES) -> None:
        self._scores = np.full(most, 0.0, np.float32)  # allocated at once, so that memory never grows
        self._voiced = np.full(most, False)
        self.n_seen = 0

    def push(self, scored: FrameScores) -> None:
        """Keep more scores, in place of the oldest."""
        most = len(self._scores)
        scores, voiced = scored.scores[-most:], scored.voiced[-most:]
        self.n_seen += len(scored)
        places = np.arange(self.n_seen - len(scores), self.n_seen) % most
        largest = float(np.finfo(np.float32).max)
        self._scores[places] = np.clip(scores, -largest, largest)
        self._voiced[places] = voiced

    def last(self, n: int) -> tuple[np.ndarray, BoolArray]:
        """Return at most the last n scores, and which are voiced, the oldest first."""
        n = min(n, self.n_seen, len(self._scores))
        places = np.arange(self.n_seen - n, self.n_seen) % len(self._scores)
        return self._scores[places], self._voiced[places]

    def mean(self, n: int) -> float | None:
        """Return the mean of the voiced ones of the last n scores, nats; None if none is voiced."""
        scores, voiced = self.last(n)
        return float(scores[voiced].astype(np.float64).mean()) if voiced.any() else None

    def track(self, clock: FrameClock) -> ScoreTrack | None:
        """Return the later half of all scores so far, which are those of the better models; None without any.

        It is at least `LEAST_SCORED` long where there is so much, and at most what is kept.
        """
        n = max(self.n_seen // 2, round(LEAST_SCORED * clock.frame_rate))
        scores, voiced = self.last(n)
        if not len(scores):
            return None
        return ScoreTrack("stream", scores.astype(np.float64), voiced, FrameClock.for_rows(clock.frame_rate))
