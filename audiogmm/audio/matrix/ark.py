"""Kaldi archives of feature matrices: plain binary ones by seeking, text and compressed ones by kaldiio."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import ByteSource, open_source
from audiogmm.audio.matrix.columns import Column, rows_at_once
from audiogmm.audio.matrix.npy import fill
from audiogmm.audio.matrix.parquet import missing_extra
from audiogmm.errors import FeatureError

_PLAIN = {b"FM": "<f4", b"DM": "<f8", b"FV": "<f4", b"DV": "<f8"}
_COMPRESSED = {b"CM": (8, 1), b"CM2": (0, 2), b"CM3": (0, 1)}
"""Bytes a column and bytes a cell, behind a header of 16 (Kaldi, matrix/compressed-matrix.h)."""

_LONGEST_KEY = 4096


@dataclass(frozen=True, slots=True)
class ArkMember:
    """One member of an archive.

    Attributes
    ----------
    key : str
        The utterance's name.
    offset : int
        Where its value begins, bytes: the number in an scp file.
    is_vector : bool
        A vector rather than a matrix.
    """

    key: str
    offset: int
    is_vector: bool


@dataclass(frozen=True, slots=True)
class _ArkValue:
    """A binary value: its kind, shape, and where its numbers are."""

    kind: bytes
    n_rows: int
    n_columns: int
    start: int
    size: int


_RANGE = re.compile(r"\[(:|\d+:\d+)?(?:,(:|\d+:\d+)?)?\]$")


def split_range(path: str) -> tuple[str, slice, slice]:
    """Split the rows and columns off an scp file's ``file.ark:12[10:29,0:5]``; both ends are included.

    Examples
    --------
    >>> split_range("/b.ark:12[10:29]")
    ('/b.ark:12', slice(10, 30, None), slice(0, None, None))
    """
    found = _RANGE.search(path)
    if found is None:
        return path, slice(0, None), slice(0, None)
    return path[: found.start()], *map(_slice, found.groups())  # type: ignore[return-value]


def _slice(text: str | None) -> slice:
    if text in (None, "", ":"):
        return slice(0, None)
    first, last = (int(number) for number in str(text).split(":"))
    if last < first:
        raise FeatureError(f"the range [{text}] ends before it begins", needed="first:last, both included")
    return slice(first, last + 1)


def split_offset(path: str) -> tuple[str, int | None]:
    """Split an scp file's ``file.ark:1234`` into path and offset; a range behind it is left out.

    Examples
    --------
    >>> split_offset("/a/b.ark:1234"), split_offset("/a/b.ark"), split_offset("/a/b.ark:12[0:9]")
    (('/a/b.ark', 1234), ('/a/b.ark', None), ('/a/b.ark', 12))
    """
    path = split_range(path)[0]
    name, _, offset = path.rpartition(":")
    return (name, int(offset)) if name and offset.isdigit() else (path, None)


def read_members(path: str) -> Iterator[ArkMember]:
    """Yield the members of an archive, without reading what they hold.

    Raises
    ------
    FeatureError
        If it is not an archive, or is damaged.
    """
    stream = open_source(path, FeatureError)
    try:
        end = stream.seek(0, 2)
        stream.seek(0)
        while (key := _read_key(stream, path)) is not None:
            offset = stream.seek(0, 1)
            value = _read_value(stream, path)
            if value is None:
                yield ArkMember(key, offset, _skip_text(stream, path, offset))
                continue
            if value.start + value.size > end:
                raise _cut_off(path, key)
            yield ArkMember(key, offset, value.kind.endswith(b"V"))
            stream.seek(value.start + value.size)
    finally:
        stream.close()


class ArkReader:
    """Rows of one matrix of an archive, or of all its vectors, one a row.

    Raises
    ------
    FeatureError
        If the archive is damaged, holds several matrices and no offset says which, or needs kaldiio, which is
        not installed.
    """

    def __init__(self, path: str) -> None:
        self._named = path
        self._path, self._offset = split_offset(path)
        _, self._rows, self._columns = split_range(path)

    def header(self) -> tuple[Column, ...]:
        """Return nothing: an archive names no columns, and tells their number only where it is read."""
        return ()

    def rows(self, first: int, block: int, places: tuple[int, ...] | None = None) -> Iterator[NDArray[Any]]:
        """Yield windows of at most `block` rows, from row `first` on, of the columns at `places`."""
        for window in self._ranged(first, block):
            yield window if places is None else window[:, places]

    def _ranged(self, first: int, block: int) -> Iterator[NDArray[Any]]:
        row, stop = self._rows.start + first, self._rows.stop
        for window in self._all_rows(row, block):
            window = window if stop is None else window[: max(0, stop - row)]
            row += len(window)
            if (self._columns.stop or 0) > window.shape[1]:
                raise self._outside(f"{window.shape[1]} columns")
            if len(window):
                yield window[:, self._columns]
            if row == stop:
                return
        if stop is not None:
            raise self._outside(f"{row} rows")

    def _outside(self, has: str) -> FeatureError:
        return FeatureError(
            f"{self._named}: the matrix has {has}",
            needed="a range that lies within it; both ends are included, counted from 0",
            remedy="make feats.scp again",
        )

    def _all_rows(self, first: int, block: int) -> Iterator[NDArray[Any]]:
        members = [] if self._offset is not None else self._members()
        stream = open_source(self._path, FeatureError)
        try:
            if self._offset is not None or (len(members) == 1 and not members[0].is_vector):
                yield from self._matrix(
                    stream, members[0].offset if members else self._offset or 0, first, block
                )
                return
            for start in range(first, len(members), block):
                vectors = [
                    next(self._matrix(stream, member.offset, 0, 1))
                    for member in members[start : start + block]
                ]
                if len({vector.shape[1] for vector in vectors}) > 1:
                    raise FeatureError(f"{self._path}: its vectors differ in length", needed="one length")
                yield np.concatenate(vectors)
        finally:
            stream.close()

    def _members(self) -> list[ArkMember]:
        members = list(read_members(self._path))
        matrices = [member for member in members if not member.is_vector]
        if not members or (matrices and len(members) > 1):
            raise FeatureError(
                f"{self._path} holds {len(members)} members, {len(matrices)} of them matrices",
                needed="one matrix, or vectors of one length",
                remedy=f"name one of them: {self._path}:{matrices[0].offset}" if matrices else "",
            )
        return members

    def _matrix(self, stream: ByteSource, offset: int, first: int, block: int) -> Iterator[NDArray[Any]]:
        stream.seek(offset)
        value = _read_value(stream, self._path)
        if value is None or value.kind not in _PLAIN:
            stream.seek(offset)
            matrix = np.atleast_2d(_read_with_kaldiio(stream, self._path, text=value is None))
            for row in range(first, len(matrix), block):
                yield matrix[row : row + block]
            return
        if value.start + value.size > stream.seek(0, 2):
            raise _cut_off(self._path, f"offset {offset}")
        dtype = np.dtype(_PLAIN[value.kind])
        block = rows_at_once(block, value.n_columns, self._path)
        for row in range(first, value.n_rows, block):
            window = np.empty((min(block, value.n_rows - row), value.n_columns), dtype)
            stream.seek(value.start + row * value.n_columns * dtype.itemsize)
            fill(stream, window, self._path)
            yield window


def _read_key(stream: ByteSource, path: str) -> str | None:
    """The next key and the blank behind it; None at the end."""
    key = bytearray()
    while (byte := stream.read(1)) not in (b" ", b"\t", b""):
        key += byte
        if len(key) > _LONGEST_KEY:
            raise FeatureError(
                f"{path} is not a Kaldi archive: no key in its first bytes", needed="an ark file"
            )
    text = key.decode(errors="replace").strip()
    if not text:
        return None
    if not byte:
        raise FeatureError(f"{path} is truncated: nothing follows the key {text!r}", needed="a whole archive")
    return text


def _read_value(stream: ByteSource, path: str) -> _ArkValue | None:
    """The header of a binary value; None if it is text."""
    head = stream.read(2)
    if head in (b"RI", b"fL", b"AU"):
        raise FeatureError(
            f"{path} holds recordings, not matrices",
            needed="an archive of feature matrices",
            remedy="name its list wav.scp, and give the folder of it",
        )
    if head != b"\0B":
        return None
    kind = bytearray()
    while (byte := stream.read(1)) not in (b" ", b"") and len(kind) < 4:
        kind += byte
    token = bytes(kind)
    try:
        if token in _COMPRESSED:
            _, _, n_rows, n_columns = struct.unpack("<ffii", stream.read(16))
            a_column, a_cell = _COMPRESSED[token]
            size = n_columns * a_column + n_rows * n_columns * a_cell
        elif token in _PLAIN:
            n_rows = 1 if token.endswith(b"V") else struct.unpack("<xi", stream.read(5))[0]
            n_columns = struct.unpack("<xi", stream.read(5))[0]
            size = n_rows * n_columns * np.dtype(_PLAIN[token]).itemsize
        else:
            raise FeatureError(
                f"{path} holds a value of the type {token.decode(errors='replace')!r}",
                needed="a matrix or a vector (FM, DM, CM, CM2, CM3, FV, DV)",
            )
    except struct.error as error:
        raise FeatureError(
            f"{path} is truncated in the header of a matrix", needed="a whole archive"
        ) from error
    return _ArkValue(token, n_rows, n_columns, stream.seek(0, 1), size)


def _skip_text(stream: ByteSource, path: str, offset: int) -> bool:
    """Skip a text value; return whether it is a vector: one line, brackets included."""
    stream.seek(offset)
    text = bytearray()
    while b"]" not in text:
        if not (piece := stream.read(4096)):
            raise FeatureError(
                f"{path} is not a Kaldi archive, or is truncated: a [ without its ]", needed="an ark file"
            )
        text += piece
    length = text.index(b"]") + 1
    stream.seek(offset + length)
    if text[length : length + 1] == b"\n":
        stream.seek(offset + length + 1)
    return b"\n" not in text[:length].strip()


def _read_with_kaldiio(stream: ByteSource, path: str, text: bool) -> NDArray[Any]:
    """A text or a compressed value, by the readers of kaldiio which run no command and unpickle nothing."""
    try:
        from kaldiio.matio import read_ascii_mat, read_matrix_or_vector
    except ImportError as error:
        raise missing_extra(path, "kaldiio") from error
    try:
        return np.asarray(read_ascii_mat(stream) if text else read_matrix_or_vector(stream))
    except (ValueError, AssertionError, struct.error, EOFError, OSError) as error:
        raise FeatureError(f"{path} is damaged: kaldiio says {error}", needed="a whole archive") from error


def _cut_off(path: str, where: str) -> FeatureError:
    return FeatureError(
        f"{path} is truncated: it ends in the middle of {where}",
        needed="a whole archive",
        remedy="write it again",
    )
