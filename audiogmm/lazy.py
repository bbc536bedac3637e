"""Names that a room exports without importing its files: each is loaded when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def exports(
    room: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return the `__getattr__`, `__dir__` and `__all__` of a room.

    Parameters
    ----------
    room : str
        The `__name__` of the room's `__init__`.
    homes : mapping of str to str
        For each public name the module that defines it, below the room.

    Returns
    -------
    tuple
        To be assigned in the `__init__` (PEP 562).

    Examples
    --------
    >>> load, _, names = exports("audiogmm", {"Segment": "timeline"})
    >>> names, load("Segment").__module__
    (['Segment'], 'audiogmm.timeline')
    >>> load("Segments")
    Traceback (most recent call last):
    ...
    AttributeError: module 'audiogmm' has no attribute 'Segments'
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(f"{room}.{homes[name]}"), name)

    return load, lambda: sorted(homes), list(homes)
