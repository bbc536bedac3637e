"""Whether the kernels have still to be compiled on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiogmm.kernels.front_end.activity import first_non_finite


def is_cold() -> bool:
    """Whether no kernel has left its machine code in the cache yet, so that the first use takes long.

    Examples
    --------
    >>> is_cold() in (True, False)
    True
    """
    folder = _folder()
    return folder is None or not any(folder.glob("*.nbc"))


def is_kept() -> bool:
    """Whether there is a folder that takes machine code for later processes.

    Examples
    --------
    >>> is_kept() in (True, False)
    True
    """
    return _folder() is not None


def _folder() -> Path | None:
    dispatcher: Any = first_non_finite
    folder = getattr(getattr(dispatcher, "_cache", None), "cache_path", None)
    return None if folder is None else Path(folder)
