"""A session is one input from its first sample to its last; all inputs of a stream run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from audiogmm.audio.decoders.notices import Warn
from audiogmm.errors import AudioGMMError
from audiogmm.live.arrival import Arrival, Back, Ended, Gap, Lost, Opened, Sound
from audiogmm.live.clock import Clock
from audiogmm.live.deliver.deliveries import Deliveries
from audiogmm.live.deliver.sender import EventSender
from audiogmm.live.line import Line
from audiogmm.live.outlet import FAR, MOST, Outlet
from audiogmm.live.source import Source, WaitPolicy
from audiogmm.live.stop import Stop
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.live.stream.start_time import StartTime
from audiogmm.telemetry.meter import count_done
from audiogmm.types import Json, Samples, Seconds
from audiogmm.wall_clock import format_time

LAST_WAIT: Seconds = 5.0
"""How long the reader of the lines is waited for after a stop was requested."""

POLL: Seconds = 0.5
"""How often the main thread checks for inputs that have ended: a signal may reach another thread."""

Write = Callable[[str], object]
"""Takes whole lines as one text; raises OSError when nobody reads them."""


class Lines(Protocol):
    """Takes the lines of a session."""

    def put(self, line: Json, *, patient: bool = True) -> None:
        """Take a line, see `Outlet.put`."""
        ...


class Pipeline(Protocol):
    """Turns the samples of one input into lines, see `AnalysisPipeline` and `TrainingPipeline`."""

    @property
    def totals(self) -> Json:
        """Totals so far, for `heartbeat` and `end` lines."""
        ...

    @property
    def header(self) -> Json:
        """What a `start` line says in addition to the format."""
        ...

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """Begin a stretch without a gap, at a time of the input's clock."""
        ...

    def push(self, samples: Samples) -> list[Line]:
        """Take the next samples, shape (n_samples,), float32, mono."""
        ...

    def flush(self) -> list[Line]:
        """End the stretch."""
        ...

    def close(self) -> list[Line]:
        """End the input."""
        ...


