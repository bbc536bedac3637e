"""The stages of an input that is analyzed: samples in, lines out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from audiogmm.anomaly.scorer import NO_SCORES, FrameScores
from audiogmm.audio.decoders.notices import Warn
from audiogmm.audio.sample_rates import check_rate
from audiogmm.blocks import FrameBlock
from audiogmm.live.line import Line, sort_lines
from audiogmm.live.stream.clusters import ClusterStage
from audiogmm.live.stream.events import EventStage
from audiogmm.live.stream.frames import FrameStage
from audiogmm.live.stream.heartbeat import Heartbeat
from audiogmm.live.stream.kinds import KindStage
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.scores import ScoreStage
from audiogmm.live.stream.settings import Emit
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.live.stream.speakers import SpeakerStage
from audiogmm.timeline import FrameClock
from audiogmm.types import Json, Samples, Seconds


class StreamStage(Protocol):
    """Makes the lines of one kind, of one stretch of an input; any chunking must give the same lines."""

    def push(self, block: FrameBlock, scored: FrameScores) -> Iterable[Line]:
        """Take the next frames, and the scores that are complete (of these frames or of earlier ones)."""
        ...

    def flush(self, scored: FrameScores) -> Iterable[Line]:
        """Take the last scores, and end the stretch."""
        ...


STAGES: dict[Emit, Callable[[StreamPlan, FrameClock], StreamStage]] = {
    "clusters": ClusterStage,
    "speakers": SpeakerStage,
    "scores": ScoreStage,
}
"""The stage behind each word of ``--emit``, but for events, whose stage computes the scores."""


class AnalysisPipeline:
    """Turn the samples of one input into the lines that `StreamPlan` asks for.

    Each stretch of sound without a gap has stages of its own; the counts run through.

    Parameters
    ----------
    plan : StreamPlan
        What the lines are about.
    identity : InputIdentity
        Of the input.
    status : callable
        Gives further keys for each heartbeat.
    say : callable
        Takes notes for the user.
    """

    def __init__(
        self, plan: StreamPlan, identity: InputIdentity, status: Callable[[], Json], say: Warn
    ) -> None:
        self._plan = plan
        self._identity = identity
        self._say = say
        self._heartbeat = Heartbeat(plan.settings.heartbeat, status)
        self._stretch: _Stretch | None = None
        self._n_frames = self._n_opened = self._n_closed = 0
        self._memory: Any = None

    @property
    def totals(self) -> Json:
        """Frames, hours and events so far."""
        rate = self._plan.frontend.clock(self._plan.sample_rate).frame_rate
        return {"frames": self._n_frames, "hours": self._n_frames / rate / 3600, "events": self._n_closed}

    @property
    def header(self) -> Json:
        """What a `start` line says of the analysis."""
        return {"latency": self._plan.latency, "emit": list(self._plan.settings.emit)}

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """Begin a stretch, at a time of the input's clock.

        Raises
        ------
        MismatchError
            If the sample rate is too low.
        FrontEndError
            If the front end cannot stream.
        """
        wanted = self._plan.frontend.sample_rate
        check_rate(self._identity.name, sample_rate, wanted, self._plan.settings.upsample, self._say)
        self._stretch = _Stretch(self._plan, self._identity, sample_rate, at, self._n_opened, self._memory)
        self._heartbeat.begin(self._stretch.frames.clock, sample_rate)

    def push(self, samples: Samples) -> list[Line]:
        """Take the next samples, shape (n_samples,), float32; give the lines that they complete."""
        stretch = self._stretch
        if stretch is None:
            return []
        self._heartbeat.push_samples(samples)
        stretch.hear(samples)
        lines = self._analyze(stretch, stretch.frames.push(samples))
        return sort_lines(lines + stretch.branch(samples))

    def flush(self) -> list[Line]:
        """End the stretch; give the lines that are left."""
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return []
        stretch.hear(None)
        lines = self._analyze(stretch, stretch.frames.flush())
        last, scored = stretch.flush()
        self._memory = stretch.memory
        return sort_lines(lines + self._counted(last + self._heartbeat.push(scored)) + stretch.branch(None))

    def close(self) -> list[Line]:
        """End the input: there is nothing left to say."""
        return []

    def _analyze(self, stretch: _Stretch, blocks: list[FrameBlock]) -> list[Line]:
        lines = []
        for block in blocks:
            self._n_frames += len(block)
            found, scored = stretch.push(block)
            lines += self._counted(found + self._heartbeat.push(scored))
        return lines

    def _counted(self, lines: list[Line]) -> list[Line]:
        """Count events in the order of the lines, so that each heartbeat has the number at its time."""
        lines = sort_lines(lines)
        for line in lines:
            if line.type == "open":
                self._n_opened += 1
            elif line.type == "closed" or line.body.get("number", 0) is None:
                self._n_closed += 1
            elif line.type == "heartbeat":
                line.body["events"] = self._n_closed
        return lines


class _Stretch:
    """The stages of one stretch, those with a front end of their own (speakers) apart."""

    def __init__(
        self,
        plan: StreamPlan,
        identity: InputIdentity,
        sample_rate: int,
        at: Seconds,
        n_opened: int,
        memory: Any = None,
    ) -> None:
        self.frames = FrameStage(plan.frontend, sample_rate, at)
        self._kinds = None if plan.kinds is None else KindStage(plan.kinds, sample_rate, at)
        self._events = EventStage(plan, identity, self.frames.clock, n_opened, self._kinds, memory)
        self._stages: list[StreamStage] = []
        self._branches: list[tuple[FrameStage, StreamStage]] = []
        for name in plan.settings.emit:
            if name not in STAGES:
                continue
            frontend = plan.frontend_of(name)
            if frontend == plan.frontend:
                self._stages.append(STAGES[name](plan, self.frames.clock))
                continue
            upsample = plan.settings.upsample
            check_rate(identity.name, sample_rate, frontend.sample_rate, upsample, lambda _: None)
            frames = FrameStage(frontend, sample_rate, at, is_counted=False)
            self._branches.append((frames, STAGES[name](plan, frames.clock)))

    @property
    def memory(self) -> Any:
        """What the next stretch goes on from."""
        return self._events.memory

    def hear(self, samples: Samples | None) -> None:
        """Take the next samples for the kinds of events, before their frames; None: there are no more."""
        if self._kinds is not None:
            self._kinds.push(samples)

    def push(self, block: FrameBlock) -> tuple[list[Line], FrameScores]:
        """Lines that the next frames complete, and scores that are complete."""
        lines, scored = self._events.push(block)
        if self._kinds is not None:
            self._kinds.forget(block.clock.start(block.start))
        for stage in self._stages:
            lines += stage.push(block, scored)
        return lines, scored

    def flush(self) -> tuple[list[Line], FrameScores]:
        """The rest of both."""
        lines, scored = self._events.flush()
        for stage in self._stages:
            lines += stage.flush(scored)
        return lines, scored

    def branch(self, samples: Samples | None) -> list[Line]:
        """Lines of the stages that have a front end of their own; None: of the rest."""
        lines: list[Line] = []
        for frames, stage in self._branches:
            for block in frames.flush() if samples is None else frames.push(samples):
                lines += stage.push(block, NO_SCORES)
            if samples is None:
                lines += stage.flush(NO_SCORES)
        return lines
