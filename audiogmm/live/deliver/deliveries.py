"""All ways out of a run."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path

from audiogmm.audio.decoders.notices import Warn
from audiogmm.live.deliver.broker import Broker
from audiogmm.live.deliver.clips import ClipFolder
from audiogmm.live.deliver.command import Command, parse_command
from audiogmm.live.deliver.delivery import Delivery
from audiogmm.live.deliver.ids import event_id
from audiogmm.live.deliver.mqtt import Mqtt
from audiogmm.live.deliver.receiver import Receiver
from audiogmm.live.deliver.secret import MQTT_PASSWORD, WEBHOOK_SECRET, read_secret
from audiogmm.live.deliver.settings import DeliverySettings
from audiogmm.live.deliver.spool import EventSpool
from audiogmm.live.deliver.webhook import Webhook
from audiogmm.types import Json


class Deliveries:
    """Hand lines about events to all receivers of a run.

    Parameters
    ----------
    settings : DeliverySettings
    say : callable
        Takes notes for the user.

    Attributes
    ----------
    clips : ClipFolder or None
        Takes the sound of events.

    Raises
    ------
    ChoiceError
        If a secret or a certificate cannot be read, or a package is missing.
    OutputError
        If the spool or the folder of clips cannot be written, or another run uses the spool.

    Examples
    --------
    >>> with Deliveries(DeliverySettings(), print) as deliveries:
    ...     deliveries.put({"type": "score", "input": "-", "time": 1.0})
    """

    def __init__(self, settings: DeliverySettings, say: Warn) -> None:
        self.settings = settings
        self.clips: ClipFolder | None = None
        self.all: list[Delivery] = []
        self._say = say
        with ExitStack() as stack:
            if settings.clips is not None:
                self.clips = ClipFolder(settings.clips, settings.clips_size * 1e6, say)
            if settings.command is not None:
                command = Command(
                    parse_command(settings.command), settings.command_limit, settings.commands_at_once
                )
                self._open(stack, "exec", settings.command, command)
            if settings.webhook is not None:
                secret = read_secret(settings.webhook_secret, WEBHOOK_SECRET)
                self._open(
                    stack, "webhook", settings.webhook, Webhook(settings.webhook, secret, settings.context())
                )
            if settings.mqtt is not None:
                broker = Broker.parse(settings.mqtt)
                password = read_secret(settings.mqtt_password, MQTT_PASSWORD)
                spool = self._spool(stack, "mqtt", settings.mqtt)
                id = "audiogmm-" + _short(str(spool.path.resolve()))
                mqtt = Mqtt(broker, password, settings.context(), say, client=id)
                self._add(stack, mqtt, spool)
            self._resources = stack.pop_all()

    def __enter__(self) -> Deliveries:
        return self

    def __exit__(self, *failure: object) -> None:
        self._resources.close()

    def put(self, row: Json) -> None:
        """Take a line; those about events go to the receivers, and get an `event_id` if they have none."""
        if "event" not in row or row["type"] not in ("open", "confirmed", "closed", "dropped"):
            return
        row = {"event_id": event_id(row), **row}
        for delivery in self.all:
            delivery.receiver.note(row)
            if row["type"] in self.settings.kinds:
                delivery.put(row)

    def _open(self, stack: ExitStack, kind: str, where: str, receiver: Receiver) -> None:
        self._add(stack, receiver, self._spool(stack, kind, where))

    def _spool(self, stack: ExitStack, kind: str, where: str) -> EventSpool:
        path = Path(self.settings.spool) / f"{kind}-{_short(where)}.jsonl"
        return stack.enter_context(EventSpool(path, self._say))

    def _add(self, stack: ExitStack, receiver: Receiver, spool: EventSpool) -> None:
        delivery = Delivery(receiver, spool, self._say)
        stack.callback(delivery.close)
        self.all.append(delivery)


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=4).hexdigest()


def open_deliveries(settings: DeliverySettings | None, say: Warn, stack: ExitStack) -> Deliveries | None:
    """Open the receivers of a run until the stack is left; None where events go nowhere."""
    if settings is None or not settings.is_wanted:
        return None
    return stack.enter_context(Deliveries(settings, say))
