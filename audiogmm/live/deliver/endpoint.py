"""Figures of a run for Prometheus to fetch (`--metrics-port`)."""

from __future__ import annotations

import hmac
import http.server
import ipaddress
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus

from audiogmm.errors import ChoiceError
from audiogmm.types import Seconds

SLOW: Seconds = 2.0
"""How long a client may say nothing: others wait."""

EVERY: Seconds = 0.05
"""How often the end is looked for."""


def parse_address(text: str) -> tuple[str, int]:
    """Read ``PORT`` or ``HOST:PORT``; by default the loopback interface.

    Raises
    ------
    ChoiceError
        If it is neither.

    Examples
    --------
    >>> parse_address("9110"), parse_address("[::]:9110")
    (('127.0.0.1', 9110), ('::', 9110))
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ChoiceError(f"--metrics-port {text!r}", needed="PORT or HOST:PORT, such as 9110")
    return host.strip("[]") or "127.0.0.1", int(port)


class MetricsEndpoint:
    """Answer ``GET /metrics`` with a text, one client at a time, until it is closed.

    Parameters
    ----------
    text : callable
        Returns what is answered.
    address : (str, int)
        Host and port; port 0 takes a free one.
    token : str or None
        What a client has to send as ``Authorization: Bearer TOKEN``; needed where others can reach the host.

    Attributes
    ----------
    port : int

    Raises
    ------
    ChoiceError
        If a token is missing, or the address cannot be had.

    Examples
    --------
    >>> MetricsEndpoint(str, ("0.0.0.0", 0), None)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: metrics for others, at 0.0.0.0, without a token; needed: ...; try: ...
    """

    def __init__(self, text: Callable[[], str], address: tuple[str, int], token: str | None) -> None:
        host, port = address
        if token is None and not _is_loopback(host):
            raise ChoiceError(
                f"metrics for others, at {host}, without a token",
                needed="a token that they send",
                remedy="--metrics-token FILE, or the port alone, for this machine",
            )
        handler = _handler(text, token)
        family = http.server.HTTPServer if ":" not in host else _Server6
        try:
            self._server = family((host, port), handler)
        except OSError as error:
            raise ChoiceError(
                f"port {port} of {host}: {error.strerror or error}", needed="a free port of this machine"
            ) from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(EVERY,), name="audiogmm-metrics-port", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _handler(text: Callable[[], str], token: str | None) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = SLOW
        server_version, sys_version = "audiogmm", ""

        def do_GET(self) -> None:
            """Answer with the text, or say why not."""
            given = self.headers.get("Authorization", "")
            name = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
            if token is None and not _is_loopback(name.strip("[]")):
                self.send_error(HTTPStatus.FORBIDDEN)  # a page of the web that was given our address
            elif token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                self.send_error(HTTPStatus.UNAUTHORIZED)
            elif self.path.partition("?")[0] != "/metrics":
                self.send_error(HTTPStatus.NOT_FOUND)
            else:
                body = text().encode()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: standard error has the notes of the run."""

    return Handler


class _Server6(http.server.HTTPServer):
    address_family = socket.AF_INET6
