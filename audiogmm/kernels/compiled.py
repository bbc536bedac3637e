"""Whether the kernels have still to be compiled on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiogmm.kernels.estep.densities import scaled_joint
from audiogmm.kernels.front_end.activity import first_non_finite


def is_cold() -> bool:
    """Return whether no kernel has left machine code in the cache yet, so that the first use takes long.

    Examples
    --------
    >>> is_cold() in (True, False)
    True
    """
    return not any(any(folder.glob("*.nbc")) for folder in _folders())


def is_kept() -> bool:
    """Return whether there is a folder that takes machine code for later processes.

    Examples
    --------
    >>> is_kept() in (True, False)
    True
    """
    return any(True for _ in _folders())


def _folders() -> Iterator[Path]:
    """Yield the cache folders of the kernels' rooms: numba keeps one for each folder of sources."""
    dispatchers: tuple[Any, ...] = (first_non_finite, scaled_joint)
    for dispatcher in dispatchers:
        folder = getattr(getattr(dispatcher, "_cache", None), "cache_path", None)
        if folder is not None:
            yield Path(folder)
