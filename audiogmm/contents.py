"""What a file is that is no recording and no list, by its first bytes."""

from __future__ import annotations

import re

_KINDS = (
    (rb"\x89PNG\r\n\x1a\n", "a PNG image"),
    (rb"\xff\xd8\xff", "a JPEG image"),
    (rb"GIF8", "a GIF image"),
    (rb"II\*\x00|MM\x00\*", "a TIFF image"),
    (rb"RIFF.{4}WEBP", "a WebP image"),
    (rb"%PDF-", "a PDF document"),
    (rb"PK\x03\x04", "a zip archive"),
    (rb".{257}ustar", "a tar archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"BZh[1-9]", "a bzip2 archive"),
    (rb"\xfd7zXZ\x00", "an xz archive"),
    (rb"\x28\xb5\x2f\xfd", "a zstd archive"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"Rar!\x1a\x07", "a RAR archive"),
    (rb"\x7fELF|MZ.{2,64}PE\x00", "a program"),
    (rb"SQLite format 3\x00", "an SQLite database"),
    (rb"\x89HDF\r\n", "an HDF5 file"),
    (rb"MATLAB 5\.0", "a MATLAB file"),
    (rb".{4}\x00{4}\{\"", "a safetensors file, such as a model"),
    (rb"version https://git-lfs", "a pointer of Git LFS in place of the file"),
    (rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head)", "an HTML page"),
)
"""How a file begins, as a regular expression, and what it then is."""


def contents_of(head: bytes) -> str | None:
    r"""Return what a file is that begins so, if it is one of those mistaken for recordings and lists.

    Examples
    --------
    >>> contents_of(b"\x89PNG\r\n\x1a\n..."), contents_of(b"<!DOCTYPE html><html>"), contents_of(b"fLaC")
    ('a PNG image', 'an HTML page', None)
    """
    for begin, kind in _KINDS:
        if re.match(begin, head[:1024], re.DOTALL | re.IGNORECASE):
            return kind
    return None
