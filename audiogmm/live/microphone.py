"""Microphones and other inputs of the sound system, through sounddevice (the extra `live`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from audiogmm.audio.mixdown import Mixdown
from audiogmm.errors import AudioFileError, ChoiceError
from audiogmm.live.arrival import Arrival, Back, Ended, Gap, Lost, Opened, Sound
from audiogmm.live.clock import Clock, WallClock
from audiogmm.live.queue import AudioQueue, frames_of
from audiogmm.live.source import WaitPolicy
from audiogmm.types import Seconds
from audiogmm.words import amount

HELD: Seconds = 10.0
"""Sound that may wait before some is dropped."""

SILENT: Seconds = 3.0
"""A device that has given no sample for so long is lost: a working one gives silence as samples."""

POLL: Seconds = 0.25
"""How often a device that gives nothing is checked."""

FIRST_RETRY, LAST_RETRY = 0.5, 30.0
"""Seconds before the first search for a lost device, and at most: each wait is twice as long."""

OVERFLOWN = "the device overran"

_LIBRARY = threading.RLock()
_open_streams = 0


@dataclass
class Microphone:
    """A device as a source, until a stop is requested; samples that are missing are reported as a `Gap`.

    A device that is not there, busy, or cannot record is an error at the beginning. A device that vanishes
    later is waited for: `Lost`, then `Back` with the time that has passed, so that the clock stays true.

    Parameters
    ----------
    device : str, int or None
        Number or part of the name; None: the system's default.
    sample_rate : int
        Hertz; a device that does not have it is opened at its own.
    channel : int or None
        The channel to read, from 0; None: one channel, or the mean of all where the device has no mono mode.
    exit_on_loss : bool
        End when the device vanishes.
    held : Seconds
        Sound that may wait in the queue.
    clock : Clock
        Gives the wall time.

    Raises
    ------
    ChoiceError
        While iterating: if sounddevice is not installed.
    AudioFileError
        While iterating: if there is no such device, or it is busy.
    AudioDataError
        While iterating: if a sample is NaN or infinite.
    """

    device: str | int | None
    sample_rate: int
    channel: int | None = None
    exit_on_loss: bool = False
    held: Seconds = HELD
    clock: Clock = field(default_factory=WallClock)
    drops: bool = True
    _session: _Session | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Name of the source in lines."""
        return "device" if self.device is None else f"device:{self.device}"

    @property
    def queued(self) -> Seconds:
        """Sound that waits in the queue."""
        session = self._session
        return 0.0 if session is None else session.queue.depth / session.sample_rate

    def arrivals(self, waiting: WaitPolicy) -> Iterator[Arrival]:
        """See `Source`."""
        sounddevice = _sounddevice()
        session = self._session = _Session.open(self, sounddevice)
        notes: tuple[str, ...] = ()
        base: Seconds = 0.0
        try:
            while True:
                yield Opened(base, session.sample_rate, session.channels, session.format)
                yield from session.arrivals(waiting, base)
                notes += session.mixdown.notes
                if waiting.stop.is_set:
                    yield Ended(waiting.stop.reason, notes=notes)
                    return
                lost_at = base + session.expected / session.sample_rate
                reason = session.lost
                session.close()
                yield Lost(lost_at, reason)
                if self.exit_on_loss:
                    yield Ended(f"{self.name} is lost: {reason}", notes=notes)
                    return
                found = self._reopen(sounddevice, session, waiting)
                if found is None:
                    yield Ended(waiting.stop.reason, notes=notes)
                    return
                away = self.clock.monotonic() - session.last
                self._session = session = found
                base = lost_at + away
                yield Back(base, away)
        finally:
            session.close()

    def _reopen(self, sounddevice: Any, lost: _Session, waiting: WaitPolicy) -> _Session | None:
        """Search for a lost device until it is there; return None if a stop was requested."""
        delay, reported = FIRST_RETRY, self.clock.monotonic()
        while not self.clock.pause(waiting.stop, delay):
            with suppress(AudioFileError):
                _refresh_devices(sounddevice)
                return _Session.open(self, sounddevice)
            delay = min(2 * delay, LAST_RETRY)
            now = self.clock.monotonic()
            if waiting.patience is not None and now - reported >= waiting.patience:
                waiting.idle(now - lost.last)
                reported = now
        return None


