"""Names of speakers as names of files, whatever they are made of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote, unquote

from audiogmm.mixture import container

SUFFIX = ".speaker"
_LONGEST = 180  # bytes of a file's name


def file_name(name: str) -> str:
    """A name as a file's: what file systems refuse is written %XX, and what is too long is cut behind a hash.

    Examples
    --------
    >>> file_name("ann"), file_name("../a b"), file_name(".hidden")
    ('ann', '%2E.%2Fa%20b', '%2Ehidden')
    """
    written = quote(name, safe="", errors="surrogatepass")
    if written.startswith("."):
        written = "%2E" + written[1:]
    if len(written) <= _LONGEST:
        return written
    mark = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{written[: _LONGEST - 34]}%%{mark}"


def name_of(path: Path) -> str:
    """The name of the speaker whose file this is; read from the file where its own name was cut."""
    stem = path.name.removesuffix(SUFFIX)
    if "%%" not in stem:
        return unquote(stem, errors="surrogatepass")
    return str(json.loads(container.read(path)[0])["name"])
