"""Lines to a slow reader: nothing waits, what is missing is said, and events stay."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from audiogmm.live.outlet import Outlet


class SlowReader:
    """Takes the first lines, and then no more until it may go on."""

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self.text = ""

    def __call__(self, text: str) -> None:
        self.busy.set()
        assert self.go_on.wait(60)
        self.text += text

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def stuck(**bounds: int) -> tuple[SlowReader, Outlet]:
    """An outlet whose reader holds the first line in its hand."""
    reader = SlowReader()
    outlet = Outlet(reader, **bounds)
    outlet.put({"type": "start"})
    assert reader.busy.wait(60)
    return reader, outlet


def test_heartbeats_and_scores_go_first_and_are_counted() -> None:
    reader, outlet = stuck(most=10, far=1000)
    for i in range(30):
        outlet.put({"type": "heartbeat", "time": i})
        outlet.put({"type": "score", "time": i})
        outlet.put({"type": "closed", "time": i})
    reader.go_on.set()
    assert outlet.close(60)
    kinds = [line["type"] for line in reader.lines]
    assert [line["time"] for line in reader.lines if line["type"] == "closed"] == list(range(30))
    overflow = [line["dropped"] for line in reader.lines if line["type"] == "overflow"]
    assert kinds.count("heartbeat") + sum(d.get("heartbeat", 0) for d in overflow) == 30
    assert kinds.count("score") + sum(d.get("score", 0) for d in overflow) == 30
    assert sum(map(len, overflow)) >= 2


def test_far_beyond_the_bound_a_patient_source_waits() -> None:
    reader, outlet = stuck(most=5, far=8)
    written = threading.Event()

    def put() -> None:
        for i in range(20):
            outlet.put({"type": "closed", "time": i}, patient=True)
        written.set()

    thread = threading.Thread(target=put)
    thread.start()
    while outlet.waiting < 8:
        pass
    assert not written.is_set()
    reader.go_on.set()
    thread.join(60)
    assert outlet.close(60)
    assert [line["time"] for line in reader.lines if line["type"] == "closed"] == list(range(20))


def test_far_beyond_the_bound_a_microphone_does_not_wait() -> None:
    reader, outlet = stuck(most=5, far=8)
    for i in range(20):
        outlet.put({"type": "closed", "time": i}, patient=False)
    reader.go_on.set()
    assert outlet.close(60)
    assert [line["time"] for line in reader.lines if line["type"] == "closed"] == list(range(8))
    assert [line for line in reader.lines if line["type"] == "overflow"] == [
        {"type": "overflow", "dropped": {"closed": 12}}
    ]


def test_a_source_that_waits_for_a_reader_is_freed_at_the_end() -> None:
    reader, outlet = stuck(most=5, far=8)
    thread = threading.Thread(target=lambda: [outlet.put({"type": "closed", "time": i}) for i in range(20)])
    thread.start()
    while outlet.waiting < 8:
        pass
    outlet.hurry()
    thread.join(60)
    assert not thread.is_alive()
    reader.go_on.set()
    assert outlet.close(60)
    assert [line["dropped"] for line in reader.lines if "dropped" in line] == [{"closed": 12}]


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file")])
def test_a_reader_that_is_gone_is_reported_once(error: Exception) -> None:
    calls = []

    def write(_: str) -> None:
        raise error

    gone = threading.Event()
    outlet = Outlet(write, lambda: (calls.append(1), gone.set()))
    outlet.put({"type": "start"})
    assert gone.wait(60)
    for _ in range(20):
        outlet.put({"type": "closed"})
    assert not outlet.close(60)
    assert outlet.failure is error and calls == [1] and outlet.waiting == 0


def test_a_reader_that_is_stuck_does_not_delay_the_end() -> None:
    reader, outlet = stuck()
    assert not outlet.close(0.01)
    reader.go_on.set()
    assert outlet.close(60)
