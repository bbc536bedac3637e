"""Microphones: not there, busy, unplugged and back, too fast for us; and no sound system at all."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from audiogmm.errors import AudioFileError, ChoiceError
from audiogmm.live.arrival import Arrival, Back, Ended, Gap, Lost, Opened
from audiogmm.live.microphone import Microphone
from audiogmm.live.queue import FULL, AudioQueue
from audiogmm.live.source import WaitPolicy
from audiogmm.live.stop import Stop
from tests.live.devices import FakeStream, SoundSystem, device
from tests.live.streams import FakeClock, noise, others, sound_of

RATE = 16000


def recorded(monkeypatch: pytest.MonkeyPatch, system: SoundSystem, **how: Any) -> list[Arrival]:
    """All that arrives from a microphone that is stopped when the last fake stream says so."""
    monkeypatch.setitem(sys.modules, "sounddevice", system)
    stop = Stop()
    system.stop = stop  # type: ignore[attr-defined]
    microphone = Microphone(how.pop("device", 3), RATE, clock=how.pop("clock", FakeClock()), **how)
    try:
        found = []
        for arrival in microphone.arrivals(WaitPolicy(stop, lambda _: None, None)):
            found.append(arrival)
            if getattr(system, "last", None) is not None and microphone.queued == 0:
                stop.set("enough")
        return found
    finally:
        stop.close()


def once(*pieces: np.ndarray) -> Any:
    """A device that gives some pieces, and then no more."""

    def then(stream: FakeStream) -> None:
        for piece in pieces:
            stream.give(piece)
        stream.vanish()

    return then


def test_samples_are_copied_from_a_buffer_that_is_used_again(monkeypatch: Any) -> None:
    pieces = [noise(160, seed=seed)[:, 0] for seed in range(5)]
    found = recorded(monkeypatch, SoundSystem(once(*pieces)), exit_on_loss=True)
    assert others(found)[0] == Opened(0.0, RATE, 1, "USB microphone float32")
    np.testing.assert_array_equal(sound_of(found), np.concatenate(pieces))
    assert others(found)[1:] == [
        Lost(0.05, "the device stopped"),
        Ended("device:3 is lost: the device stopped"),
    ]


def test_a_device_that_vanishes_is_waited_for_and_the_clock_stays_true(monkeypatch: Any) -> None:
    clock = FakeClock()

    def then(stream: FakeStream) -> None:
        stream.give(noise(1600)[:, 0])
        if len(system.streams) == 1:
            del system.devices[3]
            stream.vanish()
        else:
            system.last = stream  # type: ignore[attr-defined]

    system = SoundSystem(then)
    plain = clock.pause

    def pause(stop: Stop, seconds: float) -> bool:
        if len(clock.pauses) == 6:  # plugged in again while it is waited for the seventh time
            system.devices[3] = device(3, "USB microphone")
        return plain(stop, seconds)

    monkeypatch.setattr(clock, "pause", pause)
    found = recorded(monkeypatch, system, clock=clock)
    assert clock.pauses == [0.5, 1, 2, 4, 8, 16, 30]
    assert system.looked >= 6
    away = sum(clock.pauses)
    assert others(found) == [
        Opened(0.0, RATE, 1, "USB microphone float32"),
        Lost(0.1, "the device stopped"),
        Back(0.1 + away, away),
        Opened(0.1 + away, RATE, 1, "USB microphone float32"),
        Ended("enough"),
    ]
    assert all(stream.closed for stream in system.streams)


def test_a_device_that_gives_nothing_is_lost(monkeypatch: Any) -> None:
    clock = FakeClock()
    system = SoundSystem(lambda stream: stream.give(noise(160)[:, 0]))

    def get(self: AudioQueue, timeout: float | None) -> Any:
        if not self._blocks:
            clock.now += timeout or 0
            return None
        return plain(self, timeout)

    plain = AudioQueue.get
    monkeypatch.setattr(AudioQueue, "get", get)
    found = recorded(monkeypatch, system, clock=clock, exit_on_loss=True)
    assert others(found)[1] == Lost(0.01, "no sample for 3.0 s")


def test_what_is_not_taken_in_time_is_a_gap_of_its_true_length(monkeypatch: Any) -> None:
    def then(stream: FakeStream) -> None:
        for seed in range(10):  # a second each, and three are held
            stream.give(noise(RATE, seed=seed)[:, 0])
        system.late = stream  # type: ignore[attr-defined]

    system = SoundSystem(then)
    monkeypatch.setitem(sys.modules, "sounddevice", system)
    stop = Stop()
    microphone = Microphone(3, RATE, held=3.0, clock=FakeClock())
    arrivals = microphone.arrivals(WaitPolicy(stop, lambda _: None, None))
    found = [next(arrivals) for _ in range(2)]
    assert microphone.queued == 2.0
    system.streams[0].give(noise(RATE, seed=99)[:, 0])  # there is room again
    found += [next(arrivals) for _ in range(4)]
    stop.set("enough")
    found += list(arrivals)
    stop.close()
    assert others(found)[1] == Gap(3.0, 10.0, FULL)
    expected = [noise(RATE, seed=seed)[:, 0] for seed in (0, 1, 2, 99)]
    np.testing.assert_array_equal(sound_of(found), np.concatenate(expected))


def test_an_overrun_of_the_device_is_a_gap_by_its_clock(monkeypatch: Any) -> None:
    def then(stream: FakeStream) -> None:
        stream.give(noise(1600)[:, 0])
        stream.time += 0.25
        stream.give(noise(1600)[:, 0], overflow=True)
        stream.give(noise(1600)[:, 0])
        stream.vanish()

    found = recorded(monkeypatch, SoundSystem(then), exit_on_loss=True)
    assert others(found)[1] == Gap(0.1, 0.35, "the device overran")
    assert others(found)[2] == Lost(0.55, "the device stopped")


def test_a_rate_that_the_device_has_not_is_left_to_it(monkeypatch: Any) -> None:
    system = SoundSystem(once(noise(480)[:, 0]))
    system.rates = {48000}
    found = recorded(monkeypatch, system, exit_on_loss=True)
    assert others(found)[0] == Opened(0.0, 48000, 1, "USB microphone float32")


def test_a_channel_of_several(monkeypatch: Any) -> None:
    system = SoundSystem(once(noise(480)[:, 0]))
    system.devices[3] = device(3, "table", channels=4)
    recorded(monkeypatch, system, exit_on_loss=True, channel=2)
    assert system.streams[0].channels == 3
    with pytest.raises(AudioFileError, match=r"device:3 has 4 channels, so there is no channel 4"):
        recorded(monkeypatch, system, exit_on_loss=True, channel=4)


@pytest.mark.parametrize("wanted", [7, "Bluetooth"])
def test_no_such_device(monkeypatch: Any, wanted: Any) -> None:
    with pytest.raises(AudioFileError, match=rf"device:{wanted} is not there.*a name of: 3: USB microphone"):
        recorded(monkeypatch, SoundSystem(once()), device=wanted)


def test_a_busy_device(monkeypatch: Any) -> None:
    system = SoundSystem(once())
    system.busy = True
    with pytest.raises(AudioFileError, match=r"device:3 cannot be opened: Device unavailable"):
        recorded(monkeypatch, system)


def test_without_sounddevice_the_extra_is_named(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ChoiceError, match=r"audiogmm\[live\]"):
        next(iter(Microphone(3, RATE).arrivals(WaitPolicy(Stop(), print, None))))
