"""Short representations: what a person wants to see of an object at a prompt or in a notebook."""

from __future__ import annotations

import reprlib
from dataclasses import MISSING, fields
from typing import Any


class _Shortener(reprlib.Repr):
    """Shortens long values, and arrays to their shape."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxtuple = self.maxlist = self.maxdict = 3
        self.maxlevel = 1

    def repr_ndarray(self, array: Any, _: int) -> str:
        """Return the shape and the dtype of an array."""
        return f"<{array.shape} {array.dtype}>"


_SHORTENER = _Shortener()


def short_repr(self: Any) -> str:
    """Represent a dataclass by the fields that differ from their defaults; to be its `__repr__`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Steps:
    ...     name: str
    ...     passes: int = 10
    ...     sizes: tuple[int, ...] = ()
    ...     __repr__ = short_repr
    >>> Steps("a"), Steps("b", 3, tuple(range(100)))
    (Steps(name='a'), Steps(name='b', passes=3, sizes=(0, 1, 2, ...)))
    """
    shown = []
    for field in fields(self):
        value = getattr(self, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if field.repr and not (type(value) is type(default) and value == default):
            shown.append(f"{field.name}={_SHORTENER.repr(value)}")
    return f"{type(self).__name__}({', '.join(shown)})"


def lines_repr(self: Any) -> str:
    """Represent a result by its closing lines; to be its `__repr__`.

    Examples
    --------
    >>> class Found:
    ...     __repr__ = lines_repr
    ...     def lines(self):
    ...         return ["2 events in 1 recording", "events: e.jsonl"]
    >>> Found()
    2 events in 1 recording
    events: e.jsonl
    """
    return "\n".join(self.lines())
