"""Keywords as a thin face over one settings object."""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar

from audiogmm.errors import ChoiceError

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
    ChoiceError
        At a call with a value that is no number where the field is one; see `check_numbers`.

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
            changes |= check_numbers(kind, changes)
            chosen = kind(**changes) if settings is None else replace(settings, **changes)
            return function(*args, settings=chosen, **keywords)

        shown = [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=_default(f), annotation=f.type)
            for f in own_fields
        ]
        call.__signature__ = signature.replace(parameters=[*own, *shown])  # type: ignore[attr-defined]
        return call

    return decorate


def check_numbers(kind: type[Any], values: Mapping[str, Any]) -> dict[str, int]:
    """Check that the fields of a dataclass that are numbers by their annotation get numbers.

    Parameters
    ----------
    kind : type
        The dataclass; of its fields, those annotated with `int` or `float`, also with None, are checked.
    values : mapping of str to object
        Values of some of its fields.

    Returns
    -------
    dict of str to int
        The whole numbers as Python's own, since those of NumPy overflow.

    Raises
    ------
    ChoiceError
        If one is another kind of value, or not whole where it has to be.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Steps:
    ...     passes: int = 10
    >>> check_numbers(Steps, {"passes": "2"})
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: passes='2'; needed: a whole number; try: passes=2
    """
    found = {}
    for field in fields(kind):
        kinds = set(str(field.type).split(" | "))
        numbers = kinds - {"None"}
        if field.name not in values or not numbers or numbers - {"int", "float", "Seconds"}:
            continue
        value, whole = values[field.name], numbers == {"int"}
        if _is_number(value, whole):
            if whole:
                found[field.name] = operator.index(value)
            continue
        if value is None and "None" in kinds:
            continue
        needed = ("a whole number" if whole else "a number") + ", or None" * ("None" in kinds)
        raise ChoiceError(f"{field.name}={value!r:.80}", needed=needed, remedy=_meant(field, value, whole))
    return found


def _is_number(value: Any, whole: bool) -> bool:
    """Whether it is a number of any library, and no text and no truth value."""
    if isinstance(value, (str, bytes, bool)):
        return False
    try:
        operator.index(value) if whole else float(value)
    except (TypeError, ValueError):
        return False
    return True


def _meant(field: Any, value: Any, whole: bool) -> str:
    """The keyword with the number that was probably meant; else with its default."""
    try:
        number: Any = int(float(value)) if whole else float(value)
    except (TypeError, ValueError, OverflowError):
        number = _default(field)
    return "" if number is inspect.Parameter.empty else f"{field.name}={number!r}"


def _default(field: Any) -> Any:
    """What a signature shows as the default of a field."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default
