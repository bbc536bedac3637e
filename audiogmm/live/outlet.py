"""Lines on their way to a reader, who may be slow or gone."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from audiogmm.escapes import json_line
from audiogmm.live.line import SPARED
from audiogmm.types import Json, Seconds

MOST, FAR = 10_000, 100_000
"""Lines that may wait before those in `SPARED` are dropped, and before any are."""

TOGETHER = 256
"""Lines in a write."""


class Outlet:
    """Write lines in a separate thread, so that a session does not wait for the reader of its lines.

    When `most` lines wait, those of the types in `SPARED` are dropped, and other lines take their places;
    when `far` lines wait, `put` waits, or drops the line. As soon as there is room again, a line of type
    ``overflow`` says how many of each type were dropped.

    Parameters
    ----------
    write : callable
        Takes whole lines as one text; may block; raises OSError when nobody reads any more.
    gone : callable
        Called once when nobody reads any more.
    most, far : int
        See above.

    Attributes
    ----------
    failure : Exception or None
        What `write` raised.

    Examples
    --------
    >>> written = []
    >>> outlet = Outlet(written.append)
    >>> outlet.put({"type": "end", "time": 1.0})
    >>> outlet.close(None)
    True
    >>> written
    ['{"type": "end", "time": 1.0}\\n']
    """

    def __init__(
        self,
        write: Callable[[str], object],
        gone: Callable[[], object] = lambda: None,
        *,
        most: int = MOST,
        far: int = FAR,
    ) -> None:
        self._write = write
        self._gone = gone
        self._most = most
        self._far = far
        self._lines: deque[Json] = deque()
        self._missing: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._closing = self._hurrying = False
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="audiogmm-lines", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of lines that are not written yet."""
        return len(self._lines)

    def put(self, line: Json, *, patient: bool = True) -> None:
        """Add a line; if `far` lines wait, wait with it, or drop it if not `patient`."""
        with self._changed:
            if self.failure is not None:
                return
            if len(self._lines) >= self._most and not self._make_room(line, patient):
                self._missing[line["type"]] += 1
                return
            self._lines.append(line)
            self._changed.notify_all()

    def hurry(self) -> None:
        """Wait for the reader no more: from now on, a line that finds no room is dropped."""
        with self._changed:
            self._hurrying = True
            self._changed.notify_all()

    def close(self, timeout: Seconds | None) -> bool:
        """Write what waits, for at most `timeout` seconds; return whether all of it was written."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive() and self.failure is None

    def _make_room(self, line: Json, patient: bool) -> bool:
        """Return whether there is room for a line, where spared lines make way."""
        if line["type"] in SPARED:
            return False
        for i, other in enumerate(self._lines):
            if other["type"] in SPARED:
                self._missing[other["type"]] += 1
                del self._lines[i]
                return True
        while len(self._lines) >= self._far:
            if not patient or self._hurrying:
                return False
            self._changed.wait()
            if self.failure is not None:
                return False
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing:
                    self._changed.wait()
                together = [self._lines.popleft() for _ in range(min(TOGETHER, len(self._lines)))]
                self._changed.notify_all()
                if not together and not self._missing:
                    return
                if self._missing and len(self._lines) <= self._most // 2:
                    together.insert(0, {"type": "overflow", "dropped": dict(sorted(self._missing.items()))})
                    self._missing.clear()
            try:
                self._write("".join(text_of(line) + "\n" for line in together))
            except (OSError, ValueError) as error:  # a closed file is a ValueError
                with self._changed:
                    self.failure = error
                    self._lines.clear()
                    self._changed.notify_all()
                self._gone()
                return


def text_of(line: Json) -> str:
    """Write a line as JSON, with every number to its last bit.

    Examples
    --------
    >>> text_of({"type": "score", "score": -41.5})
    '{"type": "score", "score": -41.5}'
    """
    return json_line(line, _plain)


def _plain(value: Any) -> Any:
    """Return the Python number of a NumPy scalar."""
    return value.item()
