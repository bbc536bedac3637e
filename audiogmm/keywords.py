"""Keywords as a thin face over one settings object."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar

R = TypeVar("R")


def accepts(
    kind: type[Any], *, without: Collection[str] = (), renamed: Mapping[str, str] | None = None
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Let a function that takes `settings`, a frozen dataclass, also be called with its fields as keywords.

    The keywords replace fields of `settings` where both are given; `help` and `inspect.signature` show them.

    Parameters
    ----------
    kind : type
        The frozen dataclass; the decorated function has a keyword parameter `settings` of this type.
    without : collection of str
        Fields that mean nothing to the function, and are no keywords of it.
    renamed : mapping of str to str, optional
        Former keywords, which still work, with the names that took their place.

    Returns
    -------
    callable
        A decorator.

    Raises
    ------
    TypeError
        At a call with a keyword that is neither a field nor a parameter; the nearest one is named.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Steps:
    ...     passes: int = 10
    ...     tol: float = 1e-3
    >>> @accepts(Steps)
    ... def fit(X: list[int], *, settings: Steps) -> str:
    ...     return f"{settings.passes} passes over {len(X)}"
    >>> fit([1, 2], passes=3), fit([1], settings=Steps(passes=4), tol=0.0)
    ('3 passes over 2', '4 passes over 1')
    >>> inspect.signature(fit)
    <Signature (X: 'list[int]', *, passes: 'int' = 10, tol: 'float' = 0.001) -> 'str'>
    >>> accepts(Steps, without=["tol"], renamed={"rounds": "passes"})(lambda *, settings: settings)(rounds=7)
    Steps(passes=7, tol=0.001)
    >>> fit([1], pases=3)
    Traceback (most recent call last):
    ...
    TypeError: fit() has no keyword 'pases'; did you mean 'passes'?
    """
    own_fields = [field for field in fields(kind) if field.name not in without]
    names = [field.name for field in own_fields]

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.name != "settings"]
        known = [*(p.name for p in own), *names]

        @functools.wraps(function)
        def call(*args: Any, settings: Any = None, **keywords: Any) -> R:
            for former, name in (renamed or {}).items():
                if former in keywords:
                    keywords[name] = keywords.pop(former)
            for name in keywords:
                if name not in known:
                    near = difflib.get_close_matches(name, known, 1)
                    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
                    raise TypeError(f"{function.__name__}() has no keyword {name!r}{hint}")
            changes = {name: keywords.pop(name) for name in names if name in keywords}
            chosen = kind(**changes) if settings is None else replace(settings, **changes)
            return function(*args, settings=chosen, **keywords)

        shown = [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=_default(f), annotation=f.type)
            for f in own_fields
        ]
        call.__signature__ = signature.replace(parameters=[*own, *shown])  # type: ignore[attr-defined]
        return call

    return decorate


def _default(field: Any) -> Any:
    """What a signature shows as the default of a field."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default
