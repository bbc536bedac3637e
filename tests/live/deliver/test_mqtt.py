"""MQTT against a real broker: restarts, absence, refusals, certificates; Home Assistant's topics."""

from __future__ import annotations

import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.live.deliver.backoff import Backoff
from audiogmm.live.deliver.broker import Broker
from audiogmm.live.deliver.delivery import Delivery
from audiogmm.live.deliver.mqtt import Mqtt
from tests.live.deliver.receivers import delivery_to, row, until
from tests.live.deliver.servers import Mosquitto, Subscriber, certificates, free_port

pytest.importorskip("paho.mqtt.client")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


def to(port: int, folder: Path, said: list[str], url: str = "", **more: Any) -> Delivery:
    where = Broker.parse(url or f"mqtt://localhost:{port}/pump")
    given = {"password": None, "context": None, **more}
    receiver = Mqtt(where, say=said.append, client="audiogmm-test", backoff=Backoff(0.05, 0.2), **given)
    return delivery_to(receiver, folder / "spool.jsonl", said.append)


def numbers(subscriber: Subscriber) -> list[int]:
    return [found["number"] for found in subscriber.on("pump/events")]


def test_home_assistant_finds_a_device_with_its_states(tmp_path: Path, broker: Mosquitto) -> None:
    subscriber, delivery = Subscriber(broker.port), to(broker.port, tmp_path, [])
    until(lambda: subscriber.on("pump/availability") == ["online"])
    closed = row(
        7,
        severity=2.5,
        kind={"group": 3, "name": "squeak", "probability": 0.9},
        time="2026-05-01T10:00:00.000Z",
    )
    delivery.receiver.note(closed | {"type": "open"})
    until(lambda: subscriber.on("pump/anomaly")[-1:] == ["ON"])
    delivery.receiver.note(closed)
    delivery.put(closed)
    until(lambda: numbers(subscriber) == [7] and subscriber.on("pump/anomaly")[-1] == "OFF")
    delivery.close()
    until(lambda: subscriber.on("pump/availability") == ["online", "offline"])
    subscriber.close()
    [config] = subscriber.on("homeassistant/binary_sensor/pump/anomaly/config")
    assert config["state_topic"] == "pump/anomaly" and config["availability_topic"] == "pump/availability"
    assert config["device"]["identifiers"] == ["pump"] and config["unique_id"] == "pump_anomaly"
    for name, value in (("severity", 2.5), ("kind", "squeak"), ("last_event", "2026-05-01T10:00:00.000Z")):
        [config] = subscriber.on(f"homeassistant/sensor/pump/{name}/config")
        assert config["value_template"] == f"{{{{ value_json.{name} }}}}"
        assert subscriber.on(config["state_topic"])[-1][name] == value
    late = Subscriber(broker.port)
    until(lambda: len(late.messages) == 7)
    late.close()
    assert {topic for topic, _, is_retained in late.messages if is_retained} == {
        *(f"homeassistant/sensor/pump/{name}/config" for name in ("severity", "kind", "last_event")),
        *(
            "homeassistant/binary_sensor/pump/anomaly/config",
            "pump/availability",
            "pump/anomaly",
            "pump/state",
        ),
    }


def test_a_killed_process_is_offline_by_its_last_will(tmp_path: Path, broker: Mosquitto) -> None:
    subscriber = Subscriber(broker.port)
    import paho.mqtt.client as paho

    delivery = to(broker.port, tmp_path, [])
    until(lambda: subscriber.on("pump/availability") == ["online"])
    receiver: Any = delivery.receiver
    other = paho.Client(paho.CallbackAPIVersion.VERSION2, "audiogmm-test", protocol=paho.MQTTv5)
    other.connect("localhost", broker.port)  # the broker lets the first one go without its goodbye
    other.loop_start()
    until(lambda: "offline" in subscriber.on("pump/availability"))
    until(lambda: subscriber.on("pump/availability")[-1] == "online")  # it takes its place again
    other.disconnect()
    other.loop_stop()
    assert receiver.name == "--mqtt localhost"
    delivery.close()
    subscriber.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_lost_or_doubled_while_the_broker_is_away(
    tmp_path: Path, broker: Mosquitto, how: int
) -> None:
    said: list[str] = []
    subscriber, delivery = Subscriber(broker.port), to(broker.port, tmp_path, said)
    for number in range(3):
        delivery.put(row(number))
    until(lambda: numbers(subscriber) == [0, 1, 2])
    lost = "--mqtt localhost: the connection is lost; events wait on disk, the run goes on"
    again = "--mqtt localhost is connected again"
    for times, begin in enumerate((3, 8), 1):
        broker.stop(how)
        for number in range(begin, begin + 5):
            delivery.put(row(number))
        until(lambda n=times: said.count(lost) == n)  # type: ignore[misc]
        assert len(delivery.spool) == 5
        broker.start()
        until(lambda at=begin: delivery.sent == at + 5)  # type: ignore[misc]
        until(lambda n=times: said.count(again) == n)  # type: ignore[misc]
        until(lambda: broker.log.count("'pump/events'") >= 5)  # one may come again, with the same id
    delivery.close()
    subscriber.close()
    assert delivery.sent == 13 and len(delivery.spool) == 0
    assert len({(found["event_id"], found["number"]) for found in subscriber.on("pump/events")}) == len(
        set(numbers(subscriber))
    )
    assert said == [lost, again] * 2


