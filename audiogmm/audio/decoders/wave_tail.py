"""What follows the samples of a wav: chunks, another wav, more samples, or the end."""

from __future__ import annotations

from typing import Literal, Protocol

from audiogmm.audio.decoders.wave import MAGICS, WaveHeader, begins_chunk, begins_tag, begins_wav

TAIL = 1 << 16
"""Fewer bytes than this behind the stated end are no sound, whatever they are."""

ROUND = 1 << 32
"""A size of 32 bits that went round is too small by a multiple of this."""

GOES_ON = "goes on behind the end that its header states; what follows is read as sound"


class Peekable(Protocol):
    """A stream of which the next bytes can be seen before they are taken."""

    def peek(self, size: int) -> bytes:
        """Return the next bytes, fewer than `size` at the end only."""
        ...

    def skip(self, size: int) -> None:
        """Drop bytes."""
        ...


def find_following(
    stream: Peekable, header: WaveHeader, size: int
) -> tuple[Literal["end", "wav", "sound"], str | None]:
    """Skip chunks that are no sound, and tell what is next.

    Parameters
    ----------
    stream : Peekable
        Behind the samples that were read; left at what is next.
    header : WaveHeader
    size : int
        Bytes of samples that were read; odd, a byte of padding follows.

    Returns
    -------
    following : str
        ``wav``: the header of another wav stream; ``sound``: more samples, up to `ROUND` bytes.
    note : str or None
        What is not read at the end.
    """
    while True:
        head = stream.peek(13)
        if size % 2 and _is_padding(head, header.swapped):
            stream.skip(1)
            head = stream.peek(12)
        if not head or begins_tag(head):
            return "end", None
        if begins_wav(head):
            return "wav", None
        if not begins_chunk(head, header.swapped):
            tail = stream.peek(TAIL)
            if len(tail) == TAIL or header.data_size is None:
                return "sound", None
            what = "bytes" if any(tail) else "zeros"
            return "end", f"has {len(tail)} {what} behind the end that its header states; they are not read"
        size = int.from_bytes(head[4:8], "big" if header.swapped else "little")
        stream.skip(8 + size)


def cut_at_header(data: bytes) -> tuple[bytes, bytes, bool]:
    """Return samples, the rest, and whether the rest begins with a header (it may be the start of one).

    Examples
    --------
    >>> cut_at_header(b"abRIFF1234WAVEfmt ")
    (b'ab', b'RIFF1234WAVEfmt ', True)
    >>> cut_at_header(b"abcRIFF1"), cut_at_header(b"abc")
    ((b'abc', b'RIFF1', False), (b'abc', b'', False))
    """
    at = data.find(b"WAVE")
    while at >= 0:
        if at >= 8 and data[at - 8 : at - 4] in MAGICS:
            return data[: at - 8], data[at - 8 :], True
        at = data.find(b"WAVE", at + 1)
    for n in range(min(11, len(data)), 0, -1):
        tail = data[-n:]
        if any(tail[:4] == magic[:n] for magic in MAGICS) and b"WAVE".startswith(tail[8:]):
            return data[:-n], tail, False
    return data, b"", False


def _is_padding(head: bytes, swapped: bool) -> bool:
    """Whether the first byte fills up a chunk of odd size, as it should."""
    if begins_wav(head) or begins_chunk(head, swapped):
        return False
    return len(head) < 2 or begins_wav(head[1:]) or begins_chunk(head[1:], swapped) or head[0] == 0
