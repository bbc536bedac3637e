"""The front end: mono samples in, frames out.

`FrontEndSettings` is data: every setting, checked, with presets, TOML, a fingerprint, and sizes at a sample
rate; equal fingerprints mean equal frames. `FrontEnd` is the machine on top: call it for samples in memory,
or open its stream, whose blocks have the same bytes for any chunks. A stream keeps only what its stages
need, and each stage states its latency. Frames keep their place in time: activity detection marks them, it
removes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd as FrontEnd
    from audiogmm.audio.frontend.latency import Latency as Latency
    from audiogmm.audio.frontend.presets import PRESETS as PRESETS
    from audiogmm.audio.frontend.resample import Resampler as Resampler
    from audiogmm.audio.frontend.settings import FrontEndSettings as FrontEndSettings
    from audiogmm.audio.frontend.stream import FrameStream as FrameStream

__getattr__, __dir__ = exports(__name__)