def test_a_loss_while_an_answer_is_awaited_is_said_once(tmp_path: Path, broker: Mosquitto) -> None:
    said: list[str] = []
    delivery = to(broker.port, tmp_path, said)
    receiver: Any = delivery.receiver
    delivery.put(row(0))
    until(lambda: delivery.sent == 1 and not receiver._client._out_messages)
    broker.freeze()
    client = receiver._client
    delivery.put(row(1))
    until(lambda: len(client._out_messages) == 1)
    broker.stop(signal.SIGKILL)
    until(lambda: any("is lost" in text for text in said))
    broker.start()
    until(lambda: delivery.sent == 2 and any("connected again" in text for text in said))
    delivery.close()
    assert len(said) == 2


def test_a_broker_that_freezes_gets_each_event(tmp_path: Path, broker: Mosquitto) -> None:
    said: list[str] = []
    subscriber, delivery = Subscriber(broker.port), to(broker.port, tmp_path, said, limit=0.3)
    delivery.put(row(0))
    until(lambda: numbers(subscriber) == [0])
    broker.freeze()
    delivery.put(row(1))
    delivery.put(row(2))
    until(lambda: any("did not answer" in text or "lost" in text for text in said))
    broker.thaw()
    until(lambda: len(delivery.spool) == 0)
    until(lambda: {0, 1, 2} <= set(numbers(subscriber)))
    delivery.close()
    subscriber.close()
    by_id = {found["event_id"]: found["number"] for found in subscriber.on("pump/events")}
    assert sorted(by_id.values()) == [0, 1, 2]  # sent again where no answer came, with the same id


def test_a_wrong_password_is_said_once_and_the_events_wait(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    try:
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", str(passwords), "ha", "right"], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("mosquitto_passwd is not installed")
    said: list[str] = []
    with Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        url = f"mqtt://ha@localhost:{broker.port}/pump"
        delivery = to(broker.port, tmp_path, said, url, password="wrong", limit=0.5)
        delivery.put(row(1))
        until(lambda: broker.log.count("not authorised") >= 3)
        delivery.close()
        assert len(said) == 2 and "1 event not delivered yet" in said[1]
        assert (
            "the broker refuses" in said[0] and "--mqtt-password FILE" in said[0] and "wrong" not in said[0]
        )
        subscriber = Subscriber(broker.port, lambda client: client.username_pw_set("ha", "right"))
        delivery = to(broker.port, tmp_path, said, url, password="right")
        until(lambda: numbers(subscriber) == [1])
        delivery.close()
        subscriber.close()
    assert len(said) == 2


def test_a_broker_that_may_not_be_written_to_keeps_the_events(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read #\n")
    said: list[str] = []
    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl") as broker:
        delivery = to(broker.port, tmp_path, said)
        delivery.put(row(1))
        until(lambda: any("refuses events under pump/events" in text for text in said))
        delivery.close()
    assert "Not authorized" in said[0] and len(delivery.spool) == 1


def test_a_wrong_certificate_is_said_once_and_the_events_wait(tmp_path: Path) -> None:
    ca, certificate, key = certificates(tmp_path)
    said: list[str] = []
    more = (f"certfile {certificate}", f"keyfile {key}")
    with Mosquitto(tmp_path, *more) as broker:
        url = f"mqtts://localhost:{broker.port}/pump"
        delivery = to(broker.port, tmp_path, said, url, limit=0.5)
        delivery.put(row(1))
        until(lambda: broker.log.count("OpenSSL Error") + broker.log.count("alert") >= 2)
        delivery.close()
        assert len(said) == 2 and "certificate is not to be trusted" in said[0] and "--ca FILE" in said[0]
        trusting = ssl.create_default_context(cafile=str(ca))
        subscriber = Subscriber(broker.port, lambda client: client.tls_set_context(trusting))
        delivery = to(broker.port, tmp_path, said, url, context=trusting)
        until(lambda: numbers(subscriber) == [1])
        delivery.close()
        subscriber.close()


def test_a_broker_that_never_was_there_does_not_hold_up_the_end(tmp_path: Path) -> None:
    said: list[str] = []
    delivery = to(free_port(), tmp_path, said, limit=0.1)
    delivery.put(row(1))
    until(lambda: len(said) == 1)
    delivery.close()
    assert "cannot be reached" in said[0] and "1 event not delivered yet" in said[1] and len(said) == 2


@pytest.mark.parametrize(
    "url", ["http://h", "mqtt://", "mqtt://h:x", "mqtt://h/a+b", "mqtt://h/%23", "mqtt://h?a"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ChoiceError, match="needed: "):
        Broker.parse(url)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ChoiceError, match="--mqtt-password FILE") as refused:
        Broker.parse("mqtts://ha:hunter2@hub")
    assert "hunter2" not in str(refused.value)
