"""Notices about a recording that is used: clipped, silent, resampled."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

Warn = Callable[[str], None]
"""What takes a notice. It may be called from any thread."""


class AudioWarning(UserWarning):
    """A notice about a recording that is used."""


def warn_user(message: str) -> None:
    """Issue a Python warning of the category `AudioWarning`, which shows the same text once.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_user("a.wav is clipped")
    >>> str(caught[0].message)
    'a.wav is clipped'
    """
    warnings.warn(message, AudioWarning, stacklevel=2)


class Notices:
    """Collects notices, each text once, from any number of threads, for a command to print at its end.

    It may be sent to another process, but what is collected there stays there.

    Parameters
    ----------
    then : callable, optional
        Called with each new text, as it comes.

    Examples
    --------
    >>> notices = Notices(then=print)
    >>> notices("a.wav is clipped"); notices("a.wav is clipped")
    a.wav is clipped
    >>> notices.messages
    ('a.wav is clipped',)
    """

    def __init__(self, then: Warn | None = None) -> None:
        self._then = then
        self._seen: dict[str, None] = {}
        self._lock = threading.Lock()

    def __call__(self, message: str) -> None:
        with self._lock:
            if message in self._seen:
                return
            self._seen[message] = None
        if self._then is not None:
            self._then(message)

    @property
    def messages(self) -> tuple[str, ...]:
        """The texts, in order."""
        with self._lock:
            return tuple(self._seen)

    def __getstate__(self) -> dict[str, Any]:
        return {"_then": self._then, "_seen": dict(self._seen)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())