class StreamSession:
    """Read one input to its end, and write a line for everything that happens; made to run in a thread.

    Parameters
    ----------
    source : Source
        The input.
    outlet : Lines
        Takes the lines, such as an `Outlet`.
    stop : Stop
        Ends the session early.
    say : callable
        Takes notes for the user.
    clock : Clock
        Wall time, where nothing arrives.
    patience : Seconds or None
        Wall time without a sample after which a heartbeat reports it; None: never.
    start : StartTime, optional
        When the input began; lines then have the wall time.
    sender : EventSender, optional
        Takes the lines and the sound, too.

    Attributes
    ----------
    error : AudioGMMError or None
        Why the input could not be read to its end.
    fault : Exception or None
        An unexpected error, for the thread that waits for this one to raise.
    finished : Event
        Set at the end.
    """

    def __init__(
        self,
        source: Source,
        outlet: Lines,
        stop: Stop,
        say: Warn,
        clock: Clock,
        patience: Seconds | None,
        start: StartTime | None = None,
        sender: EventSender | None = None,
    ) -> None:
        self.source = source
        self._sender = sender
        self._outlet = outlet
        self._say = say
        self._clock = clock
        self._began = start or StartTime()
        self._waiting = WaitPolicy(stop, self._report_idle, patience)
        self._pipeline: Pipeline | None = None
        self._sample_rate = 1
        self._start: Seconds = 0.0
        self._n_samples = 0
        self._unheard: Seconds = 0.0
        self.error: AudioGMMError | None = None
        self.fault: Exception | None = None
        self.finished = threading.Event()

    @property
    def status(self) -> Json:
        """Seconds of sound that wait in the queue, and that were lost so far."""
        return {"queued": self.source.queued, "unheard": self._unheard}

    @property
    def time(self) -> Seconds:
        """Position on the input's clock."""
        return self._start + self._n_samples / self._sample_rate

    def run(self, pipeline: Pipeline) -> None:
        """Read to the end; never raises."""
        for _ in self.steps(pipeline):
            pass

    def steps(self, pipeline: Pipeline) -> Iterator[None]:
        """Read to the end, with a pause after each arrival; what goes wrong is in `error` and `fault`."""
        self._pipeline = pipeline
        try:
            for arrival in self.source.arrivals(self._waiting):
                self._handle(pipeline, arrival)
                yield
        except AudioGMMError as error:
            self.error = error
            count_done(set_aside=1)
            with suppress(AudioGMMError):
                self._write(pipeline.flush())
            with suppress(AudioGMMError):
                self._write(pipeline.close())
            self._put(Line("end", self.time, self._summary(str(error.what)) | {"error": str(error)}))
        except Exception as fault:  # noqa: BLE001 - raised by the thread that waits for this one
            self.fault = fault
        finally:
            self.finished.set()

    def _handle(self, pipeline: Pipeline, arrival: Arrival) -> None:
        """Write the lines that one arrival causes."""
        match arrival:
            case Sound(samples):
                self._n_samples += len(samples)
                if self._sender is not None:
                    self._sender.push(samples)
                self._write(pipeline.push(samples))
            case Opened(at, sample_rate, channels, format):
                self._write(pipeline.flush())
                self._start, self._sample_rate, self._n_samples = at, sample_rate, 0
                self._began.opened(at, self._clock)
                pipeline.begin(sample_rate, at)
                if self._sender is not None:
                    self._sender.begin(sample_rate, at, pipeline.header.get("latency"))
                body = {"sample_rate": sample_rate, "channels": channels, "format": format}
                self._put(Line("start", at, body | pipeline.header))
            case Gap(start, end, reason):
                self._write(pipeline.flush())
                self._unheard += end - start
                body = {"start": start, "end": end, "seconds": end - start, "reason": reason}
                self._put(Line("gap", end, body))
                self._start, self._n_samples = end, 0
                pipeline.begin(self._sample_rate, end)
                if self._sender is not None:
                    self._sender.begin(self._sample_rate, end)
            case Lost(at, reason):
                self._write(pipeline.flush())
                self._say(f"{self.source.name} is lost: {reason}")
                self._put(Line("lost", at, {"reason": reason}))
            case Back(at, away):
                self._unheard += away
                self._say(f"{self.source.name} is back after {away:.1f} s")
                self._put(Line("back", at, {"start": at - away, "end": at, "seconds": away}))
            case Ended(reason, left_over, notes):
                count_done(recordings=1)
                self._write(pipeline.flush())
                self._write(pipeline.close())
                for note in notes:
                    self._say(note)
                left = {"left_over_bytes": left_over} if left_over else {}
                self._put(Line("end", self.time, self._summary(reason) | left))

    def _summary(self, reason: str) -> Json:
        return {"reason": reason, **self._totals(), "unheard": self._unheard}

    def _totals(self) -> Json:
        return {} if self._pipeline is None else self._pipeline.totals

    def _report_idle(self, waited: Seconds) -> None:
        """Write a heartbeat with the wall time: nothing has arrived for `waited` seconds."""
        body = {"stalled": round(waited, 3), "wall": self._clock.stamp(), **self._totals(), **self.status}
        self._put(Line("heartbeat", self.time, body))

    def _write(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._put(line)

    def _put(self, line: Line) -> None:
        row = line.row(self.source.name)
        if (wall := self._began.at(line.time)) is not None:
            row.setdefault("wall", format_time(wall))
        if self._sender is not None:
            row = self._sender.send(row)
        self._outlet.put(row, patient=not self.source.drops)


@dataclass
class StreamResult:
    """How the inputs of a stream ended.

    Attributes
    ----------
    inputs : int
        Number of inputs.
    failed : list of (str, AudioGMMError)
        Inputs that could not be read to their end, and why.
    """

    inputs: int
    failed: list[tuple[str, AudioGMMError]] = field(default_factory=list)


def run_sessions(
    sources: Sequence[tuple[Source, InputIdentity]],
    pipeline_of: Callable[[StreamSession, InputIdentity], Pipeline],
    write: Write,
    say: Warn,
    *,
    clock: Clock,
    patience: Seconds | None,
    most_lines: int = MOST,
    deliveries: Deliveries | None = None,
) -> StreamResult:
    """Run a session for each source, in a thread each, until the last one has ended.

    Ctrl-C, and SIGTERM where the command line turns it into one, requests a stop: each pipeline is flushed
    and closed, so that its last lines are written.

    Parameters
    ----------
    sources : sequence of (Source, InputIdentity)
        As `StreamInputs.open` returns them.
    pipeline_of : callable
        Makes the pipeline of a session.
    write : callable
        Takes whole lines as one text.
    say : callable
        Takes notes for the user.
    clock, patience
        See `StreamSession`.
    most_lines : int
        Lines that may wait for a slow reader, see `Outlet`.
    deliveries : Deliveries, optional
        Take the lines about events, too.

    Raises
    ------
    AudioGMMError
        The error of the first input, if all fail.
    BrokenPipeError
        If nobody reads the lines any more.
    """
    stop = Stop()
    outlet = Outlet(
        write,
        lambda: stop.set("nobody reads the lines any more"),
        most=most_lines,
        far=max(FAR, 10 * most_lines),
    )
    sessions = [
        StreamSession(
            source,
            outlet,
            stop,
            say,
            clock,
            patience,
            identity.start,
            None if deliveries is None else EventSender(deliveries),
        )
        for source, identity in sources
    ]
    threads = [
        threading.Thread(
            target=session.run, args=(pipeline_of(session, identity),), name=source.name, daemon=True
        )
        for session, (source, identity) in zip(sessions, sources, strict=True)
    ]
    try:
        for thread in threads:
            thread.start()
        while not all(session.finished.is_set() for session in sessions):
            try:  # not Thread.join: Python 3.11 takes a thread for ended where a signal interrupts it
                for session in sessions:
                    session.finished.wait(POLL)
            except KeyboardInterrupt as stopped:
                if stop.is_set:
                    raise
                stop.set(f"stopped {' '.join(map(str, stopped.args))}".rstrip())
                outlet.hurry()
        if not outlet.close(LAST_WAIT if stop.is_set else None) and outlet.failure is None:
            say(f"{outlet.waiting} lines or more were not written: nobody reads them")
    finally:
        stop.close()
    return _result(sessions, outlet)


def _result(sessions: Sequence[StreamSession], outlet: Outlet) -> StreamResult:
    for session in sessions:
        if session.fault is not None:
            raise session.fault
    if outlet.failure is not None:
        if isinstance(outlet.failure, OSError):
            raise outlet.failure
        raise BrokenPipeError(str(outlet.failure)) from outlet.failure
    failed = [(session.source.name, session.error) for session in sessions if session.error is not None]
    if len(failed) == len(sessions):
        raise failed[0][1]
    return StreamResult(len(sessions), failed)
