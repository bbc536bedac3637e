"""A request to stop, which wakes all threads that wait."""

from __future__ import annotations

import os
import threading

from audiogmm.types import Seconds


class Stop:
    """Requested once, from any thread; wakes threads in `wait`, and in a poll of `fileno`.

    Examples
    --------
    >>> stop = Stop()
    >>> stop.wait(0), stop.set("enough"), stop.wait(None), stop.reason
    (False, None, True, 'enough')
    >>> stop.close()
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._read, self._write = os.pipe()
        self.reason = ""

    def set(self, reason: str) -> None:
        """Request a stop; the first reason is kept."""
        with self._lock:
            if self._event.is_set():
                return
            self.reason = reason
            self._event.set()
            os.write(self._write, b".")

    @property
    def is_set(self) -> bool:
        """Whether a stop was requested."""
        return self._event.is_set()

    def wait(self, seconds: Seconds | None) -> bool:
        """Wait for at most `seconds`; return whether a stop was requested."""
        return self._event.wait(seconds)

    def fileno(self) -> int:
        """Return a descriptor that can be read once a stop was requested."""
        return self._read

    def close(self) -> None:
        """Close the descriptors, when no thread waits any more."""
        with self._lock:
            self._event.set()
            for descriptor in (self._read, self._write):
                if descriptor >= 0:
                    os.close(descriptor)
            self._read = self._write = -1
