"""A model that learns from frames as they come: a cold start, then stepwise EM, and scores before steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorer import FrameScores, LogLikelihoodScorer
from audiogmm.blocks import FrameBlock
from audiogmm.errors import TrainingError
from audiogmm.live.stream.latest_scores import LatestScores
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model, floor_of
from audiogmm.runs.defaults import defaults
from audiogmm.timeline import FrameClock
from audiogmm.training import LocalReducer, train_mixture
from audiogmm.training.arithmetic import Clustered
from audiogmm.training.frames.packing import voiced_frames
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.online import OnlineEM, batch_of, memory_of
from audiogmm.types import BoolArray, Frames, Json

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

COLD_PASSES = 20
"""Passes of batch EM over the first sounds, at most."""


class Learner:
    """Learns a mixture from a stream of blocks, in memory that does not grow.

    The voiced frames of the first `cold_start` seconds (or of more, until there is a batch of them) are
    trained on by batch EM, from the start that `train` takes. From there on every batch of frames is scored
    by the model of its time, and then learned from by a step of EM (`OnlineEM`). Batches lie at multiples of
    their length, so that any chunking gives the same model.

    Parameters
    ----------
    frontend : FrontEnd
        Of the frames, settled.
    clock : FrameClock
        Of the frames.
    settings : LearnSettings
        How.
    start : Model, optional
        To go on from, in place of a cold start.

    Attributes
    ----------
    online : OnlineEM
        What learns.
    latest : LatestScores
        Of frames before they were learned from.
    n_heard, n_cold : int
        Frames heard, and voiced ones that the start was trained on.
    """

    def __init__(
        self, frontend: FrontEnd, clock: FrameClock, settings: LearnSettings, start: Model | None = None
    ) -> None:
        usual = defaults(frontend)
        form = settings.covariance_type or usual["covariance_type"]
        K = settings.n_components or usual["n_components"]
        relative = usual["floor"] if settings.floor is None else settings.floor
        if start is not None:
            K, form = start.mixture.n_components, start.mixture.covariance_type
        self.settings = settings
        self.clock = clock
        self.every_frame = frontend.vad == "none"
        arithmetic = Clustered(K, form, settings.seed, relative)
        batch = batch_of(K)
        self.online = OnlineEM(
            arithmetic,
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
            self._go_on(start, arithmetic)

    @property
    def has_started(self) -> bool:
        """Whether there is a model."""
        return self.online.settled is not None

    @property
    def log_likelihood(self) -> float | None:
        """Of the last minute of frames, before they were learned from, nats a frame; None without any."""
        return self.latest.mean(round(60 * self.clock.frame_rate))

    @property
    def figures(self) -> Json:
        """How it learns, for the model's metadata."""
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
        """Learn from more frames; the index of the one with which the model came to be, if that is here."""
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
        """Nothing will come any more: learn from what waits.

        Raises
        ------
        TrainingError
            If what was heard is not enough for a model.
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
        """Train on the first sounds."""
        frames = np.concatenate(self._cold)
        self._cold = []
        online = self.online
        assert isinstance(online.arithmetic, Clustered)
        with LocalReducer(1) as reducer:
            result = train_mixture(
                [ArraySlice("the beginning of the stream", frames)],
                n_components=online.n_components,
                covariance_type=online.arithmetic.covariance_type,
                seed=self.settings.seed,
                passes=COLD_PASSES,
                floor=online.arithmetic.relative,
                reducer=reducer,
            )
        online.arithmetic.floor = result.floor
        self.constant = result.constant
        online.resume(result.mixture, result.statistics, len(frames) / online.batch)
        online.n_frames += len(frames)

    def _go_on(self, start: Model, arithmetic: Clustered) -> None:
        """Take up a model, with the scores of normal audio that it keeps, if they are plain likelihoods."""
        from audiogmm.anomaly.learning.from_model import read_detector
        from audiogmm.anomaly.learning.scores import read_learned_scores

        arithmetic.floor = floor_of(start)
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
        """Take frames a batch at a time."""
        if self._waiting is not None and len(self._waiting):
            frames, voiced = np.concatenate([self._waiting, frames]), np.concatenate([self._marks, voiced])
        batch = self.online.batch
        whole = len(frames) // batch * batch
        for first in range(0, whole, batch):
            self._step(frames[first : first + batch], voiced[first : first + batch])
        self._waiting, self._marks = frames[whole:].copy(), voiced[whole:].copy()

    def _step(self, frames: Frames, voiced: BoolArray) -> None:
        """Score frames, then learn from them."""
        assert self.online.settled is not None
        frames = np.ascontiguousarray(frames)
        block = FrameBlock(frames, voiced, self.latest.n_seen, self.clock)
        scorer = LogLikelihoodScorer(Evaluator(self.online.settled))
        self.latest.push(scorer.open("the stream").push(block))
        self.online.push(frames[voiced])
