"""The one jit policy: how every kernel of this package is compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from audiogmm.kernels.cache import make_safe
from audiogmm.kernels.compile_lock import AT_EVERY_START, COMPILE_LOCK, announce

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
    is_ours = function.__module__.startswith("audiogmm.") and "<doctest" not in function.__code__.co_filename
    compile_for = partial(numba.njit, nogil=True, error_model="numpy", fastmath=fastmath)
    is_kept = is_ours
    try:
        compiled: Any = compile_for(cache=is_kept)(function)
    except RuntimeError:  # no folder takes the cache: compile in every process
        compiled, is_kept = compile_for(cache=False)(function), False
    if is_kept:
        make_safe(compiled)
    _type_without_literals(compiled)
    if is_ours:
        _compile_under_lock(compiled, is_kept)
    result: F = compiled
    return result


def _type_without_literals(dispatcher: Any) -> None:
    """Compile a kernel once for each type of its arguments, not also for each constant it is called with.

    Numba types ``screen(0, ...)`` as a call with the literal 0, and compiles a variant for it beside the one
    for integers. LLVM propagates constants into what it inlines in any case.
    """
    template = dispatcher.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        unliteral: Any = types.unliteral
        return template(tuple(map(unliteral, args)), {name: unliteral(type) for name, type in kws.items()})

    dispatcher.get_call_template = get_call_template


def _compile_under_lock(dispatcher: Any, is_kept: bool) -> None:
    """Let one process compile at a time, where machine code is kept, and say so where it takes long."""
    compile_now = dispatcher.compile

    def compile_under_lock(signature: Any) -> Any:
        with global_compiler_lock, COMPILE_LOCK:
            if not is_kept:
                announce(AT_EVERY_START)
            return compile_now(signature)

    dispatcher.compile = compile_under_lock


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
