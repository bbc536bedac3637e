"""One input from its first sample to its last: what arrives, what it tells, and what was not heard."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from audiogmm.audio.decoders.notices import Warn
from audiogmm.errors import AudioGMMError
from audiogmm.live.arrival import Arrival, Back, Ended, Gap, Lost, Opened, Sound
from audiogmm.live.clock import Clock
from audiogmm.live.outlet import Outlet
from audiogmm.live.source import Source, Waiting
from audiogmm.live.stop import Stop
from audiogmm.live.stream.line import Line
from audiogmm.types import Json, Samples, Seconds


class Mind(Protocol):
    """What is done with sound: `Ears` tell what they hear, `Learning` learns from it."""

    @property
    def totals(self) -> Json:
        """How much was heard, for the lines that say so."""
        ...

    @property
    def started(self) -> Json:
        """What a `start` line says besides the format."""
        ...

    def begin(self, sample_rate: int, at: Seconds) -> None:
        """A stretch of sound begins, at a time of the input's clock."""
        ...

    def push(self, samples: Samples) -> list[Line]:
        """The next samples of it."""
        ...

    def flush(self) -> list[Line]:
        """The stretch is over."""
        ...

    def close(self) -> list[Line]:
        """The input is over."""
        ...


class Hearing:
    """Listens to one input until it ends, and writes a line for all that happens; runs in a thread.

    Parameters
    ----------
    source : Source
        What is listened to.
    outlet : Outlet
        Takes lines.
    stop : Stop
        Ends it.
    say : callable
        Takes notes for people.
    clock : Clock
        Tells the time where nothing arrives.
    patience : Seconds or None
        Wall time without sound after which a heartbeat says so.

    Attributes
    ----------
    error : AudioGMMError or None
        Why the input could not be used to its end.
    fault : Exception or None
        An error that nobody foresaw.
    finished : Event
        Set at the end.
    """

    def __init__(
        self,
        source: Source,
        outlet: Outlet,
        stop: Stop,
        say: Warn,
        clock: Clock,
        patience: Seconds | None,
    ) -> None:
        self.source = source
        self._outlet = outlet
        self._say = say
        self._clock = clock
        self._waiting = Waiting(stop, self._idle, patience)
        self._mind: Mind | None = None
        self._sample_rate = 1
        self._began: Seconds = 0.0
        self._n_samples = 0
        self._unheard: Seconds = 0.0
        self.error: AudioGMMError | None = None
        self.fault: Exception | None = None
        self.finished = threading.Event()

    @property
    def facts(self) -> Json:
        """What a heartbeat says of the input: seconds of sound that wait, and that were not heard so far."""
        return {"queued": self.source.queued, "unheard": self._unheard}

    @property
    def time(self) -> Seconds:
        """Where the input is, on its clock."""
        return self._began + self._n_samples / self._sample_rate

    def run(self, mind: Mind) -> None:
        """Listen to the end; never raises."""
        self._mind = mind
        try:
            for arrival in self.source.arrivals(self._waiting):
                self._take(arrival)
        except AudioGMMError as error:
            self.error = error
            with suppress(AudioGMMError):
                self._write(mind.flush())
            with suppress(AudioGMMError):
                self._write(mind.close())
            self._put(Line("end", self.time, self._summary(str(error.what)) | {"error": str(error)}))
        except Exception as fault:  # noqa: BLE001 - told by the thread that waits for this one
            self.fault = fault
        finally:
            self.finished.set()

    def _take(self, arrival: Arrival) -> None:
        """What one arrival tells."""
        mind = self._mind
        assert mind is not None
        match arrival:
            case Sound(samples):
                self._n_samples += len(samples)
                self._write(mind.push(samples))
            case Opened(at, sample_rate, channels, format):
                self._write(mind.flush())
                self._began, self._sample_rate, self._n_samples = at, sample_rate, 0
                mind.begin(sample_rate, at)
                body = {"sample_rate": sample_rate, "channels": channels, "format": format}
                self._put(Line("start", at, body | mind.started))
            case Gap(start, end, reason):
                self._write(mind.flush())
                self._unheard += end - start
                body = {"start": start, "end": end, "seconds": end - start, "reason": reason}
                self._put(Line("gap", end, body))
                self._began, self._n_samples = end, 0
                mind.begin(self._sample_rate, end)
            case Lost(at, reason):
                self._write(mind.flush())
                self._say(f"{self.source.name} is lost: {reason}")
                self._put(Line("lost", at, {"reason": reason}))
            case Back(at, away):
                self._unheard += away
                self._say(f"{self.source.name} is back after {away:.1f} s")
                self._put(Line("back", at, {"start": at - away, "end": at, "seconds": away}))
            case Ended(reason, left_over, notes):
                self._write(mind.flush())
                self._write(mind.close())
                for note in notes:
                    self._say(note)
                left = {"left_over_bytes": left_over} if left_over else {}
                self._put(Line("end", self.time, self._summary(reason) | left))

    def _summary(self, reason: str) -> Json:
        totals: Json = {} if self._mind is None else self._mind.totals
        return {"reason": reason, **totals, "unheard": self._unheard}

    def _idle(self, waited: Seconds) -> None:
        """Nothing has arrived for so long: a heartbeat that has the time of the room."""
        totals: Json = {} if self._mind is None else self._mind.totals
        body = {"stalled": round(waited, 3), "wall": self._clock.stamp(), **totals, **self.facts}
        self._put(Line("heartbeat", self.time, body))

    def _write(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._put(line)

    def _put(self, line: Line) -> None:
        self._outlet.put(line.row(self.source.name), patient=not self.source.drops)
