"""The index of a frame cache: files by their content, front ends, and the entries that it has."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiogmm.audio.decoders.opening import open_decoder
from audiogmm.audio.decoders.source import open_source
from audiogmm.checksum import checksum_of
from audiogmm.errors import AudioFileError, OutputError
from audiogmm.escapes import escaped
from audiogmm.files import replacing, unwritable
from audiogmm.manifest.entry import Entry, display_name, is_url
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.inside import outer_path
from audiogmm.manifest.record import record_of
from audiogmm.moves import sync, sync_all
from audiogmm.protocols import open_filesystem, refuse_protocols
from audiogmm.reading import reading
from audiogmm.temporaries import sweep
from audiogmm.types import Json

INDEX = "index.jsonl"
"""The manifest of the entries that a cache has."""

AGAIN = "another folder; or remove the frame cache and compute it again"
DATABASE = "ledger.sqlite"
FRAMES = "frames"
"""The folder of the frames, in folders by the begin of their keys."""

KEPT = ".ledger.sqlite.kept"
"""The database as it was before the run that is adding entries; empty where there was none."""

_CONTENT = re.compile("[0-9a-f]{40}")
_PATIENCE = 120.0  # seconds to wait for another process that writes

_TABLES = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, signature TEXT, content TEXT, sample_rate INTEGER);
CREATE TABLE IF NOT EXISTS frontends (fingerprint TEXT PRIMARY KEY, settings TEXT);
CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, cut TEXT);
CREATE TABLE IF NOT EXISTS written (bytes INTEGER);
"""
_LINES = "CREATE TABLE IF NOT EXISTS lines (bytes INTEGER, checksum INTEGER)"


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What identifies a recording, whatever its name.

    Attributes
    ----------
    content : str
        BLAKE2b of the file's bytes, hexadecimal.
    sample_rate : int
        Its own, hertz.
    """

    content: str
    sample_rate: int


class CacheIndex:
    """The index of one cache folder, in SQLite: processes and threads may share it.

    Raises
    ------
    OutputError
        From every method, if the folder cannot be written, or its index is not a database.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def growing(self) -> Iterator[None]:
        """Let a run add entries without waiting for the disk at each of them; at its end all of it is there.

        What the index was is kept until then. Where a run was cut off, by SIGKILL or a power failure, the
        index may be of pages old and new: the next run begins with what was kept, and finds the frames again
        by the content of their recordings. One run at a time.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        kept, database, index = (self.folder / name for name in (KEPT, DATABASE, INDEX))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if kept.exists():  # of a run that was cut off; what it left among the frames, too
                for place in (self.folder / FRAMES).glob("*/"):
                    sweep(place)
                database.with_name(f"{DATABASE}-journal").unlink(missing_ok=True)
                with replacing(database, force=True) as temporary:
                    shutil.copyfile(kept, temporary)
                with self._transaction() as opened:
                    (length,) = opened.execute("SELECT bytes FROM written").fetchone() or (0,)
                if index.exists():
                    os.truncate(index, min(length, index.stat().st_size))
            for path in (database, index):
                if path.exists():
                    sync_all(path)
            with replacing(kept, force=True) as temporary:
                shutil.copyfile(database if database.exists() else os.devnull, temporary)
        except OSError as error:
            raise error if isinstance(error, OutputError) else unwritable(kept, error) from error
        try:
            yield
        finally:
            try:
                sync_all(self.folder)
                kept.unlink(missing_ok=True)
                sync(self.folder)
            except OSError as error:
                raise unwritable(kept, error) from error

    def identify(self, path: str, signature: str | None) -> FileIdentity:
        """Identify a recording; its bytes are hashed only if it changed since the last time.

        Parameters
        ----------
        path : str
            Local path or URL.
        signature : str or None
            Of `signature_of`; with None, where the recording is gone, what was stored last is trusted.

        Raises
        ------
        AudioFileError
            If it is gone and was never identified, or is not audio.
        """
        path = _real_path(path)
        key = escaped(path)
        with self._transaction() as database:
            query = "SELECT signature, content, sample_rate FROM files WHERE path = ?"
            row = database.execute(query, (key,)).fetchone()
        if row is not None and signature in (None, row[0]):
            content = self._content_of(key, *row)
            if content is not None:
                return FileIdentity(content, row[2])
            if signature is None:
                raise self._damaged(DATABASE)
        with reading(display_name(path)):
            decoder = open_decoder(path)
            sample_rate = decoder.info.sample_rate
            decoder.close()
            identity = FileIdentity(_content(path), sample_rate)
        with self._transaction() as database:
            content = _checked([key, signature, identity.content, identity.sample_rate])
            values = (key, signature, content, identity.sample_rate)
            database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", values)
        return identity

    def add(self, entry: Entry, fingerprint: str, settings: Json) -> None:
        """Store that the frames of an entry are there, and list it in the index if it is not.

        The length of the index is part of the same transaction: a line that was half written when a process
        was killed is cut off by the next writer, and no entry is listed twice.

        Raises
        ------
        OutputError
            If the index lists another piece under the same id.
        """
        cut = json.dumps([_real_path(entry.path), entry.offset, entry.duration, entry.channel])
        with self._transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO frontends VALUES (?, ?)",
                (fingerprint, _checked(settings)),
            )
            known = database.execute("SELECT cut FROM entries WHERE id = ?", (entry.id,)).fetchone()
            if known is None:
                database.execute("INSERT INTO entries VALUES (?, ?)", (entry.id, cut))
                (length,) = database.execute("SELECT bytes FROM written").fetchone() or (0,)
                database.execute(_LINES)
                found = database.execute("SELECT bytes, checksum FROM lines").fetchone()
                checked, checksum = found or (length, self._checksum(length))  # an older cache has no `lines`
                if checked != length:
                    raise self._damaged(DATABASE)
                length, checksum = self._append(entry, length, checksum)
                for table, values in (("written", (length,)), ("lines", (length, checksum))):
                    database.execute(f"DELETE FROM {table}")
                    database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
            elif known[0] != cut:
                raise OutputError(
                    f"{self.folder / INDEX} lists {known[0]} under the id {entry.id!r}, and now comes {cut}",
                    needed="one recording an id",
                    remedy="another folder, or another id in the manifest",
                )

    def frontends(self) -> list[Json]:
        """Return the settings of every front end whose frames are there.

        Raises
        ------
        OutputError
            If they, or the entries, are not those that were written.
        """
        with self._transaction() as database:
            rows = database.execute("SELECT settings FROM frontends ORDER BY fingerprint").fetchall()
            older = database.execute("SELECT name FROM sqlite_master WHERE name = 'lines'").fetchone() is None
            lines = None if older else database.execute("SELECT bytes, checksum FROM lines").fetchone()
            if lines is not None and self._checksum(lines[0]) != lines[1]:
                raise self._damaged(INDEX)
        settings = [_unchecked(text) for (text,) in rows]
        if not all(isinstance(each, dict) for each in settings):
            raise self._damaged(DATABASE)
        return settings

    def _content_of(self, key: str, signature: str, text: str, sample_rate: int) -> str | None:
        """Return the content hash in a row of files; None if the row is not the one that was written."""
        if _CONTENT.fullmatch(text):  # of an older version, without a checksum
            return text
        match _unchecked(text):
            case [path, of, str(content), rate] if [path, of, rate] == [key, signature, sample_rate]:
                return content
        return None

    def _checksum(self, length: int) -> int:
        """Return the CRC-32 of the first bytes of the list of entries."""
        checksum, path = 0, self.folder / INDEX
        if length and path.exists():
            with path.open("rb") as file:
                while length > 0 and (piece := file.read(min(length, 1 << 20))):
                    checksum, length = zlib.crc32(piece, checksum), length - len(piece)
        return checksum

    def _damaged(self, file: str) -> OutputError:
        return OutputError(
            f"{self.folder / file} is damaged: it is not what was written",
            needed="an undamaged index",
            remedy=f"audiogmm features into another folder, or remove {self.folder} first; check the disk",
        )

    def _append(self, entry: Entry, length: int, checksum: int) -> tuple[int, int]:
        """Write a line where the last whole one ended; return the new length, and checksum of all."""
        path = self.folder / INDEX
        line = json.dumps(record_of(entry, ManifestFolder.of(path))).encode() + b"\n"
        with path.open("r+b" if path.exists() else "w+b") as index:
            index.truncate(length)
            index.seek(length)
            index.write(line)
            if not (self.folder / KEPT).exists():
                index.flush()
                os.fsync(index.fileno())
        return length + len(line), zlib.crc32(line, checksum)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction, for which other writers wait."""
        path = self.folder / DATABASE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            try:
                if (self.folder / KEPT).exists():  # see `growing`
                    connection.execute("PRAGMA synchronous = OFF")
                connection.execute("BEGIN IMMEDIATE")
                _refuse_foreign(connection)
                for statement in _TABLES.strip().split(";\n"):
                    connection.execute(statement)
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()  # rolls back what was not committed
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise unwritable(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from error
            raise OutputError(
                f"{path} cannot be used: {error}",
                needed="a folder that can be written, and an undamaged index",
                remedy=AGAIN,
            ) from error
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise unwritable(error.filename or self.folder / INDEX, error) from error


def _refuse_foreign(connection: sqlite3.Connection) -> None:
    """Refuse what is no plain table: views, triggers and the like would run what their file says."""
    connection.execute("PRAGMA trusted_schema = OFF")
    ours = {_words(statement) for statement in (*_TABLES.strip().split(";\n"), _LINES)}
    for name, statement in connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        if _words(str(statement)) not in ours:
            raise sqlite3.DatabaseError(f"{name!r} in it is no table of a frame cache")


def _words(statement: str) -> str:
    return " ".join(statement.replace(" IF NOT EXISTS", "").rstrip("; \n").split())


def _checked(value: object) -> str:
    """Return JSON text of a value and its checksum."""
    text = json.dumps(value, sort_keys=True)
    return f'[{text}, "{checksum_of(text.encode())}"]'


def _unchecked(text: str) -> Any:
    """Return the value that `_checked` was given, or None; an older version wrote an object alone."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    if isinstance(found, dict):
        return found
    return found[0] if isinstance(found, list) and found and _checked(found[0]) == text else None


def signature_of(path: str) -> str | None:
    """Return the size and time of change of a file, which change when it does; None if it is gone."""
    path = outer_path(path)
    if is_url(path):
        try:
            refuse_protocols(path, AudioFileError)
            system, inner = open_filesystem(path)
            return f"{system.info(inner).get('size')}:{system.ukey(inner)}"
        except Exception:  # noqa: BLE001 - each protocol has errors of its own
            return None
    try:
        stat = os.stat(path)  # noqa: PTH116 - a hot path: once a recording and pass
    except (OSError, ValueError):
        return None
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def _real_path(path: str) -> str:
    """Return one name for a file, however it was reached (the index has ``cache/../a.wav``)."""
    return path if is_url(path) else os.path.realpath(path)


def _content(path: str) -> str:
    """Return the BLAKE2b hash of a file's bytes, hexadecimal."""
    digest = hashlib.blake2b(digest_size=20)
    stream = open_source(path)
    try:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    finally:
        stream.close()
    return digest.hexdigest()
