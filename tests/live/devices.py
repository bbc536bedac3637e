"""A sound system whose devices a test plugs in, starves, and pulls out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np


class PortAudioError(Exception):
    """As sounddevice's."""


class SoundSystem:
    """Stands in for the module `sounddevice`.

    Attributes
    ----------
    devices : dict
        Number to name, input channels and rate; take one out, and it is gone.
    busy : bool
        Whether devices refuse to be opened.
    rates : set of int or None
        Rates that devices take; None: all.
    streams : list
        Those that were opened.
    then : callable
        Is called with each stream that starts; plays its part.
    """

    PortAudioError = PortAudioError

    def __init__(self, then: Callable[[FakeStream], None]) -> None:
        self.devices: dict[int, dict[str, Any]] = {3: device(3, "USB microphone")}
        self.busy = False
        self.rates: set[int] | None = None
        self.streams: list[FakeStream] = []
        self.looked = 0
        self.then = then

    def query_devices(self, wanted: Any = None, kind: str | None = None) -> Any:
        if kind is None:
            return list(self.devices.values())
        for number, about in self.devices.items():
            if wanted in (None, number) or (isinstance(wanted, str) and wanted in about["name"]):
                return about
        raise ValueError(f"No input device matching {wanted!r}")

    def check_input_settings(self, *, device: Any, channels: int, dtype: str, samplerate: int) -> None:
        if self.rates is not None and samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def InputStream(self, **settings: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        if self.busy:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        return FakeStream(self, settings)

    def _terminate(self) -> None:
        self.looked += 1

    def _initialize(self) -> None:
        pass


class FakeStream:
    """An open device; the test calls `give`, `overrun` and `vanish`."""

    def __init__(self, system: SoundSystem, settings: dict[str, Any]) -> None:
        self.system = system
        self.settings = settings
        self.channels: int = settings["channels"]
        self.rate: int = settings["samplerate"]
        self.time = 50.0
        self.closed = False

    def start(self) -> None:
        self.system.streams.append(self)
        self.system.then(self)

    def give(self, samples: np.ndarray, *, overflow: bool = False) -> None:
        """Samples of shape (n,), the same in each channel, in a buffer that is used again."""
        buffer = np.repeat(samples[:, None], self.channels, axis=1).astype(np.float32)
        status = SimpleNamespace(input_overflow=overflow)
        self.settings["callback"](buffer, len(buffer), SimpleNamespace(inputBufferAdcTime=self.time), status)
        self.time += len(samples) / self.rate
        buffer[:] = 9.0

    def vanish(self) -> None:
        self.settings["finished_callback"]()

    def abort(self) -> None:
        raise PortAudioError("the device is gone")

    def close(self) -> None:
        self.closed = True


def device(number: int, name: str, channels: int = 1, rate: int = 48000) -> dict[str, Any]:
    """What `query_devices` says of one."""
    return {"index": number, "name": name, "max_input_channels": channels, "default_samplerate": float(rate)}
