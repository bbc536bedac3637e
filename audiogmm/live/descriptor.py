"""The bytes of a file descriptor, as they arrive."""

from __future__ import annotations

import os
import select
import time

from audiogmm.live.source import WaitPolicy
from audiogmm.types import Seconds


class Descriptor:
    """Read the bytes that are there; where there are none, wait for bytes, for the end, or for a stop.

    Bytes can be put back. A file without a descriptor, such as one that a notebook puts in place of standard
    input, is read by its own method, and cannot be interrupted; so is any where nothing can poll pipes.

    Parameters
    ----------
    file : binary file
        Nothing may be in its buffer yet.
    waiting : WaitPolicy
        How to wait.

    Examples
    --------
    >>> import io
    >>> from audiogmm.live.stop import Stop
    >>> stop = Stop()
    >>> found = Descriptor(io.BytesIO(b"abc"), WaitPolicy(stop, print, None))
    >>> found.read(2), found.unread(b"xy"), found.read(9), found.read(9), found.read(9)
    (b'ab', None, b'xy', b'c', b'')
    >>> stop.close()
    """

    def __init__(self, file: object, waiting: WaitPolicy) -> None:
        self._file = file
        self._waiting = waiting
        self._held = b""
        self._poll: select.poll | None = None
        self._number = _number(file) if hasattr(select, "poll") else None
        if self._number is not None:
            self._poll = select.poll()
            self._poll.register(self._number, select.POLLIN)
            self._poll.register(waiting.stop.fileno(), select.POLLIN)

    def read(self, size: int = -1, /) -> bytes:
        """Return 1 to `size` bytes (65,536 if negative); none at the end, or when a stop was requested."""
        if self._held:
            size = len(self._held) if size < 0 else size
            piece, self._held = self._held[:size], self._held[size:]
            return piece
        size = 65536 if size < 0 else size
        if self._number is None:
            read = getattr(self._file, "read1", None) or self._file.read  # type: ignore[attr-defined]
            return b"" if self._waiting.stop.is_set else bytes(read(size))
        while self._wait():
            try:
                return os.read(self._number, size)
            except BlockingIOError:  # another reader of the descriptor was faster
                continue
        return b""

    def unread(self, data: bytes) -> None:
        """Put bytes back, to be read next."""
        self._held = data + self._held

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them; fewer at the end, or when a stop was requested."""
        head = b""
        while len(head) < size and (piece := self.read(size - len(head))):
            head += piece
        self.unread(head)
        return head

    def skip(self, size: int) -> None:
        """Drop bytes."""
        while size > 0 and (piece := self.read(min(size, 65536))):
            size -= len(piece)

    def seekable(self) -> bool:
        """Return False: what was read is gone."""
        return False

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Raise OSError."""
        raise OSError("a stream cannot seek")

    def close(self) -> None:
        """Do nothing: the caller that opened the descriptor closes it."""

    def _wait(self) -> bool:
        """Wait until something can be read; return False if a stop was requested."""
        assert self._poll is not None
        stop, patience = self._waiting.stop, self._waiting.patience
        since: Seconds | None = None
        while True:
            ready = self._poll.poll(None if patience is None else 1000 * patience)
            if stop.is_set:
                return False
            if ready:
                return True
            now = time.monotonic()
            since = now - (patience or 0.0) if since is None else since
            self._waiting.idle(now - since)


def _number(file: object) -> int | None:
    try:
        return int(file.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
