"""What this process has done so far, counted where it is done: for the metrics of a run and its log.

Counts only grow, and cost a lock for each block of frames. Those of a worker process come with its results.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

I = TypeVar("I")  # noqa: E741
T = TypeVar("T")

_LOCK = threading.Lock()
_COUNTS: Counter[str] = Counter()
_FIGURES: dict[str, float] = {}


def count_done(**amounts: float) -> None:
    """Add to counts: `frames`, `audio_seconds`, `recordings`, `set_aside`, `events`.

    Examples
    --------
    >>> before = counts()
    >>> count_done(frames=98, audio_seconds=1.0)
    >>> counts() - before
    Counter({'frames': 98, 'audio_seconds': 1.0})
    """
    with _LOCK:
        for name, amount in amounts.items():
            _COUNTS[name] += amount  # type: ignore[assignment]  # seconds are no integer


def counts() -> Counter[str]:
    """Return the counts of this process, and of its worker processes as far as they have reported."""
    with _LOCK:
        return _COUNTS.copy()


def note_figures(**figures: float) -> None:
    """Keep the latest figures of a run, such as `log_likelihood`, nats per frame, and `passes`."""
    with _LOCK:
        _FIGURES.update(figures)


def figures() -> dict[str, float]:
    """Return the latest figures.

    Examples
    --------
    >>> note_figures(passes=3)
    >>> figures()["passes"]
    3
    """
    with _LOCK:
        return _FIGURES.copy()


def forget_figures() -> None:
    """Drop the figures of an earlier run in this process."""
    with _LOCK:
        _FIGURES.clear()


def counting(function: Callable[[I], T], item: I) -> tuple[T, dict[str, float]]:
    """Call a function in a worker process; return its result, and what was counted meanwhile.

    Examples
    --------
    >>> counting(lambda n: count_done(events=n), 2)
    (None, {'events': 2})
    """
    before = counts()
    return function(item), dict(counts() - before)


@dataclass
class StageProgress:
    """A stage of a run: how much of it is done.

    Attributes
    ----------
    name : str
        What is done.
    total : float or None
        Units of work, where known.
    unit : str
        Of `total` and `done`.
    done : float
        Units that are done.
    note : str
        The latest figure worth reading.

    Examples
    --------
    >>> stage = StageProgress("scoring", 4.0, "recordings", done=1.0)
    >>> stage.ratio, stage.record()["done"]
    (0.25, 1.0)
    """

    name: str
    total: float | None
    unit: str
    done: float = 0.0
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The share that is done, from 0 to 1; None where the total is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    def record(self) -> dict[str, Any]:
        """Return the stage as fields of a line of the log."""
        known = {"total": self.total} if self.total else {}
        note = {"note": self.note} if self.note else {}
        return {"stage": self.name, "done": round(self.done, 6), **known, "unit": self.unit, **note}
