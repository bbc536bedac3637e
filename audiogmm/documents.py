"""JSON documents that are read back: an object of finite numbers, or an error."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from audiogmm.types import Json


def parse_document(text: str | bytes) -> Json:
    """Parse a JSON object; call it inside `reading`, which names the file.

    Raises
    ------
    ValueError
        If it is no JSON, no object, or has a number that is not finite, such as NaN or 1e999.

    Examples
    --------
    >>> parse_document(b'{"weight": 0.5}')
    {'weight': 0.5}
    >>> parse_document('{"weight": 1e999}')
    Traceback (most recent call last):
    ...
    ValueError: 1e999 is no finite number
    """
    document = json.loads(text, parse_constant=_refuse, parse_float=parse_finite)
    if not isinstance(document, dict):
        raise ValueError(f"{type(document).__name__}, not an object")
    return document


def parse_finite(value: object) -> float:
    """Return a number or its text as a finite float.

    Raises
    ------
    ValueError
        If it is none: a truth value, NaN, an infinity.

    Examples
    --------
    >>> parse_finite("0.5"), parse_finite(2)
    (0.5, 2.0)
    """
    if not isinstance(value, bool) and isinstance(value, str | int | float):
        number = float(value)
        if math.isfinite(number):
            return number
    raise ValueError(f"{value} is no finite number")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no finite number")