class _Session:
    """A device while it is open."""

    def __init__(self, microphone: Microphone, sample_rate: int, channels: int, format: str) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self.format = format
        self.queue = AudioQueue(max(1, round(microphone.held * sample_rate)))
        self.mixdown = Mixdown(microphone.name, sample_rate, channels, microphone.channel, 32767 / 32768)
        self.expected = 0
        self.lost = ""
        self.stream: Any = None
        self._clock = microphone.clock
        self.last = self._clock.monotonic()
        self._end: Seconds | None = None  # of the last block, by the device's clock

    @classmethod
    def open(cls, microphone: Microphone, sounddevice: Any) -> _Session:
        """Open the device.

        Raises
        ------
        AudioFileError
            If it is not there, busy, or does not record.
        """
        global _open_streams
        device, name = microphone.device, microphone.name
        with _LIBRARY:
            try:
                about = sounddevice.query_devices(device, "input")
                rate, channels = _settings(microphone, sounddevice, about)
                session = cls(microphone, rate, channels, f"{about['name']} float32")
                session.stream = sounddevice.InputStream(
                    samplerate=rate,
                    device=device,
                    channels=channels,
                    dtype="float32",
                    callback=session.take,
                    finished_callback=session.finished,
                )
                session.stream.start()
            except ValueError as error:  # no such device, or several
                raise AudioFileError(
                    f"{name} is not there: {str(error).splitlines()[0]}",
                    needed="a device that records",
                    remedy=_devices(sounddevice),
                ) from error
            except sounddevice.PortAudioError as error:
                raise AudioFileError(
                    f"{name} cannot be opened: {error}",
                    needed="a device that is connected, and that no other program uses",
                    remedy=_devices(sounddevice),
                ) from error
            _open_streams += 1
        return session

    def take(self, indata: Any, frames: int, time: Any, status: Any) -> None:
        """Keep a copy of the buffer, and note what is missing before it (the callback of the device)."""
        begins = float(getattr(time, "inputBufferAdcTime", 0.0) or 0.0) or self._clock.monotonic()
        if status.input_overflow and self._end is not None:
            missing = round((begins - self._end) * self.sample_rate)
            self.queue.miss(max(missing, 1), OVERFLOWN)
        self._end = begins + frames / self.sample_rate
        self.queue.put(frames_of(indata))

    def finished(self) -> None:
        """End the queue (the callback of the device when it has stopped)."""
        self.queue.close("the device stopped")

    def arrivals(self, waiting: WaitPolicy, base: Seconds) -> Iterator[Arrival]:
        """Yield what arrives until a stop is requested, or the device is lost and `lost` says why."""
        reported = self.last
        while not waiting.stop.is_set:
            block = self.queue.get(POLL)
            now = self._clock.monotonic()
            if block is not None:
                self.last = reported = now
                if block.place > self.expected:
                    ends = (self.expected / self.sample_rate, block.place / self.sample_rate)
                    yield Gap(base + ends[0], base + ends[1], block.hole)
                self.expected = block.place + len(block.samples)
                yield Sound(self.mixdown.mono(block.samples))
                continue
            self.lost = self.queue.closed
            if not self.lost and now - self.last >= SILENT:
                self.lost = f"no sample for {now - self.last:.1f} s"
            if self.lost:
                return
            if waiting.patience is not None and now - reported >= waiting.patience:
                waiting.idle(now - self.last)
                reported = now

    def close(self) -> None:
        """Close the device."""
        global _open_streams
        if self.stream is None:
            return
        stream, self.stream = self.stream, None
        with _LIBRARY:
            _open_streams -= 1
            with suppress(Exception):  # a device that is gone may refuse to be closed
                stream.abort()
            with suppress(Exception):
                stream.close()


def _settings(microphone: Microphone, sounddevice: Any, about: Any) -> tuple[int, int]:
    """Return the sample rate and the channels to open a device with: those wanted, or what it has."""
    most = int(about["max_input_channels"])
    wanted = [1, most] if microphone.channel is None else [microphone.channel + 1, most]
    rates = [microphone.sample_rate, int(about["default_samplerate"])]
    refusal: Exception | None = None
    for rate in rates:
        for channels in dict.fromkeys(wanted):
            if channels > most:
                continue
            try:
                sounddevice.check_input_settings(
                    device=microphone.device, channels=channels, dtype="float32", samplerate=rate
                )
            except sounddevice.PortAudioError as error:
                refusal = refusal or error
                continue
            return rate, channels
    if refusal is None:
        raise ValueError(f"{about['name']} has {amount(most, 'input channel')}")
    raise refusal


def _refresh_devices(sounddevice: Any) -> None:
    """Restart the library, which lists devices at its start only; not while another device is open."""
    with _LIBRARY:
        if _open_streams == 0:
            with suppress(Exception):
                sounddevice._terminate()
            with suppress(Exception):
                sounddevice._initialize()


def _devices(sounddevice: Any) -> str:
    """List the devices, for a message."""
    try:
        found = [about for about in sounddevice.query_devices() if about["max_input_channels"] > 0]
    except Exception:  # noqa: BLE001 - for a message only
        found = []
    names = ", ".join(f"{about['index']}: {about['name']}" for about in found[:8])
    return f"--device with a number or a name of: {names}" if names else "connect a device that records"


def _sounddevice() -> Any:
    """Import the library.

    Raises
    ------
    ChoiceError
        If it, or PortAudio below it, is not installed.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        missing, install = ("sounddevice", "pip install 'audiogmm[live]'")
        if isinstance(error, OSError):
            missing, install = ("PortAudio", "apt install libportaudio2, or the package of your system")
        raise ChoiceError(
            f"the microphone needs {missing}, which is not installed: {install}",
            remedy="that, or a pipe: arecord -f S16_LE -r 16000 | audiogmm stream MODEL -",
        ) from error
    return sounddevice
