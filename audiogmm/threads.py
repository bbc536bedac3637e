"""How many threads there are to use: the one policy for the whole package.

Parallel work is threads around kernels that release the interpreter lock, or worker processes with one
thread each. Results never depend on how many there are; only the time does.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def single_thread() -> None:
    """Keep the linear-algebra libraries of this (worker) process at one thread each."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(limits=1)


@contextmanager
def calm_linear_algebra() -> Iterator[None]:
    """Linear algebra at one thread for a while: small products that must not wait, nor round otherwise."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def keep_linear_algebra_calm() -> None:
    """Keep linear algebra at one thread, unless the user says otherwise; call it before numpy loads.

    The package's own threads take every core. A library that adds threads of its own to small products makes
    them wait for each other.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")


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
