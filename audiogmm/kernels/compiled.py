"""Whether kernels have still to be compiled on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def has_machine_code(*kernels: Any) -> bool:
    """Return whether a kernel beside one of these has left machine code in the cache.

    Numba keeps a cache for each folder of sources: give a kernel of each.

    Examples
    --------
    >>> has_machine_code(len)
    False
    """
    return any(any(folder.glob("*.nbc")) for folder in _folders(*kernels))


def is_cached(*kernels: Any) -> bool:
    """Return whether there is a folder that takes machine code of these kernels for later processes.

    Examples
    --------
    >>> is_cached(len)
    False
    """
    return bool(_folders(*kernels))


def _folders(*kernels: Any) -> list[Path]:
    found = [getattr(getattr(kernel, "_cache", None), "cache_path", None) for kernel in kernels]
    return [Path(folder) for folder in found if folder is not None]
