"""Text from elsewhere, for those who read it: bytes that are not UTF-8, terminals, spreadsheets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

ESCAPED = "backslashreplace"
"""The `errors` of all text that we write: byte FC of a name becomes ``\\udcfc``, in JSON an escape anyway."""

_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes the rest of a cell for a formula after."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What moves the cursor of a terminal, starts its commands, or turns the direction of writing round."""

_ESCAPE = re.compile(r"\\u(dc[89a-f][0-9a-f])")


def escaped(text: str) -> str:
    r"""Return a text that UTF-8 can hold.

    Examples
    --------
    >>> print(escaped("gr\udcfcn.wav"))
    gr\udcfcn.wav
    """
    return text.encode("utf-8", ESCAPED).decode()


def restored(text: str) -> str:
    r"""Return a text that `escaped` wrote, as it was.

    Examples
    --------
    >>> restored(r"gr\udcfcn.wav") == "gr\udcfcn.wav"
    True
    """
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if r"\udc" in text else text


def printable(text: str) -> str:
    r"""Return a text that a terminal shows and does not obey: control characters are escaped.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb.wav"))
    a\x1b[2Jb.wav
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def json_line(value: object, default: Callable[[Any], Any] | None = None) -> str:
    r"""Return a value as JSON for a terminal or a program: control characters are escaped, letters are not.

    Parameters
    ----------
    value : object
    default : callable, optional
        As in `json.dumps`.

    Raises
    ------
    ValueError
        For a number that is not finite.

    Examples
    --------
    >>> print(json_line({"id": "ü\x9b2J\u202e"}))
    {"id": "ü\u009b2J\u202e"}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=default)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def guarded(cell: str) -> str:
    """Return a cell of a table that a spreadsheet takes for text, never for a formula: behind an apostrophe.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1"), guarded("a=1"), guarded("-1.5")
    ("'=1+1", "''=1", 'a=1', '-1.5')
    """
    if not cell.lstrip("'").startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def unguarded(cell: str) -> str:
    """Return what `guarded` was given.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("''=1"), unguarded("'a'")
    ('=1+1', "'=1", "'a'")
    """
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(_FORMULA) else cell
