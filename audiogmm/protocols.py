"""Which URLs are opened: those that stay on this machine, and those that the user allows."""

from __future__ import annotations

import os
import re

from audiogmm.errors import AudioGMMError

LOCAL = frozenset({"file", "local", "memory", "tar", "zip", "ark", "bytes", "gzip", "lhotse", "parquet"})
"""Protocols that read files of this machine, or what is inside them."""

VARIABLE = "AUDIOGMM_PROTOCOLS"
"""Environment variable with the further protocols that may be opened, such as ``https,s3``."""

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:://|$)")


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
