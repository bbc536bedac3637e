"""The lines of a manifest file: local, compressed, or behind a URL."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from audiogmm.errors import ManifestError
from audiogmm.lines import with_short_lines
from audiogmm.manifest.entry import is_url
from audiogmm.protocols import open_url, refuse_protocols
from audiogmm.system import special_kind


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """Open a manifest to read its bytes; ``.gz`` is unpacked, a URL goes through fsspec.

    Raises
    ------
    ManifestError
        If it is missing, is a folder, cannot be read, or its compression is broken.
    """
    try:
        if not is_url(path) and (special := special_kind(Path(path).stat().st_mode)) is not None:
            raise ManifestError(f"{path} is {special}", needed="a file", remedy="save it to a file")
        if is_url(path):
            refuse_protocols(path, ManifestError)
            with open_url(path, compression="gzip" if path.endswith(".gz") else None) as remote:
                yield with_short_lines(remote, path)
        elif path.endswith(".gz"):
            with gzip.open(path, "rb") as packed:
                yield with_short_lines(packed, path)
        else:
            with Path(path).open("rb", buffering=0) as plain:
                yield with_short_lines(plain, path)
    except ManifestError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ManifestError(
            f"{path} cannot be read: {reason}", needed="a manifest file", remedy="check the path"
        ) from error


@contextmanager
def open_text(path: str, *, errors: str = "strict") -> Iterator[TextIO]:
    """Open a manifest to read its text, UTF-8 with or without a byte-order mark, or UTF-16 with one."""
    encoding = encoding_of(head(path, 2))
    with open_bytes(path) as file:
        text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
        try:
            yield text
        except UnicodeDecodeError as error:
            raise ManifestError(
                f"{path} is not UTF-8 text: {error.reason} ({error.object[error.start : error.start + 1]!r})",
                needed="UTF-8 text",
                remedy=f"iconv -f latin1 -t utf-8 {path}",
            ) from None
        finally:
            text.detach()


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text that begins with these bytes: UTF-16 shows by its byte-order mark.

    Examples
    --------
    >>> encoding_of("a".encode("utf-16")), encoding_of(b"a")
    ('utf-16', 'utf-8-sig')
    """
    return "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def head(path: str, size: int = 65536) -> bytes:
    """Read the first bytes of a file, which show its format."""
    with open_bytes(path) as file:
        return file.read(size)
