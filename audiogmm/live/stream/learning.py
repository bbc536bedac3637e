"""Learning from one input: sound in, a model out, written as it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.learning.from_model import read_detector
from audiogmm.anomaly.scorer import FrameScores
from audiogmm.audio.decoders.notices import Warn
from audiogmm.audio.recording import check_rate
from audiogmm.blocks import FrameBlock
from audiogmm.errors import OutputError
from audiogmm.live.stream.cold_start import ColdSound, is_open
from audiogmm.live.stream.frames import FrameStage
from audiogmm.live.stream.heartbeat import Heartbeat
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.learned_model import learned_model
from audiogmm.live.stream.learner import Learner
from audiogmm.live.stream.line import Line, in_order
from audiogmm.mixture.store import Model
from audiogmm.types import Json, Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@dataclass(frozen=True)
class TrainingPlan:
    """What is to be learned.

    Attributes
    ----------
    output : Path
        Where the model goes.
    frontend : FrontEnd
        May leave its rate, its scale and its statistics to the first sounds.
    settings : LearnSettings
        How.
    start : Model or None
        What to go on from.
    """

    output: Path
    frontend: FrontEnd
    settings: LearnSettings
    start: Model | None


class TrainingPipeline:
    """Learns from the sound of an input, and writes the model every so often and at the end.

    Parameters
    ----------
    plan : TrainingPlan
        What is to be learned.
    called : str
        The input, for messages.
    facts : callable
        What a heartbeat says besides.
    say : callable
        Takes notes for people.
    """

    def __init__(self, plan: TrainingPlan, called: str, facts: Callable[[], Json], say: Warn) -> None:
        self._plan = plan
        self._called = called
        self._say = say
        self._frontend = plan.frontend
        self._facts = facts
        self._pulse = Heartbeat(plan.settings.heartbeat, self._told)
        self._cold: ColdSound | None = None
        self._frames: FrameStage | None = None
        self._learner: Learner | None = None
        self._sample_rate = 0
        self._at: Seconds = 0.0
        self._n_heard = 0
        self._now: Seconds = 0.0
        self.n_saved = 0

    @property
    def totals(self) -> Json:
        """What was heard in all."""
        learner = self._learner
        if learner is None:
            return {"frames": 0, "hours": 0.0, "learned": 0, "saved": self.n_saved}
        return {
            "frames": learner.n_heard,
            "hours": learner.n_heard / learner.clock.frame_rate / 3600,
            "learned": round(learner.online.n_frames),
            "saved": self.n_saved,
        }

    @property
    def header(self) -> Json:
        """What a `start` line says of the learning."""
        return {"output": str(self._plan.output)}

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """A stretch of sound begins."""
        wanted = self._frontend.sample_rate
        check_rate(self._called, sample_rate, wanted, self._plan.settings.upsample, self._say)
        if wanted is None:  # the first sound decides
            self._frontend = replace(self._frontend, sample_rate=sample_rate)
        self._sample_rate, self._at = sample_rate, at
        if not is_open(self._frontend):
            self._open()
        elif self._cold is None or self._cold.sample_rate != sample_rate:
            self._cold = ColdSound(self._plan.settings.cold_start, sample_rate)

    def push(self, samples: Samples) -> list[Line]:
        """Take the next samples."""
        if self._cold is not None:
            taken = self._cold.push(samples)
            return self._settle() + self.push(samples[taken:]) if self._cold.enough else []
        if self._frames is None or not len(samples):
            return []
        self._pulse.hear(samples)
        return self._learn(self._frames.push(samples))

    def flush(self) -> list[Line]:
        """The stretch is over."""
        frames, self._frames = self._frames, None
        return [] if frames is None else self._learn(frames.flush())

    def close(self) -> list[Line]:
        """The input is over: write the model.

        Raises
        ------
        TrainingError, AudioDataError
            If there was too little sound for one.
        OutputError
            If it cannot be written.
        """
        lines: list[Line] = []
        if self._cold is not None:
            lines = self._settle() + self.flush()
        if self._learner is None:
            return lines
        self._learner.close()
        return [*lines, self._save(self._learner)]

    def _open(self) -> None:
        """Make frames of the sound from here on, and a learner where there is none."""
        self._frames = FrameStage(self._frontend, self._sample_rate, self._at)
        self._pulse.begin(self._frames.clock, self._sample_rate)
        if self._learner is None:
            plan = self._plan
            self._learner = Learner(self._frontend, self._frames.clock, plan.settings, plan.start)

    def _settle(self) -> list[Line]:
        """Settle the front end by the first sound, and learn from it."""
        cold, self._cold = self._cold, None
        assert cold is not None
        self._frontend = cold.settled(self._frontend)
        self._at += cold.skipped / cold.sample_rate
        self._open()
        assert self._frames is not None
        samples = cold.samples
        self._pulse.hear(samples)
        return self._learn(self._frames.push(samples))

    def _learn(self, blocks: list[FrameBlock]) -> list[Line]:
        assert self._learner is not None
        learner, lines = self._learner, []
        every = round(60 * self._plan.settings.save_every * learner.clock.frame_rate)
        for block in blocks:
            for piece in _cut(block, self._n_heard, every):
                began = learner.push(piece)
                self._n_heard += len(piece)
                self._now = piece.clock.end(piece.start + len(piece) - 1)
                lines += self._pulse.push(FrameScores(np.zeros(len(piece)), np.zeros(len(piece), np.bool_)))
                if began is not None:
                    told = {
                        "components": learner.online.n_components,
                        "learned": round(learner.online.n_frames),
                    }
                    lines.append(Line("learning", piece.clock.end(began), told))
                if self._n_heard % every == 0 and learner.has_started:
                    try:
                        lines.append(self._save(learner))
                    except OutputError as error:  # there may be room again the next time
                        self._say(f"{error}; learning goes on")
        return in_order(lines)

    def _save(self, learner: Learner) -> Line:
        """Write the model in place of the last one."""
        rate = self._frontend.sample_rate
        assert rate is not None
        seconds = learner.n_heard / learner.clock.frame_rate
        model = learned_model(learner, self._frontend, rate, seconds, self._plan.start)
        model.save(self._plan.output, force=True)
        self.n_saved += 1
        threshold = read_detector(model).threshold if model.metadata.detector is not None else None
        body = {
            "output": str(self._plan.output),
            "learned": round(learner.online.n_frames),
            "log_likelihood": learner.log_likelihood,
            "threshold": threshold,
        }
        return Line("saved", self._now, body)

    def _told(self) -> Json:
        learner = self._learner
        if learner is None:
            return self._facts()
        learned = {"score": learner.log_likelihood, "learned": round(learner.online.n_frames)}
        return learned | self._facts()


def _cut(block: FrameBlock, heard: int, every: int) -> list[FrameBlock]:
    """A block in pieces that end where the frames heard are a multiple of `every`."""
    pieces, first = [], 0
    while first < len(block):
        last = min(len(block), first + every - (heard + first) % every)
        part = slice(first, last)
        pieces.append(FrameBlock(block.frames[part], block.voiced[part], block.start + first, block.clock))
        first = last
    return pieces
