"""The frame cache: frames that are computed once, and read again by what the recording is.

A `FrameCache` is a folder that any number of processes may fill and read at once. Frames are found by the
hash of the recording's bytes and the front end's fingerprint, so that neither a renamed file nor another
setting can give wrong ones; a file of frames appears whole or not at all, is checked when it is read, and is
read in windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.audio.frame_cache.cache import FrameCache as FrameCache
    from audiogmm.audio.frame_cache.cache import declared_front_end as declared_front_end
    from audiogmm.audio.frame_cache.cache import is_frame_cache as is_frame_cache

__getattr__, __dir__ = exports(__name__)
