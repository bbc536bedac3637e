#!/usr/bin/env python
"""Make receivers of events fail in every way, and count what was sent, lost and sent twice.

    python scripts/check_delivery.py                   # 200 events a fault, a minute without a broker
    python scripts/check_delivery.py --events 20 --away 0 webhook
    python scripts/check_delivery.py --list

A row is a fault. `sent` are the events that were handed over, `arrived` those that the receiver has, `lost`
those that it has not, `twice` those that it has under more than one id, `again` how often one came again with
its id, so that the receiver could know it, and `late` how long the longest hand-over took, in milliseconds:
that is what the sound would have waited. The status is 1 where anything was lost or sent twice.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from audiogmm.live.deliver.backoff import Backoff
from audiogmm.live.deliver.broker import Broker
from audiogmm.live.deliver.command import Command
from audiogmm.live.deliver.delivery import Delivery
from audiogmm.live.deliver.mqtt import Mqtt
from audiogmm.live.deliver.spool import EventSpool
from audiogmm.live.deliver.webhook import Webhook
from tests.live.deliver.receivers import row, until
from tests.live.deliver.servers import Mosquitto, Subscriber, WebServer, hang, reset

PATIENCE = 300.0


class Sending:
    """Hands events over, and notes how long that takes."""

    def __init__(self, receiver: Any, folder: Path) -> None:
        self.delivery = Delivery(receiver, EventSpool(folder / "spool.jsonl", say), say, soon)
        self.late = 0.0

    def put(self, numbers: range) -> None:
        for number in numbers:
            begin = time.perf_counter()
            self.delivery.put(row(number))
            self.late = max(self.late, time.perf_counter() - begin)

    def finish(self) -> None:
        until(lambda: len(self.delivery.spool) == 0, PATIENCE)
        self.delivery.close()


def say(text: str) -> None:
    if os.environ.get("VERBOSE"):
        print(f"    {text}", file=sys.stderr)


def soon() -> Backoff:
    return Backoff(0.01, 0.2)


Outcome = tuple[list[dict[str, Any]], float]


@contextmanager
def mqtt(folder: Path) -> Iterator[tuple[Mosquitto, Any, Sending]]:
    """A broker that keeps messages for a subscriber that is away, that subscriber, and a sender."""
    durable = (
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 1",
        "autosave_on_changes true",
    )
    with Mosquitto(folder, *durable) as broker:
        subscriber = Subscriber(broker.port, session="kept")
        where = Broker.parse(f"mqtt://localhost:{broker.port}/pump")
        receiver = Mqtt(where, None, None, say, client="sender", limit=0.5, backoff=Backoff(0.05, 0.5))
        yield broker, subscriber, Sending(receiver, folder)
        subscriber.close()


def mqtt_outcome(subscriber: Any, sending: Sending, n: int) -> Outcome:
    sending.finish()
    ids = lambda: {found["event_id"] for found in subscriber.on("pump/events")}  # noqa: E731
    until(lambda: len(ids()) >= n, PATIENCE)
    return subscriber.on("pump/events"), sending.late


def broker_away(folder: Path, n: int, away: float) -> Outcome:
    with mqtt(folder) as (broker, subscriber, sending):
        sending.put(range(n // 4))
        until(lambda: sending.delivery.sent >= n // 4, PATIENCE)
        broker.stop()
        sending.put(range(n // 4, n // 2))
        threading.Event().wait(away)
        sending.put(range(n // 2, n))
        broker.start()
        return mqtt_outcome(subscriber, sending, n)


def broker_restarts(folder: Path, n: int, away: float) -> Outcome:
    with mqtt(folder) as (broker, subscriber, sending):
        for part in range(5):
            sending.put(range(part * n // 5, (part + 1) * n // 5))
            broker.stop()
            broker.start()
        return mqtt_outcome(subscriber, sending, n)


def broker_freezes(folder: Path, n: int, away: float) -> Outcome:
    with mqtt(folder) as (broker, subscriber, sending):
        sending.put(range(n // 2))
        broker.freeze()
        sending.put(range(n // 2, n))
        threading.Event().wait(min(away, 5.0))
        broker.thaw()
        return mqtt_outcome(subscriber, sending, n)


def web(folder: Path, n: int, answers: list[Any], limit: float = 0.3) -> Outcome:
    taken: list[dict[str, Any]] = []
    with WebServer(*answers) as server:
        sending = Sending(Webhook(server.url, limit=limit), folder)
        sending.put(range(n))
        sending.finish()
        taken += server.taken
    return taken, sending.late


def webhook_errors(folder: Path, n: int, away: float) -> Outcome:
    return web(folder, n, [500, 200, 503, (429, {"Retry-After": "0"}), 200, 502] * (n // 4))


def webhook_resets(folder: Path, n: int, away: float) -> Outcome:
    return web(folder, n, [reset, 200, 200] * (n // 4))


def webhook_hangs(folder: Path, n: int, away: float) -> Outcome:
    return web(folder, n, [hang, 200, 200, 200] * (n // 8))


def webhook_is_slow(folder: Path, n: int, away: float) -> Outcome:
    def slow(handler: Any) -> None:
        threading.Event().wait(0.05)
        handler.send_response(200)
        handler.end_headers()

    return web(folder, n, [slow] * n, limit=10.0)


def command_fails(folder: Path, n: int, away: float) -> Outcome:
    seen = f"{folder}/$AUDIOGMM_EVENT_ID"
    code = f"test -e {seen} && exec cat >> {folder}/got; : > {seen}; exit 75"
    sending = Sending(Command(("/bin/sh", "-c", code), at_once=2), folder)
    sending.put(range(n))
    sending.finish()
    return [json.loads(line) for line in (folder / "got").read_text().splitlines()], sending.late


def full_disk(folder: Path, n: int, away: float) -> Outcome:
    """The disk of the spool fills up while nobody takes events, and the run ends once there is room."""
    small = folder / "small"
    small.mkdir()

    def mount(*words: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", *words, "tmpfs", str(small)], check=True, capture_output=True)

    mount("-o", "size=8k")
    try:
        with WebServer(*[503] * 10_000) as server:
            sending = Sending(Webhook(server.url, limit=1.0), small)
            sending.put(range(n))
            assert n < 40 or sending.delivery.spool.unstored > 0, "the disk did not fill up"
            mount("-o", "remount,size=4m")
            sending.put(range(n, n + 1))
            sending.delivery.close()
        with WebServer() as server:
            sending2 = Sending(Webhook(server.url), small)
            sending2.finish()
            return server.taken, sending.late
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def killed(folder: Path, n: int, away: float) -> Outcome:
    """The process is killed again and again in the midst of sending; each start hands over all of them."""
    with WebServer() as server:
        starts = 0
        while True:
            command = [sys.executable, __file__, "--sender", server.url, "--events", str(n)]
            process = subprocess.Popen(command, cwd=folder)
            starts += 1
            if starts <= 8:
                goal = min(n - 1, len({found["event_id"] for found in server.taken}) + n // 10)
                until(
                    lambda at=goal, child=process: (
                        len({one["event_id"] for one in server.taken}) >= at or child.poll() is not None
                    ),
                    PATIENCE,
                )
                process.send_signal(signal.SIGKILL)
                process.wait()
            elif process.wait() == 0:
                return server.taken, 0.0


def send_all(url: str, n: int) -> None:
    """What the killed process does."""
    sending = Sending(Webhook(url), Path())
    sending.put(range(n))
    sending.finish()


FAULTS: dict[str, Callable[[Path, int, float], Outcome]] = {
    "mqtt: the broker is away": broker_away,
    "mqtt: the broker restarts": broker_restarts,
    "mqtt: the broker hangs": broker_freezes,
    "webhook: 500, 502, 503, 429": webhook_errors,
    "webhook: connections are reset": webhook_resets,
    "webhook: the reader hangs": webhook_hangs,
    "webhook: slow": webhook_is_slow,
    "exec: exit status 75": command_fails,
    "spool: the disk is full": full_disk,
    "SIGKILL of the sender": killed,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", nargs="*", help="parts of the names of faults")
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--away", type=float, default=60.0, help="seconds without a broker")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sender", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sender:
        send_all(given.sender, given.events)
        return 0
    chosen = [name for name in FAULTS if not given.faults or any(part in name for part in given.faults)]
    if given.list:
        print(*chosen, sep="\n")
        return 0
    print(
        f"{'fault':32}{'sent':>6}{'arrived':>9}{'lost':>6}{'twice':>7}{'again':>7}{'late ms':>9}",
        f"{'seconds':>8}",
    )
    is_bad = False
    for name in chosen:
        begin = time.perf_counter()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            rows, late = FAULTS[name](folder, given.events, given.away)
        n = given.events + (name == "spool: the disk is full")
        numbers = Counter(found["number"] for found in rows)
        ids: dict[int, set[str]] = {}
        for found in rows:
            ids.setdefault(found["number"], set()).add(found["event_id"])
        lost, twice = n - len(numbers), sum(len(each) > 1 for each in ids.values())
        again = sum(numbers.values()) - len(numbers)
        is_bad = is_bad or lost != 0 or twice != 0
        print(
            f"{name:32}{n:6}{len(numbers):9}{lost:6}{twice:7}{again:7}{1000 * late:9.1f}"
            f"{time.perf_counter() - begin:9.1f}",
            flush=True,
        )
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
