"""An MQTT broker that gets each event (`--mqtt`), for Home Assistant and others."""

from __future__ import annotations

import ssl
import sys
import threading
from contextlib import suppress
from typing import Any

from audiogmm.audio.decoders.notices import Warn
from audiogmm.errors import ChoiceError
from audiogmm.escapes import printable
from audiogmm.live.deliver.backoff import Backoff
from audiogmm.live.deliver.broker import Broker
from audiogmm.live.deliver.ids import kind_name
from audiogmm.live.deliver.receiver import UndeliveredError
from audiogmm.live.outlet import text_of
from audiogmm.types import Json, Seconds

LIMIT: Seconds = 5.0
"""How long `send` waits for a connection, and then for the broker's answer."""

KEEP_ALIVE = 15
"""Seconds between two signs of life."""

KEPT_ANSWERS = 1000
"""Answers of the broker that nobody has asked for yet."""


class Mqtt:
    """Publish each row under `prefix`/events, QoS 1, and what is so now as retained messages.

    A thread keeps the connection, and connects again where it was lost. `prefix`/availability is ``online``,
    and ``offline`` once the connection is lost, by the broker; `prefix`/anomaly is ``ON`` while an event is
    open; `prefix`/state has severity, kind, time and input of the last event. Home Assistant finds
    all of them by its discovery topics.

    Parameters
    ----------
    broker : Broker
    password : str or None
    context : SSLContext or None
        Whom to trust; by default those whom the system trusts.
    say : callable
        Takes notes for the user.
    client : str
        Id of the client, of which the broker has one at a time.
    limit : Seconds
        See `LIMIT`.
    backoff : Backoff, optional
        Between two connections.

    Raises
    ------
    ChoiceError
        If the package paho-mqtt is missing.
    """

    at_once = 1
    tries: int | None = None

    def __init__(
        self,
        broker: Broker,
        password: str | None,
        context: ssl.SSLContext | None,
        say: Warn,
        *,
        client: str,
        limit: Seconds = LIMIT,
        backoff: Backoff | None = None,
    ) -> None:
        try:
            import paho.mqtt.client as paho
        except ImportError:
            raise ChoiceError(
                "--mqtt without the package paho-mqtt",
                needed="paho-mqtt 2",
                remedy=f"{sys.executable} -m pip install 'audiogmm[deliver]'",
            ) from None
        self._paho: Any = paho
        self.broker = broker
        self.limit = limit
        self._password = password
        self._context = context
        self._say = say
        self._id = client
        self._backoff = backoff or Backoff(1.0, 60.0)
        self._changed = threading.Condition()  # paho's callbacks take it: nobody who holds it may call paho
        self._publishing = threading.Lock()
        self._client: Any = None
        self._answers: dict[int, Any] = {}
        self._reason = "it is not connected yet"
        self._has_complained = False
        self._open: set[tuple[Any, Any]] = set()
        self._state: Json = {"severity": None, "kind": None, "last_event": None}
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audiogmm-mqtt", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The host, for messages."""
        return f"--mqtt {self.broker.host}"

    def send(self, row: Json) -> None:
        """Publish a row, and wait for the broker to say that it has it."""
        with self._changed:
            self._changed.wait_for(lambda: self._client is not None or self._closing.is_set(), self.limit)
            client = self._client
            if client is None:
                raise UndeliveredError(self._reason, 0.0, is_said=self._has_complained)
        mid = client.publish(self.broker.events, text_of(row).encode("utf-8", "backslashreplace"), 1).mid
        with self._changed:
            self._changed.wait_for(lambda: mid in self._answers or client is not self._client, self.limit)
            is_lost = client is not self._client
            answer = None if is_lost else self._answers.pop(mid, None)
        if is_lost:  # which the thread of the connection says, once
            raise UndeliveredError("the connection is lost", 0.0, is_said=True)
        if answer is None:
            self._lost.set()  # not sent a second time over the same connection
            raise UndeliveredError("the broker did not answer", 0.0)
        if answer.is_failure:
            raise UndeliveredError(f"the broker refuses events under {self.broker.events}: {answer}")

    def note(self, row: Json) -> None:
        """Publish what is so now."""
        key, event = (row.get("input"), row.get("number")), row.get("event", {})
        with self._changed:
            match row["type"]:
                case "open":
                    self._open.add(key)
                case "closed" | "dropped":
                    self._open.discard(key)
            if row["type"] == "closed":
                self._state = {
                    "severity": event.get("severity"),
                    "kind": kind_name(row),
                    "last_event": event.get("time", row.get("wall")),
                    "input": row.get("input"),
                    "event_id": row.get("event_id"),
                }
        self._publish_state()

    def close(self) -> None:
        """Say that we are offline, and disconnect."""
        self._closing.set()
        self._lost.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._lost.clear()
            client = self._make_client()
            try:
                client.connect(self.broker.host, self.broker.port, KEEP_ALIVE)
            except ssl.SSLCertVerificationError as error:
                self._complain(
                    f"its certificate is not to be trusted: {error.verify_message}; try: --ca FILE, the "
                    "certificate of its authority"
                )
            except (OSError, ValueError) as error:
                self._complain(f"it cannot be reached: {printable(str(error)) or type(error).__name__}")
            else:
                client.loop_start()
                try:
                    self._lost.wait()
                finally:
                    self._disconnect(client)
            self._closing.wait(self._backoff.next())

    def _make_client(self) -> Any:
        paho = self._paho
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            self._id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = LIMIT
        client.will_set(self.broker.availability, "offline", 1, True)
        if self.broker.is_secure:
            context = self._context or ssl.create_default_context()
            context.sslsocket_class = _TidySocket
            client.tls_set_context(context)
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self._password)
        client.on_connect = self._connected
        client.on_disconnect = lambda *_: self._lost.set()
        client.on_publish = self._answered
        return client

    def _connected(self, client: Any, _data: Any, _flags: Any, answer: Any, _properties: Any) -> None:
        if answer.is_failure:
            self._complain(
                f"the broker refuses: {answer}; try: the USER of --mqtt mqtts://USER@HOST, and its password "
                "in --mqtt-password FILE"
            )
            self._lost.set()
            return
        for topic, about in self.broker.discovery().items():
            client.publish(topic, text_of(about), 1, True)
        client.publish(self.broker.availability, "online", 1, True)
        with self._changed:
            self._answers.clear()
            self._client = client
            self._changed.notify_all()
        self._publish_state()
        self._backoff = Backoff(self._backoff.first, self._backoff.most)
        if self._has_complained:
            self._has_complained = False
            self._say(f"{self.name} is connected again")

    def _answered(self, _client: Any, _data: Any, mid: int, answer: Any, _properties: Any) -> None:
        with self._changed:
            self._answers[mid] = answer
            while len(self._answers) > KEPT_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._changed.notify_all()

    def _publish_state(self) -> None:
        with self._publishing:  # the newest one is the last one
            with self._changed:
                client, anomaly, state = self._client, "ON" if self._open else "OFF", text_of(self._state)
            if client is not None:
                client.publish(f"{self.broker.prefix}/anomaly", anomaly, 1, True)
                client.publish(f"{self.broker.prefix}/state", state, 1, True)

    def _disconnect(self, client: Any) -> None:
        with self._changed:
            was_connected, self._client = self._client is client, None
            self._changed.notify_all()
        if self._closing.is_set() and was_connected:
            with suppress(ValueError, RuntimeError):
                client.publish(self.broker.availability, "offline", 1, True).wait_for_publish(self.limit)
        elif was_connected:
            self._complain("the connection is lost")
        client.disconnect()
        client.loop_stop()

    def _complain(self, reason: str) -> None:
        self._reason = reason
        if not self._has_complained and not self._closing.is_set():
            self._has_complained = True
            self._say(f"{self.name}: {reason}; events wait on disk, the run goes on")


class _TidySocket(ssl.SSLSocket):
    """A socket that paho need not close where the other side is not to be trusted."""

    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
