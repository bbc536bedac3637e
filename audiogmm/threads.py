"""How many threads there are to use, and how many BLAS takes: the one policy for the whole package.

Parallel work is threads around kernels that release the interpreter lock, or worker processes with one
thread each. Results never depend on how many there are; only the time does.
"""

from __future__ import annotations

import math
import os
import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

from audiogmm.errors import ChoiceError

_CGROUP = Path("/sys/fs/cgroup")


def default_threads() -> int:
    """Cores that this process may use: its affinity, capped by a container's processor quota.

    Examples
    --------
    >>> default_threads() >= 1
    True
    """
    return max(1, math.ceil(min(_affinity(), _quota(_CGROUP))))


def resolve_threads(threads: int | None) -> int:
    """The number of threads asked for, or the default for None.

    Raises
    ------
    ChoiceError
        If `threads` is below 1.

    Examples
    --------
    >>> resolve_threads(3)
    3
    >>> resolve_threads(0)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: threads=0; needed: at least 1; try: leave it out to use every core
    """
    if threads is None:
        return default_threads()
    if threads < 1:
        raise ChoiceError(f"threads={threads}", needed="at least 1", remedy="leave it out to use every core")
    return threads


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep linear algebra at one thread inside a ``with``: for many small matrices, one after another.

    Threads gain nothing on matrices of a few dozen rows, and on a busy machine their waiting for each
    other costs fifty times the work. They also round products in another way.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     values = np.linalg.eigvalsh(np.eye(2))
    """
    limiter: AbstractContextManager[object] = _blas("scipy.linalg" in sys.modules).limit(limits=1)
    return limiter


def keep_one_blas_thread() -> None:
    """Keep the linear algebra of this (worker) process at one thread from now on."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(limits=1)


def default_to_one_blas_thread() -> None:
    """Keep linear algebra at one thread, unless the user's environment says otherwise; before numpy loads.

    The package's own threads take every core. A library that adds threads of its own to small products makes
    them wait for each other.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@lru_cache(maxsize=2)
def _blas(with_scipy: bool) -> Any:
    """The linear-algebra libraries loaded so far; SciPy brings one of its own."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _affinity() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _quota(cgroup: Path) -> float:
    """Cores that a container grants (cgroup version 2, then 1); infinity when it sets no limit."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
        return math.inf if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        pass
    try:
        limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
        period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        return int(limit) / int(period) if int(limit) > 0 else math.inf
    except (OSError, ValueError):
        return math.inf
