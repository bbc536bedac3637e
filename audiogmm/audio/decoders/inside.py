"""Recordings inside other files: Kaldi archives, compressed files, tar archives and Parquet tables."""

from __future__ import annotations

import gzip
import importlib.util
import io
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from audiogmm.errors import AudioFileError, AudioGMMError
from audiogmm.manifest.entry import display_name
from audiogmm.manifest.inside import lhotse_record, scheme_of
from audiogmm.protocols import refuse_protocols


def open_inside(path: str, kind: type[AudioGMMError]) -> Any:
    """Open what an address of `audiogmm.manifest.inside` names.

    Returns
    -------
    binary file
        Seekable.

    Raises
    ------
    AudioGMMError
        Of `kind`, if the file is missing, or does not hold it.
    """
    scheme = scheme_of(path)
    assert scheme is not None
    inner, name = path.partition("://")[2], display_name(path)
    try:
        return _OPENERS[scheme](inner)
    except FileNotFoundError as error:
        raise kind(
            f"{name} leads into a file that is missing", needed="a file", remedy="correct it"
        ) from error
    except (OSError, EOFError, ValueError, LookupError, struct.error) as error:
        raise kind(
            f"{name} cannot be opened: {error}", needed="an address that leads to a recording"
        ) from error
    except ImportError as error:
        package, install = _PACKAGES[scheme]
        raise kind(
            f"{name} cannot be opened without {package}", needed=package, remedy=f"pip install {install}"
        ) from error


class _Window(io.RawIOBase):
    """Some bytes of a file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._start, self._size, self._at = file, start, end - start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


def _windowed(path: str, find: Callable[[BinaryIO, int], tuple[int, int]]) -> _Window:
    """Open a file at the bytes that a function finds in it, given its size."""
    file = open(path, "rb")  # noqa: SIM115, PTH123 - the window closes it
    try:
        return _Window(file, *find(file, Path(path).stat().st_size))
    except BaseException:
        file.close()
        raise


def _open_ark(inner: str) -> _Window:
    path, _, offset = inner.rpartition(":")
    start = int(offset)

    def find(file: BinaryIO, size: int) -> tuple[int, int]:
        file.seek(start)
        head = file.read(16)
        if head.startswith(b"RIFF"):
            return start, min(size, start + 8 + struct.unpack("<I", head[4:8])[0])
        if head.startswith(b"AUDIO"):  # kaldiio: the length of a length, the length, a whole file
            width = head[5]
            begin = start + 6 + width
            return begin, begin + int.from_bytes(head[6 : 6 + width], "little")
        if head.startswith((b"fLaC", b"OggS")):
            return start, size
        raise ValueError(f"no recording, but {head[:8]!r}, lies at byte {start}")

    return _windowed(path, find)


def _open_bytes(inner: str) -> _Window:
    span, _, path = inner.partition("::")
    start, end = (int(number) for number in span.split("-"))

    def find(_: BinaryIO, size: int) -> tuple[int, int]:
        if end > size:
            raise ValueError(f"the file has {size} bytes")
        return start, end

    return _windowed(path, find)


def _open_cell(inner: str) -> io.BytesIO:
    """One cell of a table; its row group alone is read, and of that its column."""
    import pyarrow.parquet as pq

    place, _, path = inner.partition("::")
    column, _, row = place.rpartition("/")
    at = int(row)
    with pq.ParquetFile(path) as table:
        for group in range(table.num_row_groups):
            size = table.metadata.row_group(group).num_rows
            if at < size:
                break
            at -= size
        else:
            raise LookupError(f"the table has {table.metadata.num_rows} rows")
        first = 0
        is_audio = hasattr(table.schema_arrow.field(column).type, "fields")  # a struct of bytes and path
        columns = [f"{column}.bytes"] if is_audio else [column]
        for batch in table.iter_batches(batch_size=16, row_groups=[group], columns=columns):
            if at < first + batch.num_rows:
                cell = batch.column(0)[at - first].as_py()
                data = cell.get("bytes") if isinstance(cell, dict) else cell
                if not isinstance(data, bytes):
                    raise LookupError("the cell holds no bytes")
                return io.BytesIO(data)
            first += batch.num_rows
    raise LookupError("no such row")


def _open_lhotse(inner: str) -> io.BytesIO:
    """What Lhotse makes of a cut or a recording, as a wav of floats: mixed, appended, and transformed."""
    record = lhotse_record(inner)
    for source in _sources(record):
        if source["type"] == "command":
            raise ValueError("a command in place of a file is never run")
        refuse_protocols(str(source["source"]), AudioFileError)
    if importlib.util.find_spec("lhotse") is None:
        raise ImportError("lhotse")
    import soundfile
    from lhotse.serialization import deserialize_item

    item = deserialize_item(record)
    n_values = item.num_samples * (item.num_channels or 1)
    if n_values > _LARGEST_MIX:
        raise ValueError(
            f"{n_values} samples are too many to be mixed at once; CutSet.save_audios() keeps them"
        )
    data = io.BytesIO()
    soundfile.write(data, item.load_audio().T, item.sampling_rate, format="WAV", subtype="FLOAT")
    data.seek(0)
    return data


def _sources(record: Any) -> Iterator[Mapping[str, Any]]:
    """Every place in a record where Lhotse reads sound."""
    if isinstance(record, dict):
        if "type" in record and "source" in record:
            yield record
        record = list(record.values())
    for part in record if isinstance(record, list) else ():
        yield from _sources(part)


_LARGEST_MIX = 1 << 28  # floats: 1 GiB

_PACKAGES = {"parquet": ("pyarrow", "'audiogmm[interop]'"), "lhotse": ("lhotse", "lhotse")}
"""What an opener imports, and how it is installed."""

_OPENERS: dict[str, Callable[[str], Any]] = {
    "ark": _open_ark,
    "gzip": gzip.GzipFile,
    "bytes": _open_bytes,
    "parquet": _open_cell,
    "lhotse": _open_lhotse,
}
