"""The bytes of a recording: a local file, a URL, or standard input."""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from audiogmm.audio.decoders.inside import open_inside
from audiogmm.errors import AudioFileError, AudioGMMError, OutputError
from audiogmm.manifest.archives.tar_members import address_in_tar
from audiogmm.manifest.entry import STANDARD_INPUT, display_name, is_url
from audiogmm.manifest.inside import outer_path, scheme_of
from audiogmm.protocols import open_url, refuse_protocols
from audiogmm.reading import CHECK_DISK, reading
from audiogmm.system import special_kind
from audiogmm.temporaries import temporary_prefix

T = TypeVar("T")

DISK_LIMIT = 8 << 30
"""Bytes that a stream may take on disk where its format cannot be decoded as it arrives."""


class ByteSource(Protocol):
    """What decoders and readers need of a file."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none only at the end."""
        ...

    def seekable(self) -> bool:
        """Return whether it can go back."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a byte, where that can be done."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_source(path: str, kind: type[AudioGMMError] = AudioFileError) -> ByteSource:
    """Open a file for reading; what cannot be opened, or is empty, is an error that says why.

    Parameters
    ----------
    path : str
        Local path, URL that fsspec opens, or ``-`` for standard input.
    kind : type of AudioGMMError
        What to raise.

    Returns
    -------
    binary file
        Unbuffered where it is local; it may be unable to seek.

    Raises
    ------
    AudioFileError
        (or `kind`) if it is missing, empty, a folder, not readable, or a URL that cannot be fetched.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise kind("standard input is closed", needed="a recording", remedy="audiogmm ... - < a.wav")
        return _StandardInput(sys.stdin.buffer)
    if is_url(path):
        return _open_url(path, kind)
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise kind(f"{path} is a folder", needed="a file")
        _refuse_special(path, status.st_mode, kind)
        if status.st_size == 0:
            raise kind(
                f"{path} is empty: 0 bytes",
                needed="a whole file",
                remedy="copy or record it again, or take it out of the manifest",
            )
        return open(path, "rb", buffering=0)  # noqa: PTH123 - the caller closes it
    except FileNotFoundError as error:
        raise kind(
            f"{path} is missing",
            needed="a file",
            remedy="correct the path; paths in a manifest are relative to the manifest's folder",
        ) from error
    except OSError as error:
        if isinstance(error, AudioGMMError):
            raise
        raise kind(
            f"{path} cannot be opened: {error.strerror or error}", needed="a readable file", remedy=CHECK_DISK
        ) from error
    except ValueError as error:  # a null byte, or characters that no file system holds
        raise kind(f"{path!r} is not a path: {error}", needed="the name of a file") from error


def _refuse_special(path: str, mode: int, kind: type[AudioGMMError]) -> None:
    if (special := special_kind(mode)) is not None:
        raise kind(
            f"{display_name(path)} is {special}, which might never end",
            needed="a file",
            remedy="save what it gives to a file, pipe it to standard input, or use audiogmm stream",
        )


def _open_url(path: str, kind: type[AudioGMMError]) -> ByteSource:
    refuse_protocols(path, kind)
    mode = 0
    with suppress(OSError, ValueError):  # whatever opens it says what is wrong
        mode = Path(outer_path(path).removeprefix("file://").removeprefix("local://")).stat().st_mode
    _refuse_special(path, mode, kind)
    address = address_in_tar(path) or path
    if scheme_of(address) is not None:
        return GuardedFile(open_inside(address, kind), raises=kind is not AudioFileError)
    try:
        opened = open_url(path)
        file = opened.open()
    except AudioGMMError:
        raise
    except (ImportError, ValueError) as error:  # unknown protocol, or the package for it is not installed
        raise kind(
            f"{path} cannot be opened: {error}",
            needed="a URL that fsspec opens",
            remedy="install the package that the message names, or copy the file here",
        ) from error
    except FileNotFoundError as error:
        if isinstance(error.__cause__, AudioGMMError):  # a redirect that was refused
            raise error.__cause__ from None
        raise kind(f"{path} is missing", needed="a file", remedy="correct the URL") from error
    except Exception as error:  # each protocol has errors of its own
        raise kind(
            f"{path} cannot be fetched: {type(error).__name__}: {error}", needed="a readable URL"
        ) from error
    return GuardedFile(file, opened, raises=kind is not AudioFileError)


