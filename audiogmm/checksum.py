"""Checksums of what is written: bits that a disk, a memory or a copy has changed are noticed on reading.

CRC-32, as in zip archives and frame files: it finds every change of up to 32 bits in a row, misses others
once in four billion times, and costs half of what BLAKE2b does. It is no signature: who changes a file on
purpose can compute it again.
"""

from __future__ import annotations

import json
import zlib
from os import PathLike
from typing import Any

from audiogmm.errors import ModelFileError
from audiogmm.escapes import ESCAPED
from audiogmm.types import Json

KEY = "checksum"
"""The field of a JSON object that holds the checksum of the others."""


def checksum_of(content: Any, kind: str = "") -> str:
    """Return the CRC-32 of bytes and of what they are, as eight hexadecimal digits.

    Parameters
    ----------
    content : bytes-like
        Contiguous.
    kind : str
        How the bytes are to be read, such as the type and the shape of an array.

    Examples
    --------
    >>> checksum_of(b"123456789"), checksum_of(b"123456789", "uint8") == checksum_of(b"123456789")
    ('cbf43926', False)
    """
    return f"{zlib.crc32(content, zlib.crc32(kind.encode())):08x}"


def sealed(document: Json) -> Json:
    """Return a JSON object with the checksum of its content, which does not depend on how it is written.

    Examples
    --------
    >>> sealed({"tau": 8.0})
    {'tau': 8.0, 'checksum': '6a4b59de'}
    """
    rest = {name: value for name, value in document.items() if name != KEY}
    return rest | {KEY: _checksum(json.loads(json.dumps(rest)))}


def is_intact(document: Json, text: str = "") -> bool:
    """Return whether a JSON object has the checksum that `sealed` gave it.

    Parameters
    ----------
    document : dict
        As it was read.
    text : str
        What it was read from. Where its keys are sorted, the checksum is that of the text without the item,
        and nothing is written again.

    Examples
    --------
    >>> is_intact(sealed({"tau": 8.0})), is_intact(sealed({"tau": 8.0}) | {"tau": 9.0}), is_intact({})
    (True, False, False)
    """
    item = f'"{KEY}": "{document.get(KEY)}", '
    if item in text and checksum_of(text.replace(item, "", 1).encode(errors=ESCAPED)) == document.get(KEY):
        return True
    rest = {name: value for name, value in document.items() if name != KEY}
    return document.get(KEY) == _checksum(rest)


def unsealed(document: Json, required: bool, path: str | PathLike[str], remedy: str, text: str = "") -> Json:
    """Return a JSON object without the checksum that `sealed` gave it.

    Parameters
    ----------
    document : dict
        As it was read.
    required : bool
        False for a file of an older version, which may have none.
    path, remedy : path-like and str
        For the message: the file, and how it is made again.
    text : str
        What it was read from, as in `is_intact`.

    Raises
    ------
    ModelFileError
        If something in it was changed.
    """
    if (required or KEY in document) and not is_intact(document, text):
        raise damaged(path, "its content", remedy)
    return {name: value for name, value in document.items() if name != KEY}


def damaged(path: str | PathLike[str], section: str, remedy: str) -> ModelFileError:
    """Return the error of a section of a file that does not have its checksum."""
    return ModelFileError(
        f"{path} is damaged: {section} does not have its checksum",
        needed="the bytes that audiogmm wrote",
        remedy=f"restore it from a copy, or {remedy}; and check the disk",
    )


def _checksum(document: Json) -> str:
    return checksum_of(json.dumps(document, sort_keys=True).encode())
