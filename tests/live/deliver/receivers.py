"""A receiver that fails as it is told, and rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audiogmm.live.deliver.backoff import Backoff
from audiogmm.live.deliver.delivery import Delivery
from audiogmm.live.deliver.spool import EventSpool


class Obedient:
    """Takes a row unless the next of its answers is an error."""

    name, at_once, limit = "obedient", 1, 5.0

    def __init__(self, *answers: Exception | None, tries: int | None = None) -> None:
        self.answers, self.tries = list(answers), tries
        self.attempts: list[str] = []
        self.rows: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.is_entered = threading.Event()

    def send(self, row: dict[str, Any]) -> None:
        self.is_entered.set()
        self.gate.wait(30)
        self.attempts.append(row["event_id"])
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer
        self.rows.append(row["event_id"])

    def note(self, row: dict[str, Any]) -> None: ...

    def close(self) -> None:
        self.gate.set()


def row(number: int, **more: Any) -> dict[str, Any]:
    event = {"audio_filepath": "/a.wav", "id": "a", "start": float(number), "end": number + 0.5}
    return {
        "event_id": f"{number:016x}",
        "type": "closed",
        "input": "/a.wav",
        "time": number + 1.0,
        "number": number,
        "event": event | more,
    }


def soon() -> Backoff:
    return Backoff(0.001, 0.01)


def delivery_to(receiver: Any, path: Path, say: Callable[[str], Any] = lambda _: None) -> Delivery:
    return Delivery(receiver, EventSpool(path, say), say, soon)


def until(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition, and fail where it does not come about."""
    over = threading.Event()
    for _ in range(round(seconds / 0.005)):
        if is_so():
            return
        over.wait(0.005)
    raise AssertionError("it did not come about")
