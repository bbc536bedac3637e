"""Two runs at once on one output: the second is refused, and nothing of the first changes.

The first is held by SIGSTOP at a call that writes, so that no clock decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.commands import Bench, Case, bench, contents
from tests.faults.layer import Fault, LayerError
from tests.faults.server import Run

LOCKED = [
    "train",
    "score",
    "detect",
    "verify",
    "enroll",
    "update",
    "cluster",
    "calibrate",
    "select",
    "identify",
]
LOCKED += ["report"]


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    try:
        with bench() as made:
            yield made
    except LayerError as missing:
        pytest.skip(str(missing))


@contextmanager
def hold(case: Case, share: float) -> Iterator[Run]:
    """Start the command, and hold it at a call: a share of all that it makes. It ends with the block."""
    calls = [call for call in case.whole.calls if call.kind == "change"]
    names = [call.path for call in calls]
    locks = max(i for i, path in enumerate(names[: len(names) // 2 + 1]) if ".lock" in path)
    n = locks + 2 + int(share * (len(calls) - locks - 8))
    case.bench.lay_out(case.before)
    fault = Fault("change", n, "stop")
    given = {"folder": case.bench.place, "temporary": case.bench.temporary}
    run = case.bench.server.start(case.arguments, fault=fault, **given)
    assert run.wait() is None, "it was to be held"
    try:
        yield run
    finally:
        run.kill()


@pytest.mark.parametrize("name", LOCKED)
def test_the_second_is_refused_and_changes_nothing(place: Bench, name: str) -> None:
    case = Case.make(name, place, replaces=True)
    with hold(case, 0.9) as first:
        before = contents(place.out)
        second = place.run(f"{case.command.words} {case.command.again}")
        assert (second.status, contents(place.out) == before) == (1, True)
        assert "another run is writing" in second.said and "; try: wait for that run" in second.said
        assert first.go_on().status in (0, 3)
    assert contents(place.out) == case.new


@pytest.mark.parametrize("name", LOCKED)
def test_a_lock_of_a_killed_run_holds_nobody_up(place: Bench, name: str) -> None:
    case = Case.make(name, place, replaces=True)
    with hold(case, 0.5):
        pass  # and it is killed
    assert list(place.out.rglob(".*.lock"))
    assert place.run(f"{case.command.words} {case.command.again}").status in (0, 3)
    assert contents(place.out) == case.new
    assert not list(place.out.rglob(".*"))
