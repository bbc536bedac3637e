"""The one jit policy: how every kernel of this package is compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
from numba.core.registry import cpu_target

from audiogmm.kernels.cache import make_safe

F = TypeVar("F", bound=Callable[..., Any])

ORDER_FREE = {"reassoc", "contract", "arcp", "nsz", "afn"}
"""What LLVM may change in a `fast_kernel`. Never nnan or ninf: minus infinity means something here."""


def kernel(function: F) -> F:
    """Compile without the interpreter lock, cached, with IEEE arithmetic in the order written.

    A result then does not depend on how LLVM vectorizes a loop, on the number of rows, or on a row's place.

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
    compile_for = partial(numba.njit, nogil=True, error_model="numpy", fastmath=fastmath)
    try:
        compiled: Any = compile_for(cache=cacheable)(function)
    except RuntimeError:  # no folder takes the cache: compile again in every process
        compiled, cacheable = compile_for(cache=False)(function), False
    if cacheable:
        make_safe(compiled)
    result: F = compiled
    return result


def compiles_for(feature: str) -> bool:
    """Return whether kernels may use a feature of the CPU, by LLVM's name; not whether this CPU has it.

    The two differ where the user sets NUMBA_CPU_NAME or NUMBA_CPU_FEATURES. Whatever depends on a feature
    asks here, since numba distinguishes cached machine code by this: a folder shared by unlike CPUs holds
    one variant for each.

    Examples
    --------
    >>> compiles_for("no such feature")
    False
    """
    features: str = cpu_target.target_context.codegen().magic_tuple()[-1]
    return f"+{feature}" in features.split(",")
