"""Train a model on an input: samples in, `learning` and `saved` lines out, and a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.learning.model_parts import read_detector, read_detector_settings, with_detector
from audiogmm.anomaly.scorer import FrameScores
from audiogmm.audio.decoders.notices import Warn
from audiogmm.audio.sample_rates import check_rate
from audiogmm.blocks import FrameBlock
from audiogmm.errors import MismatchError, OutputError
from audiogmm.live.line import Line, sort_lines
from audiogmm.live.stream.cold_start import ColdStart, is_open
from audiogmm.live.stream.frames import FrameStage
from audiogmm.live.stream.heartbeat import Heartbeat
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.learned_state import LearnedState
from audiogmm.live.stream.learner import Learner
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.mixture.store import Model
from audiogmm.runs.defaults import doubt_of_size
from audiogmm.training.criteria import aic, bic
from audiogmm.training.em_steps import FlooredEM
from audiogmm.types import Json, Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.training.checkpoint_file import CheckpointFile


@dataclass(frozen=True)
class TrainingPlan:
    """What to train.

    Attributes
    ----------
    output : Path or None
        The model file; None: it is kept in memory.
    frontend : FrontEnd
        May leave its sample rate, its scale and its statistics to the first sounds.
    settings : LearnSettings
        How to learn.
    start : Model or None
        The model to continue from.
    state : CheckpointFile or None
        Takes what was learned, beside each model that is written before the end.
    stood : LearnedState or None
        What an earlier run had learned.
    input : str or None
        What says that an input is the same file again.
    """

    output: Path | None
    frontend: FrontEnd
    settings: LearnSettings
    start: Model | None
    state: CheckpointFile | None = None
    stood: LearnedState | None = None
    input: str | None = None

    @property
    def is_same_input(self) -> bool:
        """Whether the earlier run learned from the beginning of this input, so that its frames are known."""
        return (
            self.stood is not None and self.input is not None and self.stood.document["input"] == self.input
        )


class TrainingPipeline:
    """Train a model on the samples of one input, and write it every so often and at the end.

    Parameters
    ----------
    plan : TrainingPlan
        What to train.
    name : str
        Of the input, for messages.
    status : callable
        Gives further keys for each heartbeat.
    say : callable
        Takes notes for the user.
    """

    def __init__(self, plan: TrainingPlan, name: str, status: Callable[[], Json], say: Warn) -> None:
        self._plan = plan
        self._name = name
        self._say = say
        self._frontend = plan.frontend
        self._status = status
        self._heartbeat = Heartbeat(plan.settings.heartbeat, self._learning_status)
        self._cold: ColdStart | None = None
        self._frames: FrameStage | None = None
        self._learner: Learner | None = None
        self._sample_rate = 0
        self._at: Seconds = 0.0
        self._n_frames = 0
        self._now: Seconds = 0.0
        self._skipped = self._known = self._to_skip = 0
        self.n_saved = 0
        self.model: Model | None = None  # as it was last written
        if plan.stood is not None:
            known = plan.stood.document
            self._frontend, self.n_saved, self._skipped = (
                plan.stood.frontend,
                known["n_saved"],
                known["skipped"],
            )
            if plan.is_same_input:
                self._known, self._to_skip = known["n_frames"], known["skipped"]
            else:
                self._n_frames = known["n_frames"]

    @property
    def totals(self) -> Json:
        """Frames, hours, frames learned from and model files written so far."""
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
        """What a `start` line says of the training."""
        return {"output": str(self._plan.output)}

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """Begin a stretch, at a time of the input's clock.

        Raises
        ------
        MismatchError
            If the sample rate is too low.
        """
        wanted = self._frontend.sample_rate
        check_rate(self._name, sample_rate, wanted, self._plan.settings.upsample, self._say)
        if wanted is None:  # the first sound decides
            self._frontend = replace(self._frontend, sample_rate=sample_rate)
        self._sample_rate, self._at = sample_rate, at + self._to_skip / sample_rate
        if not is_open(self._frontend):
            self._open()
        elif self._cold is None or self._cold.sample_rate != sample_rate:
            self._cold = ColdStart(self._plan.settings.cold_start, sample_rate)

    def push(self, samples: Samples) -> list[Line]:
        """Take the next samples, shape (n_samples,), float32; give the lines that they complete."""
        if self._to_skip:
            samples, self._to_skip = samples[self._to_skip :], max(0, self._to_skip - len(samples))
        if self._cold is not None:
            taken = self._cold.push(samples)
            return self._complete() + self.push(samples[taken:]) if self._cold.enough else []
        if self._frames is None or not len(samples):
            return []
        self._heartbeat.push_samples(samples)
        return self._learn(self._frames.push(samples))

    def flush(self) -> list[Line]:
        """End the stretch; give the lines that are left."""
        frames, self._frames = self._frames, None
        return [] if frames is None else self._learn(frames.flush())

    def close(self) -> list[Line]:
        """End the input: write the model.

        Raises
        ------
        TrainingError, AudioDataError
            If there was too little sound for a model.
        OutputError
            If it cannot be written.
        """
        lines: list[Line] = []
        if self._cold is not None:
            lines = self._complete() + self.flush()
        if self._learner is None:
            return lines
        self._learner.close()
        online = self._learner.online
        doubt = doubt_of_size(online.n_components, round(online.n_frames), self._frontend)
        if doubt:
            self._say(doubt)
        return [*lines, self._save(self._learner)]

    def _open(self) -> None:
        """Make frames of the sound from here on, and a learner where there is none."""
        self._frames = FrameStage(self._frontend, self._sample_rate, self._at)
        self._heartbeat.begin(self._frames.clock, self._sample_rate)
        if self._learner is None:
            plan = self._plan
            self._learner = Learner(self._frontend, self._frames.clock, plan.settings, plan.start)
            if plan.stood is not None:
                plan.stood.put_into(self._learner)

    def _complete(self) -> list[Line]:
        """Complete the front end with the first sounds, and learn from them."""
        cold, self._cold = self._cold, None
        assert cold is not None
        self._frontend = cold.complete(self._frontend)
        self._at += cold.skipped / cold.sample_rate
        self._skipped = cold.skipped
        self._open()
        assert self._frames is not None
        samples = cold.samples
        self._heartbeat.push_samples(samples)
        return self._learn(self._frames.push(samples))

    def _learn(self, blocks: list[FrameBlock]) -> list[Line]:
        assert self._learner is not None
        learner, lines = self._learner, []
        every = round(60 * self._plan.settings.save_every * learner.clock.frame_rate)
        for block in blocks:
            for piece in _cut(block, self._n_frames, every):
                is_known = self._n_frames < self._known
                started = None if is_known else learner.push(piece)
                self._n_frames += len(piece)
                self._now = piece.clock.end(piece.start + len(piece) - 1)
                beats = self._heartbeat.push(
                    FrameScores(np.zeros(len(piece)), np.zeros(len(piece), np.bool_))
                )
                if is_known:  # an earlier run learned from it, and said so
                    continue
                lines += beats
                if started is not None:
                    n_learned = round(learner.online.n_frames)
                    body = {"components": learner.online.n_components, "learned": n_learned}
                    lines.append(Line("learning", piece.clock.end(started), body))
                if self._n_frames % every == 0 and learner.has_started:
                    try:
                        lines.append(self._save(learner))
                        self._keep(learner)
                    except OutputError as error:  # there may be room again the next time
                        self._say(f"{error}; learning goes on")
        return sort_lines(lines)

    def _save(self, learner: Learner) -> Line:
        """Write the model in place of the last one."""
        rate = self._frontend.sample_rate
        assert rate is not None
        seconds = learner.n_heard / learner.clock.frame_rate
        model = learned_model(learner, self._frontend, rate, seconds, self._plan.start)
        self.model = model
        if self._plan.output is not None:
            model.save(self._plan.output, force=True)
        self.n_saved += 1
        body = {
            "output": str(self._plan.output),
            "learned": round(learner.online.n_frames),
            "log_likelihood": learner.log_likelihood,
            "threshold": None if model.metadata.detector is None else read_detector(model).threshold,
        }
        return Line("saved", self._now, body)

    def _keep(self, learner: Learner) -> None:
        """Write what was learned, for a run that goes on from here."""
        if self._plan.state is not None:
            LearnedState.of(
                learner,
                self._frontend,
                n_frames=self._n_frames,
                skipped=self._skipped,
                n_saved=self.n_saved,
                input=self._plan.input,
            ).save(self._plan.state)

    def _learning_status(self) -> Json:
        learner = self._learner
        if learner is None:
            return self._status()
        learned = {"score": learner.log_likelihood, "learned": round(learner.online.n_frames)}
        return learned | self._status()


def learned_model(
    learner: Learner, frontend: FrontEnd, sample_rate: int, seconds: Seconds, start: Model | None
) -> Model:
    """Make a model of what a learner has learned, with a detector from its scores where they suffice.

    Parameters
    ----------
    learner : Learner
        With a mixture.
    frontend : FrontEnd
        Of the frames, complete.
    sample_rate : int
        At which it works, hertz.
    seconds : Seconds
        Sound so far.
    start : Model or None
        The model it continued from.
    """
    online = learner.online
    mixture, statistics = online.mixture, online.present
    assert mixture is not None and statistics is not None and isinstance(online.em, FlooredEM)
    n_frames, mean = round(online.n_frames), learner.log_likelihood
    total = None if mean is None else mean * n_frames
    before = {} if start is None else start.metadata.data
    floor = online.em.floor
    data: Json = {
        "n_recordings": 1 + (before.get("n_recordings") or 0),
        "n_frames": n_frames,
        "seconds": seconds + (before.get("seconds") or 0.0),
        "fingerprint": None,
    }
    training: Json = {
        "passes": 1,
        "converged": "",
        "log_likelihood": mean,
        "bic": None if total is None else bic(total, mixture.n_parameters, n_frames),
        "aic": None if total is None else aic(total, mixture.n_parameters),
        "n_frames": n_frames,
        "n_recordings": data["n_recordings"],
        "seconds": data["seconds"],
        "set_aside": 0,
        "floor": [] if floor is None else floor.tolist(),
        "constant": list(learner.constant),
        "starts": [],
        "approximation": None,
        "history": [],
        "algorithm": "online",
        "init": "k-means++" if start is None else "model",
        "hold_out": 0.0,
        "online": learner.figures,
    }
    worth = online.batch / online.step_size(online.batch)  # frames that the statistics are an average over
    model = Model(
        mixture,
        statistics=statistics * min(float(n_frames), worth),
        metadata=ModelMetadata(
            frontend=replace(frontend, sample_rate=sample_rate).to_dict(),
            sample_rate=sample_rate,
            seed=learner.settings.seed,
            training=training,
            data=data,
        ),
    )
    track = learner.latest.track(learner.clock)
    if track is None:
        return model
    try:
        settings = DetectorSettings(by_default=True) if start is None else read_detector_settings(start)
        return with_detector(model, calibrate_detector([track], settings))
    except MismatchError:  # there is no voiced window yet
        return model


def _cut(block: FrameBlock, n_before: int, every: int) -> list[FrameBlock]:
    """Cut a block where the frames so far are a multiple of `every`."""
    pieces, first = [], 0
    while first < len(block):
        last = min(len(block), first + every - (n_before + first) % every)
        part = slice(first, last)
        pieces.append(FrameBlock(block.frames[part], block.voiced[part], block.start + first, block.clock))
        first = last
    return pieces
