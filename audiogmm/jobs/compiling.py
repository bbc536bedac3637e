"""A word to whoever waits for kernels to be compiled."""

from __future__ import annotations

from collections.abc import Callable


def announce_compiling(say: Callable[[str], None]) -> None:
    """Say why nothing seems to happen, where the kernels have still to be compiled."""
    from audiogmm.kernels.cold import is_cold, is_kept

    if not is_kept():
        say("compiling (about 20 s), anew each time: no folder can be written; try NUMBA_CACHE_DIR=FOLDER")
    elif is_cold():
        say("compiling, once on this machine (about 20 s)")
