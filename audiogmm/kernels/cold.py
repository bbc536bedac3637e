"""Whether the kernels have still to be compiled on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiogmm.kernels.activity import first_non_finite


def is_cold() -> bool:
    """Whether no kernel has left its machine code in the cache yet, so that the first use takes long.

    Examples
    --------
    >>> is_cold() in (True, False)
    True
    """
    dispatcher: Any = first_non_finite
    folder = getattr(getattr(dispatcher, "_cache", None), "cache_path", None)
    return folder is None or not any(Path(folder).glob("*.nbi"))
