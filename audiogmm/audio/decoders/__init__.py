"""Decoders: from a path, a URL or standard input to interleaved samples.

`open_decoder` recognizes a recording by its first bytes and returns a `Decoder`: our own for wav,
libsndfile's for most other files, ffmpeg's for what neither opens. A decoder reads a few samples at a time,
seeks to the exact sample, and knows what the header promises, so that a truncated file is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.audio.decoders.decoder import AudioInfo as AudioInfo
    from audiogmm.audio.decoders.decoder import Decoder as Decoder
    from audiogmm.audio.decoders.levels import LevelCheck as LevelCheck
    from audiogmm.audio.decoders.notices import AudioWarning as AudioWarning
    from audiogmm.audio.decoders.notices import Notices as Notices
    from audiogmm.audio.decoders.opening import open_decoder as open_decoder
    from audiogmm.audio.decoders.source import open_source as open_source

__getattr__, __dir__ = exports(__name__)
