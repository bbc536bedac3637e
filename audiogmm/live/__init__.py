"""Sound as it arrives, and the lines about it as they leave.

A `Source` yields what arrives (samples, gaps, a device that is lost and found again) with its times, from
standard input and named pipes (`Pipe`), recordings (`File`) or microphones (`Microphone`); a `Stop` ends it.
An `Outlet` writes each `Line` in a thread of its own, so that a slow reader never delays the sound. Nothing
in this room knows what a line says: that is `audiogmm.live.stream`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.live.clock import Clock as Clock
    from audiogmm.live.clock import WallClock as WallClock
    from audiogmm.live.file import File as File
    from audiogmm.live.line import LINE_TYPES as LINE_TYPES
    from audiogmm.live.line import Line as Line
    from audiogmm.live.microphone import Microphone as Microphone
    from audiogmm.live.outlet import Outlet as Outlet
    from audiogmm.live.pcm import Pcm as Pcm
    from audiogmm.live.pipe import Pipe as Pipe
    from audiogmm.live.source import Source as Source
    from audiogmm.live.source import WaitPolicy as WaitPolicy
    from audiogmm.live.stop import Stop as Stop

__getattr__, __dir__ = exports(__name__)
