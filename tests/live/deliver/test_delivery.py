"""From the spool to a receiver that fails, hangs or refuses: in order, nothing lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

from audiogmm.live.deliver.receiver import RefusedError, UndeliveredError
from tests.live.deliver.receivers import Obedient, delivery_to, row, until


def ids(*numbers: int) -> list[str]:
    return [f"{number:016x}" for number in numbers]


def test_what_fails_is_sent_again_in_its_place_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    receiver = Obedient(
        UndeliveredError("away"), UndeliveredError("away"), None, UndeliveredError("late", 0.0)
    )
    delivery = delivery_to(receiver, tmp_path / "spool.jsonl", said.append)
    for number in range(5):
        delivery.put(row(number))
    until(lambda: delivery.sent == 5)
    delivery.close()
    assert receiver.rows == ids(0, 1, 2, 3, 4)
    assert receiver.attempts == ids(0, 0, 0, 1, 1, 2, 3, 4)
    assert [text.partition("; ")[0] for text in said] == [
        "obedient: away",
        "obedient takes events again",
        "obedient: late",
        "obedient takes events again",
    ]


def test_a_receiver_that_hangs_does_not_hold_up_the_caller(tmp_path: Path) -> None:
    receiver = Obedient()
    receiver.gate.clear()
    delivery = delivery_to(receiver, tmp_path / "spool.jsonl")
    for number in range(100):
        delivery.put(row(number))  # returns while the first is being sent
    receiver.is_entered.wait(30)
    assert receiver.rows == [] and len(delivery.spool) == 100
    receiver.gate.set()
    until(lambda: delivery.sent == 100)
    delivery.close()
    assert receiver.rows == ids(*range(100))


def test_what_is_left_at_the_end_is_sent_by_the_next_run_once(tmp_path: Path) -> None:
    said: list[str] = []
    away = Obedient(*[UndeliveredError("away")] * 1000)
    delivery = delivery_to(away, tmp_path / "spool.jsonl", said.append)
    for number in range(3):
        delivery.put(row(number))
    delivery.close()
    assert away.rows == [] and "3 events not delivered yet; kept in" in said[-1]
    back = Obedient()
    delivery = delivery_to(back, tmp_path / "spool.jsonl")
    for number in range(5):  # a run over the same recording finds them again
        delivery.put(row(number))
    until(lambda: len(delivery.spool) == 0)
    delivery.close()
    assert back.rows == ids(0, 1, 2, 3, 4)
    last = Obedient()
    delivery = delivery_to(last, tmp_path / "spool.jsonl")
    delivery.put(row(2))
    delivery.close()
    assert last.attempts == []


def test_a_row_that_is_refused_lets_the_others_pass(tmp_path: Path) -> None:
    said: list[str] = []
    receiver = Obedient(None, RefusedError("status 422"), None)
    delivery = delivery_to(receiver, tmp_path / "spool.jsonl", said.append)
    for number in range(3):
        delivery.put(row(number))
    until(lambda: len(delivery.spool) == 0)
    delivery.close()
    assert receiver.rows == ids(0, 2) and delivery.refused == 1
    assert f"event {ids(1)[0]} is set aside" in said[0] and "status 422" in said[0]
    assert '"number": 1' in (tmp_path / "spool.refused.jsonl").read_text()


def test_after_some_tries_a_row_is_set_aside_but_attempts_that_do_not_count_go_on(tmp_path: Path) -> None:
    wait = [UndeliveredError("busy", counts=False)] * 10
    receiver = Obedient(*wait, *[UndeliveredError("exit status 1")] * 3, None, tries=3)
    delivery = delivery_to(receiver, tmp_path / "spool.jsonl")
    delivery.put(row(0))
    delivery.put(row(1))
    until(lambda: len(delivery.spool) == 0)
    delivery.close()
    assert receiver.attempts == ids(*[0] * 13, 1) and receiver.rows == ids(1)
