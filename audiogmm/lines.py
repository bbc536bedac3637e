"""Lines of text from elsewhere, none of which may be longer than memory likes."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, TextIO, cast

from audiogmm.errors import LongLineError

LONGEST_LINE = 1 << 24
"""Bytes of a line of text, at most: a compressed file may unpack to any number of them."""

LONGEST_TEXT = 1 << 26
"""Characters of a text that is held whole, at most."""

_BUFFER = 1 << 18


class _ShortLines(io.RawIOBase):
    """Bytes of another stream, until more than `LONGEST_LINE` come without the end of a line."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream, self._name, self._since = stream, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(len(buffer))
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        self._since = len(piece) - last - 1 if last >= 0 else self._since + len(piece)
        if self._since > LONGEST_LINE:
            raise LongLineError(
                f"{self._name} has a line of more than {LONGEST_LINE >> 20} MiB",
                needed="lines of text, one entry each",
                remedy="write each entry on a line of its own: jq -c '.[]' turns an array into lines",
            )
        buffer[: len(piece)] = piece
        return len(piece)


def with_short_lines(stream: Any, name: str) -> BinaryIO:
    r"""Return a stream of the same bytes; reading it raises where a line is too long.

    Parameters
    ----------
    stream : binary file
        Open for reading.
    name : str
        The file, for the message.

    Raises
    ------
    LongLineError
        While it is read: from 16 MiB without a line feed or a carriage return on.

    Examples
    --------
    >>> list(with_short_lines(io.BytesIO(b"a\nb"), "x.jsonl"))
    [b'a\n', b'b']
    """
    return cast(BinaryIO, io.BufferedReader(_ShortLines(stream, name), _BUFFER))


def whole_text(stream: TextIO, name: str) -> str:
    r"""Return the rest of a text that has to be held whole.

    Raises
    ------
    LongLineError
        If it has more than `LONGEST_TEXT` characters, whatever its file takes on disk.

    Examples
    --------
    >>> whole_text(io.StringIO("a\nb"), "x.TextGrid")
    'a\nb'
    """
    text = stream.read(LONGEST_TEXT + 1)
    if len(text) > LONGEST_TEXT:
        raise LongLineError(
            f"{name} has a text of more than {LONGEST_TEXT >> 20} MiB",
            needed="a file of one recording",
            remedy="write a file for each recording",
        )
    return text
