"""The one jit policy: how every kernel of this package is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

ORDER_FREE = {"reassoc", "contract", "arcp", "nsz", "afn"}
"""What LLVM may change in a `fast_kernel`. Never nnan or ninf: minus infinity means something here."""


def kernel(function: F) -> F:
    """Compile without the interpreter lock, cached, with IEEE arithmetic in the order written.

    A result then does not depend on how LLVM vectorises a loop, on the number of rows, or on a row's place.

    Examples
    --------
    >>> @kernel
    ... def add(a, b):
    ...     return a + b
    >>> add(1.0, 2.0)
    3.0
    """
    return _compile(function, fastmath=False)


def fast_kernel(function: F) -> F:
    """Compile like `kernel`, but let sums be taken in any order: for what neither streams nor is reported.

    Examples
    --------
    >>> @fast_kernel
    ... def add(a, b):
    ...     return a + b
    >>> add(1.0, 2.0)
    3.0
    """
    return _compile(function, fastmath=ORDER_FREE)


def _compile(function: F, fastmath: bool | set[str]) -> F:
    cacheable = (
        function.__module__.startswith("audiogmm.") and "<doctest" not in function.__code__.co_filename
    )
    compiled: F = numba.njit(nogil=True, cache=cacheable, error_model="numpy", fastmath=fastmath)(function)  # type: ignore[assignment]
    return compiled
