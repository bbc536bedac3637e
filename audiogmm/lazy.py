"""Names that a room exports without importing its files: each is loaded when it is first used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def exports(room: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a room (PEP 562).

    What the room's `__init__` imports under ``if TYPE_CHECKING``, for type checkers, is what it exports, so
    that each name is declared once. `__all__`, `help` and ``import *`` know them.

    Parameters
    ----------
    room : str
        The `__name__` of the room's `__init__`, where the two are assigned.

    Examples
    --------
    >>> load, names = exports("audiogmm")
    >>> load("Segment").__module__, "Segment" in names()
    ('audiogmm.timeline', True)
    >>> load("Segments")
    Traceback (most recent call last):
    ...
    AttributeError: module 'audiogmm' has no attribute 'Segments'
    """

    @cache
    def homes() -> dict[str, str]:
        import ast

        spec = sys.modules[room].__spec__
        source = spec.loader.get_source(room)  # type: ignore[union-attr]
        return {
            alias.name: node.module or ""
            for block in ast.parse(source).body
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
            for node in block.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def load(name: str) -> Any:
        if name == "__all__":
            return list(homes())
        if name.startswith("__") or name not in homes():
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(homes()[name]), name)

    return load, lambda: sorted([*homes(), "__all__", "__doc__"])
