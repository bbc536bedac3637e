"""Webhooks against a real server: signatures, statuses, hangs, resets, certificates."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import ssl
import time
from pathlib import Path

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.live.deliver.receiver import RefusedError, UndeliveredError
from audiogmm.live.deliver.webhook import Webhook, check_url
from tests.live.deliver.receivers import delivery_to, row, until
from tests.live.deliver.servers import WebServer, certificates, drip, free_port, hang, reset


def test_a_request_is_signed_and_can_be_told_from_others() -> None:
    with WebServer() as server:
        Webhook(server.url, "s3cret").send(row(1))
    [(path, headers, body)] = server.requests
    id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    assert path == "/hook?key=1" and headers["Content-Type"] == "application/json"
    assert id == headers["Idempotency-Key"] == server.rows[0]["event_id"] == row(1)["event_id"]
    assert abs(int(timestamp) - time.time()) < 60
    digest = hmac.new(b"s3cret", f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_errors_hangs_and_resets_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    answers = [500, reset, 200, hang, 503, (429, {"Retry-After": "0"}), 200, drip, 302]
    said: list[str] = []
    with WebServer(*answers) as server:
        delivery = delivery_to(Webhook(server.url, limit=0.3), tmp_path / "spool.jsonl", said.append)
        for number in range(4):
            delivery.put(row(number))
        until(lambda: delivery.sent == 4)
        delivery.close()
    asked = [found["number"] for found in server.rows]
    assert asked == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3]
    assert said[0].startswith("--webhook localhost: status 500") and len(said) == 6


def test_a_status_that_speaks_of_the_row_sets_it_aside() -> None:
    with WebServer(422, 401, (307, {"Location": "http://127.0.0.1:9/"})) as server:
        hook = Webhook(server.url)
        with pytest.raises(RefusedError, match="status 422"):
            hook.send(row(1))
        with pytest.raises(UndeliveredError, match="status 401"):
            hook.send(row(1))
        with pytest.raises(UndeliveredError, match=r"307.*redirects are not followed"):
            hook.send(row(1))


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("120", 120, 120), ("99999999", 3600, 3600), ("-5", 0, 0), ("soon", None, None), ("date", 50, 61)],
)
def test_retry_after_is_obeyed_within_an_hour(header: str, low: float | None, high: float | None) -> None:
    value = email.utils.formatdate(time.time() + 60, usegmt=True) if header == "date" else header
    with WebServer((503, {"Retry-After": value})) as server, pytest.raises(UndeliveredError) as failed:
        Webhook(server.url).send(row(1))
    after = failed.value.after
    assert after is None if low is None else after is not None and low <= after <= high  # type: ignore[operator]


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(UndeliveredError, match=r"no answer: .*refused"):
        Webhook(f"http://127.0.0.1:{free_port()}/").send(row(1))


def test_a_certificate_is_checked_and_an_authority_can_be_named(tmp_path: Path) -> None:
    ca, certificate, key = certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with WebServer(context=context) as server:
        with pytest.raises(UndeliveredError, match=r"certificate is not to be trusted.*--ca FILE"):
            Webhook(server.url).send(row(1))
        trusting = ssl.create_default_context(cafile=str(ca))
        with pytest.raises(UndeliveredError, match="certificate is not to be trusted"):
            Webhook(server.url.replace("localhost", "127.0.0.1"), context=trusting).send(row(1))
        Webhook(server.url, context=trusting).send(row(2))
    assert [found["number"] for found in server.rows] == [2]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/", "https:///x", "http://h:99999/", "http://h/\r\nX: y", "hook"]
)
def test_other_protocols_are_refused(url: str) -> None:
    with pytest.raises(ChoiceError, match="needed: https://HOST/PATH"):
        check_url(url)


def test_a_password_on_the_command_line_is_refused_and_not_repeated() -> None:
    with pytest.raises(ChoiceError, match="everybody on this machine") as refused:
        check_url("https://user:hunter2@host/")
    assert "hunter2" not in str(refused.value)
