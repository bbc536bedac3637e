"""File names that are not UTF-8, in text: such a byte is written as an escape that reads back."""

from __future__ import annotations

import re

ESCAPED = "backslashreplace"
"""The `errors` of all text that we write: byte FC of a name becomes ``\\udcfc``, in JSON an escape anyway."""

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
