"""All that one input is listened to for: sound in, lines out."""

from __future__ import annotations

from collections.abc import Callable

from audiogmm.audio.decoders.notices import Warn
from audiogmm.audio.recording import check_rate
from audiogmm.blocks import FrameBlock
from audiogmm.live.stream.events import EventStage
from audiogmm.live.stream.frames import FrameStage
from audiogmm.live.stream.heartbeat import Heartbeat
from audiogmm.live.stream.line import Line, in_order
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.live.stream.speakers import SpeakerStage
from audiogmm.scoring.leader import Leader
from audiogmm.types import Json, Samples, Seconds


class AnalysisPipeline:
    """Takes the sound of one input, and tells what is heard.

    After `flush` the stages are over, and `begin` makes new ones, at another time of the same clock.

    Parameters
    ----------
    plan : StreamPlan
        What is wanted.
    about : InputIdentity
        The input.
    facts : callable
        What a heartbeat says besides.
    say : callable
        Takes notes for people.
    """

    def __init__(self, plan: StreamPlan, about: InputIdentity, facts: Callable[[], Json], say: Warn) -> None:
        self._plan = plan
        self._about = about
        self._say = say
        self._pulse = Heartbeat(plan.settings.heartbeat, facts)
        self._judge = EventStage(plan, about.id, about.audio_filepath, self._pulse)
        self._chain: _Chain | None = None

    @property
    def totals(self) -> Json:
        """What was heard in all."""
        clock = self._plan.frontend.clock(self._plan.sample_rate)
        frames = self._judge.frames
        return {"frames": frames, "hours": frames / clock.frame_rate / 3600, "events": self._judge.events}

    @property
    def header(self) -> Json:
        """What a `start` line says of the listening."""
        return {"latency": self._plan.latency, "emit": list(self._plan.settings.emit)}

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """A stretch of sound begins.

        Raises
        ------
        MismatchError
            If its rate is too low.
        FrontEndError
            If the front end cannot stream.
        """
        wanted = self._plan.frontend.sample_rate
        check_rate(self._about.name, sample_rate, wanted, self._plan.settings.upsample, self._say)
        self._chain = _Chain(self._plan, self._about, self._judge, self._pulse, sample_rate, at)

    def push(self, samples: Samples) -> list[Line]:
        """Take the next samples; what they tell."""
        return [] if self._chain is None else self._chain.push(samples)

    def flush(self) -> list[Line]:
        """The stretch is over; the rest of what it tells."""
        chain, self._chain = self._chain, None
        return [] if chain is None else chain.flush()

    def close(self) -> list[Line]:
        """Nothing will come any more."""
        return []


class _Chain:
    """The stages of one stretch."""

    def __init__(
        self,
        plan: StreamPlan,
        about: InputIdentity,
        judge: EventStage,
        pulse: Heartbeat,
        sample_rate: int,
        at: Seconds,
    ) -> None:
        settings = plan.settings
        self._judge = judge
        self._pulse = pulse
        self._main = FrameStage(plan.frontend, sample_rate, at)
        clock = self._main.clock
        pulse.begin(clock, sample_rate)
        judge.begin(clock)
        self._leader: Leader | None = None
        if "clusters" in settings.emit:
            self._leader = Leader(plan.evaluator, clock, settings.cluster_window)
        self._speakers: SpeakerStage | None = None
        self._theirs: FrameStage | None = None
        if plan.speakers is not None:
            if plan.speakers.frontend != plan.frontend:
                theirs = plan.speakers.frontend
                check_rate(about.name, sample_rate, theirs.sample_rate, settings.upsample, lambda _: None)
                self._theirs = FrameStage(theirs, sample_rate, at)
            frames = self._theirs or self._main
            self._speakers = SpeakerStage(plan.speakers, frames.clock, settings.speaker_window)

    def push(self, samples: Samples) -> list[Line]:
        self._pulse.hear(samples)
        theirs = [] if self._theirs is None else self._theirs.push(samples)
        return in_order(self._hear(self._main.push(samples), theirs))

    def flush(self) -> list[Line]:
        theirs = [] if self._theirs is None else self._theirs.flush()
        return in_order(self._hear(self._main.flush(), theirs) + self._judge.flush())

    def _hear(self, blocks: list[FrameBlock], theirs: list[FrameBlock]) -> list[Line]:
        lines: list[Line] = []
        for block in blocks:
            lines += self._judge.push(block)
            if self._leader is not None:
                lines += [
                    Line(
                        "cluster",
                        lead.at,
                        {
                            "since": lead.since,
                            "component": lead.component,
                            "posterior": lead.posterior,
                            "before": lead.before,
                        },
                    )
                    for lead in self._leader.push(block)
                ]
        if self._speakers is not None:
            for block in blocks if self._theirs is None else theirs:
                lines += self._speakers.push(block)
        return lines
