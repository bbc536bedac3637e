"""Which URLs are opened: those that stay on this machine, and those that the user allows."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import urljoin, urlsplit

from audiogmm.errors import AudioFileError, AudioGMMError

LOCAL = frozenset({"file", "local", "memory", "tar", "zip", "ark", "bytes", "gzip", "lhotse", "parquet"})
"""Protocols that read files of this machine, or what is inside them."""

VARIABLE = "AUDIOGMM_PROTOCOLS"
"""Environment variable with the further protocols that may be opened, such as ``https,s3``."""

_PROTOCOL = re.compile(r"([A-Za-z][^:/]+)(?:://|$)")


def refuse_protocols(url: str, kind: type[AudioGMMError]) -> None:
    """Refuse a URL that leads off this machine, since lists come from anywhere.

    Parameters
    ----------
    url : str
        Links of a chain such as ``zip://a.wav::https://host/b.zip`` are looked at one by one.
    kind : type of AudioGMMError
        What to raise.

    Raises
    ------
    AudioGMMError
        Of `kind`, if a protocol is neither in `LOCAL` nor in the environment variable `VARIABLE`.

    Examples
    --------
    >>> from audiogmm.errors import AudioFileError
    >>> refuse_protocols("tar://a.wav::/data/x.tar", AudioFileError)
    >>> refuse_protocols("zip://a.wav::b.zip", AudioFileError)
    >>> refuse_protocols("zip://a.wav::ftp://host/b.zip", AudioFileError)
    Traceback (most recent call last):
    ...
    audiogmm.errors.AudioFileError: zip://... would be read by ftp; needed: ...; try: export ...=ftp
    """
    allowed = LOCAL.union(re.split(r"[\s,]+", os.environ.get(VARIABLE, "").lower()))
    *links, last = url.split("::")
    links += [last] if "://" in last else []  # otherwise a path, such as b.zip
    found = [match[1].lower() for link in links if (match := _PROTOCOL.match(link))]
    refused = [protocol for protocol in found if protocol not in allowed]
    if refused:
        from fsspec import available_protocols

        if refused[0] not in available_protocols():
            raise kind(
                f"{url}: Protocol not known: {refused[0]}", needed="a path, or a URL that fsspec opens"
            )
        raise kind(
            f"{url} would be read by {refused[0]}",
            needed="a file of this machine, or a protocol that you allow",
            remedy=f"export {VARIABLE}={','.join(refused)}",
        )


def open_url(url: str, **options: Any) -> Any:
    """Return what `fsspec.open` makes of a URL that `refuse_protocols` allowed, with its redirects guarded.

    Parameters
    ----------
    url : str
    **options
        Of `fsspec.open`.
    """
    import fsspec

    return fsspec.open(url, "rb", **options, **_guarded(url))


def open_filesystem(url: str) -> tuple[Any, str]:
    """Return what `fsspec.url_to_fs` does, guarded as in `open_url`."""
    import fsspec

    return fsspec.url_to_fs(url, **_guarded(url))  # type: ignore[no-any-return]


def _guarded(url: str) -> dict[str, Any]:
    """Options of fsspec for each protocol of the web in a URL."""
    web = [protocol for protocol in ("http", "https") if re.search(rf"(^|::){protocol}://", url)]
    with suppress(ImportError):  # fsspec says what is missing
        return {protocol: {"client_kwargs": {"trace_configs": [_guard()]}} for protocol in web}
    return {}


def refuse_redirect(source: str, target: str) -> None:
    """Refuse to be led from a server to another protocol, or from outside to an address inside the network.

    Raises
    ------
    AudioFileError
        If the protocol of `target` is not allowed; if its host is this machine, or one that only this network
        reaches, and that of `source` is not.

    Examples
    --------
    >>> refuse_redirect("https://192.0.2.1/a.wav", "http://169.254.169.254/latest")
    Traceback (most recent call last):
    ...
    audiogmm.errors.AudioFileError: https://192.0.2.1/a.wav leads to ... would be read by http; needed: ...
    """
    try:
        refuse_protocols(target, AudioFileError)
    except AudioFileError as error:
        raise AudioFileError(
            f"{source} leads to {error.what}", needed=error.needed, remedy=error.remedy
        ) from None
    is_web = urlsplit(target).scheme in ("http", "https")
    if not is_web or (_is_inside(target) and not _is_inside(source)):
        what = "an address inside this network" if is_web else "no address of the web"
        raise AudioFileError(
            f"{source} leads to {target}, which is {what}",
            needed="a server that leads to others like it",
            remedy=f"name {target} itself, if it is meant",
        )


def _is_inside(url: str) -> bool:
    """Whether a host is this machine or one that only this network reaches; so is one that has no address."""
    try:
        found = {address[4][0] for address in socket.getaddrinfo(urlsplit(url).hostname, None)}
        return not all(ipaddress.ip_address(str(each).partition("%")[0]).is_global for each in found)
    except (OSError, ValueError):
        return True


@cache
def _guard() -> Any:
    """What aiohttp calls before it follows a redirect."""
    aiohttp = import_module("aiohttp")  # a package of fsspec[http]

    async def followed(_session: Any, _context: Any, request: Any) -> None:
        source = str(request.url)
        refuse_redirect(source, urljoin(source, request.response.headers.get("Location", "")))

    guard = aiohttp.TraceConfig()
    guard.on_request_redirect.append(followed)
    return guard
