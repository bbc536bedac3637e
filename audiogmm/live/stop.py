"""A request to stop, which wakes everybody who waits."""

from __future__ import annotations

import os
import threading

from audiogmm.types import Seconds


class Stop:
    """Set once, from any thread; those who wait for time, or for a file descriptor beside `fileno`, wake.

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
        """Ask to stop; the first reason is kept."""
        with self._lock:
            if self._event.is_set():
                return
            self.reason = reason
            self._event.set()
            os.write(self._write, b".")

    @property
    def is_set(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def wait(self, seconds: Seconds | None) -> bool:
        """Wait so long at most; whether somebody asked."""
        return self._event.wait(seconds)

    def fileno(self) -> int:
        """A descriptor that can be read once somebody asked."""
        return self._read

    def close(self) -> None:
        """Give the descriptors back, once nobody waits."""
        with self._lock:
            self._event.set()
            for descriptor in (self._read, self._write):
                if descriptor >= 0:
                    os.close(descriptor)
            self._read = self._write = -1