class _StandardInput(io.RawIOBase):
    """Standard input, which is never closed."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        self.read1 = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


class GuardedFile(io.RawIOBase):
    """A file that keeps the first failure of its reads, since libsndfile's callbacks swallow exceptions.

    Parameters
    ----------
    file : binary file
    opened : object
        Kept as long as the file.
    raises : bool
        Raise what goes wrong, too.

    Attributes
    ----------
    failure : Exception or None
        What went wrong; reads then end as if the file did.
    """

    def __init__(self, file: Any, opened: object = None, *, raises: bool = False) -> None:
        self._file = file
        self._raises = raises
        self._opened = opened  # fsspec closes an archive when its `OpenFile` is collected
        self.failure: Exception | None = None

    def refuse_failed(self, name: str) -> None:
        """Raise AudioFileError if a read failed."""
        if self.failure is not None:
            raise AudioFileError(
                f"{name} could not be fetched to its end: {type(self.failure).__name__}: {self.failure}",
                needed="the whole recording",
                remedy="try again, or copy it here",
            ) from self.failure

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._tried(lambda: bool(self._file.seekable()), False)

    def read(self, size: int = -1) -> bytes:
        return self._tried(lambda: bytes(self._file.read(size)), b"")

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._tried(lambda: int(self._file.seek(offset, whence)), -1)

    def tell(self) -> int:
        return self._tried(lambda: int(self._file.tell()), -1)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _tried(self, call: Callable[[], T], otherwise: T) -> T:
        try:
            return call()
        except Exception as error:  # each protocol has errors of its own
            self.failure = self.failure or error
            if self._raises:
                raise
            return otherwise


@contextmanager
def copy_to_disk(head: bytes, stream: ByteSource, name: str, limit: int = DISK_LIMIT) -> Iterator[Path]:
    """Copy a stream that cannot seek into a temporary file, which is removed at the end.

    Parameters
    ----------
    head : bytes
        The bytes that were read of it already.
    stream : binary file
        The rest.
    name : str
        For messages.
    limit : int
        Bytes that it may take on disk.

    Raises
    ------
    AudioFileError
        If the stream is empty, cannot be read to its end, or holds more than `limit` bytes.
    OutputError
        If the temporary folder does not take it.
    """
    descriptor, path = tempfile.mkstemp(prefix=temporary_prefix())
    try:
        try:
            size = _copy(head, stream, descriptor, name, limit)
        except OSError as error:
            if isinstance(error, AudioGMMError):
                raise
            raise OutputError(
                f"{name} cannot be kept in {path}: {error.strerror or error}",
                needed="room in the temporary folder",
                remedy="free some space, or set TMPDIR to another disk",
            ) from error
        if isinstance(stream, GuardedFile):
            stream.refuse_failed(name)
        if size == 0:
            raise empty_stream(name)
        yield Path(path)
    finally:
        with suppress(OSError):
            Path(path).unlink()


def empty_stream(name: str) -> AudioFileError:
    """Return the error for a pipe that holds nothing."""
    return AudioFileError(
        f"{name} is empty, or was read before",
        needed="a recording",
        remedy="save it to a file if it must be read more than once",
    )


def _copy(head: bytes, stream: ByteSource, descriptor: int, name: str, limit: int) -> int:
    """Write all of a stream to a file; the bytes written."""
    size = len(head)
    with open(descriptor, "wb") as file:
        file.write(head)
        while True:
            with reading(display_name(name)):
                piece = stream.read(1 << 20)
            if not piece:
                break
            size += len(piece)
            if size > limit:
                raise AudioFileError(
                    f"{name} holds more than {limit} bytes of a format that cannot be decoded as it arrives",
                    needed=f"a wav stream, or at most {limit} bytes",
                    remedy="convert it on the way in: ffmpeg -i INPUT -f wav - | audiogmm ...",
                )
            file.write(piece)
    return size
