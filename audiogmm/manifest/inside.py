"""Addresses of recordings inside other files, as an entry holds them: URLs of schemes of our own.

===========================================  ==========================================================
``ark:///data/wav.ark:1234``                 a wav in a Kaldi archive, at a byte, as an scp file has it
``gzip:///data/a.wav.gz``                    a file that is compressed
``bytes://512-32556::/data/shard.tar``       bytes of a file: a member of a tar archive
``parquet://audio/17::/data/train.parquet``  a cell of a table: its column, and its row counted from 0
``lhotse://mix-1/eJyr...``                   what Lhotse makes of a cut that the address holds
===========================================  ==========================================================

`audiogmm.audio.decoders.inside` opens them. A manifest may name the file relative to itself, and so the
last link of fsspec's chains (``tar://a.wav::x.tar``).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from audiogmm.lines import LONGEST_LINE

SCHEMES = ("ark", "gzip", "bytes", "parquet", "lhotse")


def scheme_of(path: str) -> str | None:
    """Return the scheme of ours that an address has, or None for any other path.

    Examples
    --------
    >>> scheme_of("ark:///a.ark:12"), scheme_of("https://host/a.wav"), scheme_of("/a.wav")
    ('ark', None, None)
    """
    scheme, mark, _ = path.partition("://")
    return scheme if mark and scheme in SCHEMES else None


def gzip_address(path: str) -> str:
    """Return the address of what a compressed file holds."""
    return f"gzip://{path}"


def ark_address(location: str) -> str:
    """Return the address of a recording in an archive, of a location as an scp file has it."""
    return f"ark://{location}"


def bytes_address(path: str, start: int, end: int) -> str:
    """Return the address of the bytes of a file from `start` up to `end`."""
    return f"bytes://{start}-{end}::{path}"


def cell_address(path: str, column: str, row: int) -> str:
    """Return the address of a cell of a Parquet file."""
    return f"parquet://{column}/{row}::{path}"


def lhotse_address(name: str, record: Mapping[str, Any]) -> str:
    """Return the address of the sound of a cut or a recording, which Lhotse makes of its record.

    Examples
    --------
    >>> lhotse_record(lhotse_address("mix/1", {"id": "mix/1"}))
    {'id': 'mix/1'}
    """
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    data = base64.urlsafe_b64encode(zlib.compress(text.encode(errors="surrogatepass"), 9)).decode()
    return f"lhotse://{name.replace('/', '_')}/{data}"


def lhotse_record(address: str) -> Any:
    """Return the record that an address holds.

    Raises
    ------
    ValueError
        If it holds none.
    """
    try:
        unpack = zlib.decompressobj()
        text = unpack.decompress(base64.urlsafe_b64decode(address.rpartition("/")[2]), LONGEST_LINE)
        if not unpack.eof:
            raise ValueError(f"a record that is cut off, or of more than {LONGEST_LINE >> 20} MiB")
    except zlib.error as error:
        raise ValueError(f"no record: {error}") from None
    return json.loads(text.decode(errors="surrogatepass"))


def _first_file(record: Any) -> str:
    """The first recording's file of a record; nothing if it names none."""
    if isinstance(record, dict):
        if record.get("type") in ("file", "url") and isinstance(record.get("source"), str):
            return str(record["source"])
        record = list(record.values())
    return next(filter(None, map(_first_file, record)), "") if isinstance(record, list) else ""


def outer_path(path: str) -> str:
    """Return the file that lies on disk: the one that an address leads into, or the path itself.

    Of what Lhotse makes of several files, it is the first.

    Examples
    --------
    >>> outer_path("ark:///a.ark:12"), outer_path("bytes://0-9::/b.tar"), outer_path("/c.wav")
    ('/a.ark', '/b.tar', '/c.wav')
    >>> outer_path("zip://a.wav::/b.zip"), outer_path("zip://a.wav::https://host/b.zip")
    ('/b.zip', 'https://host/b.zip')
    >>> outer_path("s3://bucket/a.wav"), outer_path("gzip://a.wav.gz")
    ('s3://bucket/a.wav', 'a.wav.gz')
    """
    scheme, inner = scheme_of(path), path.partition("://")[2]
    if scheme == "lhotse":
        return _first_file(lhotse_record(path))
    if scheme == "ark":
        return inner.rpartition(":")[0]
    if scheme == "gzip":
        return inner
    return inner.rpartition("::")[2] if "::" in inner else path


def resolved(path: str, resolve: Callable[[str], str]) -> str:
    """Return an address whose file, the last link of a chain, is made absolute by a function.

    Examples
    --------
    >>> resolved("gzip://a.wav.gz", lambda path: f"/x/{path}")
    'gzip:///x/a.wav.gz'
    >>> resolved("tar://x.tar::x.tar", lambda path: f"/x/{path}")
    'tar://x.tar::/x/x.tar'
    >>> resolved("s3://bucket/a.wav", lambda path: f"/x/{path}")
    's3://bucket/a.wav'
    """
    if "://" not in path:
        return resolve(path)
    if scheme_of(path) not in ("ark", "gzip") and ("::" not in path or path.startswith("lhotse:")):
        return path
    outer = outer_path(path)
    at = path.rindex(outer)
    return path[:at] + (outer and resolve(outer)) + path[at + len(outer) :]
