"""From a manifest's entry to frames: decoding, resampling, the front end, and the cache of frames.

A `Recording` is one entry as a re-iterable source of `FrameBlock`, in bounded memory whatever its length.
Audio is decoded, mixed down or one channel taken, resampled, and analyzed by a `FrontEnd`; rows of a feature
matrix are frames as they are. The same recording gives the same bytes however it is cut into chunks, and from
a cache too. What cannot be used raises an error of `audiogmm.errors` with file and time; what is clipped or
silent is used, and warned about. Nothing here knows a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.audio.decode import AudioStream as AudioStream
    from audiogmm.audio.decode import open_audio as open_audio
    from audiogmm.audio.decode import probe as probe
    from audiogmm.audio.decoders.decoder import AudioInfo as AudioInfo
    from audiogmm.audio.decoders.notices import AudioWarning as AudioWarning
    from audiogmm.audio.decoders.notices import Notices as Notices
    from audiogmm.audio.frame_cache.cache import FrameCache as FrameCache
    from audiogmm.audio.frontend.frontend import FrontEnd as FrontEnd
    from audiogmm.audio.frontend.settings import FrontEndSettings as FrontEndSettings
    from audiogmm.audio.matrix.matrix import read_matrix_blocks as read_matrix_blocks
    from audiogmm.audio.recording import Recording as Recording

__getattr__, __dir__ = exports(__name__)
