"""A web server that gets each event (`--webhook`).

Requests are signed as Standard Webhooks has it (standardwebhooks.com): `webhook-id`, `webhook-timestamp` and
`webhook-signature`, ``v1,`` and the base64 of the HMAC-SHA256 of ``ID.TIMESTAMP.BODY``.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import hmac
import http.client
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from audiogmm.errors import ChoiceError
from audiogmm.escapes import printable
from audiogmm.live.deliver.receiver import RefusedError, UndeliveredError
from audiogmm.live.outlet import text_of
from audiogmm.types import Json, Seconds
from audiogmm.version import __version__

LIMIT: Seconds = 10.0
"""How long a request may take, from the connection to the status."""

LATEST: Seconds = 3600.0
"""The longest Retry-After that is obeyed."""

REFUSING = frozenset((400, 405, 406, 411, 413, 414, 415, 422, 431))
"""Statuses that say something of the request itself: it would be answered in the same way again."""


def check_url(url: str) -> str:
    """Return the URL of a webhook.

    Raises
    ------
    ChoiceError
        If it is not http or https, has no host, or a user or a password in it.

    Examples
    --------
    >>> check_url("file:///etc/passwd")
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: --webhook 'file:///etc/passwd'; needed: https://HOST/PATH, or http://...
    """
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good or not url.isascii() or not url.isprintable() or " " in url:
        raise ChoiceError(f"--webhook {url!r}", needed="https://HOST/PATH, or http://HOST/PATH")
    if parts.username is not None:
        raise ChoiceError(
            f"--webhook with a user in it, for {parts.hostname}",
            needed="a URL without one: everybody on this machine can read a command line",
            remedy="--webhook-secret FILE, and let the server check the signature",
        )
    return url


def signature_of(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`; a secret after ``whsec_`` is base64.

    Examples
    --------
    >>> signature_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
    ...     b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise ChoiceError("a secret that begins with whsec_", needed="base64 after it") from None
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


@dataclass(eq=False)
class Webhook:
    """Post each row as JSON to one URL; redirects are not followed, and no proxy is asked.

    A status of 2xx is success. Those in `REFUSING` set the row aside; after any other, a failure to connect,
    or `limit` seconds, it is sent again, after the time of `Retry-After` where the server names one. A row
    has the same `Idempotency-Key` each time.

    Parameters
    ----------
    url : str
        See `check_url`.
    secret : str or None
        Signs the requests.
    context : SSLContext or None
        Whom to trust; by default those whom the system trusts.
    limit : Seconds
    """

    url: str
    secret: str | None = None
    context: ssl.SSLContext | None = None
    limit: Seconds = LIMIT
    at_once: int = 1
    tries: int | None = None
    _open: set[http.client.HTTPConnection] = field(default_factory=set)

    def __post_init__(self) -> None:
        check_url(self.url)
        if self.secret is not None:
            signature_of(self.secret, "", 0, b"")

    @property
    def name(self) -> str:
        """The host, for messages; the path may be secret."""
        return f"--webhook {urlsplit(self.url).hostname}"

    def send(self, row: Json) -> None:
        """Post a row; see the class."""
        body, id = text_of(row).encode("utf-8", "backslashreplace"), str(row["event_id"])
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"audiogmm/{__version__}",
            "Idempotency-Key": id,
            "webhook-id": id,
            "webhook-timestamp": str(now),
        }
        if self.secret is not None:
            headers["webhook-signature"] = signature_of(self.secret, id, now, body)
        try:
            status, reason, after = self._post(body, headers)
        except ssl.SSLCertVerificationError as error:
            raise UndeliveredError(
                f"its certificate is not to be trusted: {error.verify_message}; try: --ca FILE, the "
                "certificate of its authority"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise UndeliveredError(f"no answer: {printable(str(error)) or type(error).__name__}") from error
        if 200 <= status < 300:
            return
        said = printable(f"status {status} {reason}".strip())
        if status in REFUSING:
            raise RefusedError(said)
        if 300 <= status < 400:
            said += ": redirects are not followed; name the URL itself"
        raise UndeliveredError(said, after)

    def note(self, row: Json) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Cut off the requests that wait."""
        for connection in list(self._open):
            _cut(connection)

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, Seconds | None]:
        """Return status, reason, and the seconds of Retry-After."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None, "checked when it was made"
        if parts.scheme == "https":
            context = self.context or ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.limit, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.limit)
        is_late = threading.Event()

        def stop() -> None:  # a server that sends a byte a second, say
            is_late.set()
            _cut(connection)

        timer = threading.Timer(self.limit, stop)
        timer.daemon = True
        self._open.add(connection)
        try:
            timer.start()
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            if is_late.is_set():  # half a header is read as a whole one
                raise TimeoutError(f"none within {self.limit:g} s")
            return answer.status, answer.reason, _seconds(answer.getheader("Retry-After"))
        finally:
            timer.cancel()
            timer.join()
            self._open.discard(connection)
            connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(2)


def _seconds(text: str | None) -> Seconds | None:
    """Read a Retry-After: seconds, or a date."""
    if text is None:
        return None
    try:
        seconds = float(int(text))
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LATEST)
