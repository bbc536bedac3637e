"""Rows from a spool to a receiver, until it has them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from audiogmm.audio.decoders.notices import Warn
from audiogmm.live.deliver.backoff import Backoff
from audiogmm.live.deliver.receiver import Receiver, RefusedError, UndeliveredError
from audiogmm.live.deliver.spool import EventSpool, Parcel
from audiogmm.telemetry.meter import count_done
from audiogmm.types import Json, Seconds
from audiogmm.words import amount

PATIENCE: Seconds = 5.0
"""How much longer than one attempt a run waits at its end."""


class Delivery:
    """Send the rows of a spool to a receiver, in threads of their own.

    Parameters
    ----------
    receiver : Receiver
    spool : EventSpool
        Is closed with the delivery, as is the receiver.
    say : callable
        Takes notes for the user.
    backoff : callable
        Makes the waiting times between the attempts of a row.

    Attributes
    ----------
    sent : int
        Rows that the receiver has.
    refused : int
        Rows that were set aside.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from audiogmm.live.deliver.command import Command
    >>> spool = EventSpool(pathlib.Path(tempfile.mkdtemp()) / "spool.jsonl", print)
    >>> delivery = Delivery(Command(("true",)), spool, print)
    >>> delivery.put({"event_id": "e1", "type": "closed"})
    >>> delivery.close()
    >>> delivery.sent, len(spool)
    (1, 0)
    """

    def __init__(
        self, receiver: Receiver, spool: EventSpool, say: Warn, backoff: Callable[[], Backoff] = Backoff
    ) -> None:
        self.receiver = receiver
        self.spool = spool
        self.sent = self.refused = 0
        self._say = say
        self._backoff = backoff
        self._closing = threading.Event()
        self._is_failing = False
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, name=f"audiogmm-{receiver.name}", daemon=True)
            for _ in range(receiver.at_once)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, row: Json) -> None:
        """Take a row with its `event_id`; one that is known is not sent again."""
        self.spool.put(row["event_id"], row)

    def close(self, timeout: Seconds | None = None) -> None:
        """Try once more to send what waits, and leave the rest in the spool."""
        self._closing.set()
        self.spool.end()
        limit = self.receiver.limit + PATIENCE if timeout is None else timeout
        for thread in self._threads:
            thread.join(limit)
        self.receiver.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        n_left, n_lost = len(self.spool), self.spool.lost
        self.spool.close()
        if n_left:
            self._say(
                f"{self.receiver.name}: {amount(n_left, 'event')} not delivered yet; kept in "
                f"{self.spool.path}, and sent by the next run with the same receiver and --spool"
            )
        if n_lost:
            self._say(f"{self.receiver.name}: {amount(n_lost, 'event')} not delivered: the spool was full")

    def _run(self) -> None:
        while (parcel := self.spool.take()) is not None:
            if not self._deliver(parcel):
                return

    def _deliver(self, parcel: Parcel) -> bool:
        """Send a row until the receiver has it; return whether there is sense in sending others."""
        backoff = self._backoff()
        while True:
            is_last = self._closing.is_set()
            try:
                self.receiver.send(parcel.row)
            except RefusedError as error:
                self._set_aside(parcel, str(error))
                return True
            except UndeliveredError as error:
                parcel.failures += error.counts
                if self.receiver.tries is not None and parcel.failures >= self.receiver.tries:
                    self._set_aside(parcel, str(error))
                    return True
                if not error.is_said:
                    self._note_failure(str(error))
                if is_last:
                    self.spool.give_back(parcel)
                    return False
                self._closing.wait(backoff.next() if error.after is None else error.after)
            else:
                with self._lock:
                    self.sent += 1
                    was_failing, self._is_failing = self._is_failing, False
                count_done(delivered=1)
                self.spool.done(parcel)
                if was_failing:
                    self._say(f"{self.receiver.name} takes events again")
                return True

    def _set_aside(self, parcel: Parcel, reason: str) -> None:
        with self._lock:
            self.refused += 1
        count_done(refused=1)
        self.spool.set_aside(parcel, reason)
        self._say(f"{self.receiver.name}: event {parcel.id} is set aside beside {self.spool.path}: {reason}")

    def _note_failure(self, reason: str) -> None:
        """Say it once, until there was a success."""
        with self._lock:
            is_new, self._is_failing = not self._is_failing, True
        if is_new:
            self._say(f"{self.receiver.name}: {reason}; events wait in {self.spool.path}, the run goes on")
