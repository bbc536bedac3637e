"""Methods of a class whose code is in a room above it, so that the class itself imports nothing of that room.

A model can be made an estimator, and a track can be drawn, though neither knows of scikit-learn or of
matplotlib: the class names the method, and the package, which stands above all rooms, provides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_HOMES: dict[str, str] = {}


def provide(homes: Mapping[str, str]) -> None:
    """Say in which module the function behind each method is; it is imported when the method is called.

    Parameters
    ----------
    homes : mapping of str to str
        The module of each function.
    """
    _HOMES.update(homes)


def call_above(name: str, owner: object, *args: Any, **given: Any) -> Any:
    """Call the function `name` of a room above with the object that a method belongs to.

    Examples
    --------
    >>> provide({"isqrt": "math"})
    >>> call_above("isqrt", 17)
    4
    """
    return getattr(import_module(_HOMES[name]), name)(owner, *args, **given)
