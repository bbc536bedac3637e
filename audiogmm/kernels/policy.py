"""The one jit policy: how every kernel of this package is compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
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
    compile_for = partial(numba.njit, nogil=True, error_model="numpy", fastmath=fastmath)
    try:
        compiled: Any = compile_for(cache=cacheable)(function)
    except RuntimeError:  # no folder takes the cache: compile anew in every process
        compiled, cacheable = compile_for(cache=False)(function), False
    if cacheable:
        _depend_on_all_sources(compiled)
    result: F = compiled
    return result


def _depend_on_all_sources(compiled: Any) -> None:
    """Let what is cached of a kernel go out of date with any source of this folder.

    Numba looks at the time and size of the kernel's own file, but kernels call others and are built from
    microkernels; and installers may give every file the same time. Where numba keeps its stamp is its own
    affair: if it moves, its own rule is what remains.
    """
    cache_file: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(cache_file, "_source_stamp"):
        cache_file._source_stamp = (*cache_file._source_stamp, _sources_digest())


@cache
def _sources_digest() -> str:
    """SHA-256 of the sources of all kernels, hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
