"""A web server and an MQTT broker that fail as they are told, and certificates."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.live.deliver.receivers import until


class WebServer:
    """Keeps the requests that it gets, and answers each with the next of its answers; then with 200.

    An answer is a status, a status and its headers, or a function of the handler.
    """

    def __init__(self, *answers: Any, context: ssl.SSLContext | None = None) -> None:
        self.answers, self.requests = list(answers), list[tuple[str, Any, bytes]]()
        self.taken: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, self.headers, body))
                answer = outer.answers.pop(0) if outer.answers else 200
                if callable(answer):
                    answer(self)
                    if not self.close_connection or answer not in (reset, hang, drip):
                        outer.taken.append(json.loads(body))
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                if status == 200:
                    outer.taken.append(json.loads(body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, *_: Any) -> None: ...

        self.server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://localhost:{self.server.server_port}/hook?key=1"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> WebServer:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.requests]


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection with a reset."""
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing until the other side gives up."""
    handler.connection.recv(1)
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, without end."""
    handler.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    over = threading.Event()
    try:
        while not over.wait(0.01):
            handler.connection.sendall(b"x")
    except OSError:
        handler.close_connection = True


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority of one's own, and a certificate and key of ``localhost`` that it signed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
    openssl(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=a CA")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost")
    openssl(*new, "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", *signed)
    return folder / "ca.pem", folder / "cert.pem", folder / "key.pem"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Mosquitto:
    """A real broker, which can be stopped, started again, and frozen."""

    def __init__(self, folder: Path, *more: str, port: int | None = None) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            pytest.skip("mosquitto is not installed")
        self.port = port or free_port()
        self._configuration = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "log_type all", "user root"]
        if not any("allow_anonymous" in line for line in more):
            lines.append("allow_anonymous true")
        self._configuration.write_text("\n".join([*lines, *more]) + "\n")
        self._command = [program, "-c", str(self._configuration)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> None:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(lambda: "running" in self.log)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            if how != signal.SIGKILL:  # which ends a frozen one as it is
                self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Subscriber:
    """Keeps all messages of a broker, and subscribes again after each of its restarts."""

    def __init__(
        self, port: int, set_up: Callable[[Any], object] = lambda _: None, session: str = ""
    ) -> None:
        paho = pytest.importorskip("paho.mqtt.client")
        self.messages: list[tuple[str, str, bool]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            session,
            clean_session=not session,
            protocol=paho.MQTTv311,
        )
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_disconnect = lambda *_: self._subscribed.clear()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _c, _d, message: self.messages.append(
            (message.topic, message.payload.decode(), bool(message.retain))
        )
        self._client.reconnect_delay_set(1, 1)
        set_up(self._client)
        self._client.connect("localhost", port)
        self._client.loop_start()
        self.wait()

    def wait(self) -> None:
        assert self._subscribed.wait(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def on(self, topic: str) -> list[Any]:
        """The payloads of a topic, those that are JSON read."""
        found = [text for name, text, _ in self.messages if name == topic]
        return [json.loads(text) if text.startswith("{") else text for text in found]
