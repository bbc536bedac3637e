"""The members of a tar archive, and where they lie in it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import is_url
from audiogmm.manifest.inside import bytes_address

LONGEST_TEXT = 1 << 24
"""Bytes of a member that is read as text or JSON."""


@dataclass(frozen=True, slots=True)
class TarMember:
    """A file in an archive; it can be read until the next one is asked for."""

    name: str
    archive: str
    start: int
    size: int
    file: BinaryIO

    @property
    def address(self) -> str:
        """Where its bytes are."""
        return bytes_address(str(Path(self.archive).absolute()), self.start, self.start + self.size)

    def read(self) -> bytes:
        """Return its content.

        Raises
        ------
        ManifestError
            If it is too long to be text.
        """
        if self.size > LONGEST_TEXT:
            raise ManifestError(f"{self.archive}: {self.name} has {self.size} bytes", needed="a short text")
        here = self.file.tell()
        self.file.seek(self.start)
        data = self.file.read(self.size)
        self.file.seek(here)
        return data


def members_of(archive: str) -> Iterator[TarMember]:
    """Yield the files of an archive that is not compressed, in order and in bounded memory.

    Raises
    ------
    ManifestError
        If it cannot be read, is compressed, or is cut off.
    """
    try:
        with Path(archive).open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            size = Path(archive).stat().st_size
            while (info := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # or each member stays in memory
                if info.isfile():
                    if info.offset_data + info.size > size:
                        raise tarfile.ReadError(f"{info.name} is cut off")
                    if info.issparse():
                        raise tarfile.ReadError(f"{info.name} is sparse")
                    yield TarMember(info.name, archive, info.offset_data, info.size, file)
    except (OSError, tarfile.TarError) as error:
        packed = archive.endswith((".gz", ".tgz", ".zst"))
        raise ManifestError(
            f"{archive} cannot be read as a tar archive: {getattr(error, 'strerror', None) or error}",
            needed="a whole tar archive that is not compressed",
            remedy=f"gunzip {archive}" if packed else "copy it again",
        ) from error


def address_in_tar(url: str) -> str | None:
    """Return where the bytes of ``tar://MEMBER::ARCHIVE`` are; the archive is listed once, until it changes.

    Returns
    -------
    str or None
        None for any other URL, and where fsspec has to look: compressed archives, and what is not found.
    """
    name, _, archive = url.partition("::")
    if not name.startswith("tar://") or not archive or is_url(archive):
        return None
    try:
        status = Path(archive).stat()
        places = _places_in(archive, status.st_ino, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError, ManifestError):
        return None  # opening it says what is wrong
    place = places.get(name.removeprefix("tar://"))
    return None if place is None else bytes_address(archive, *place)


@lru_cache(maxsize=2)
def _places_in(archive: str, *_: int) -> dict[str, tuple[int, int]]:
    """Where each member begins and ends; what follows the path tells versions of the archive apart."""
    return {member.name: (member.start, member.start + member.size) for member in members_of(archive)}
