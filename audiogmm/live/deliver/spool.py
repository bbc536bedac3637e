"""Rows that wait to be delivered: in memory, and in a log on disk that outlives the process.

The log has a line for each row that came (`put`) and for each that is out (`done`), each with its checksum.
It is written before a row is sent, and synced by a thread of its own. When most of it is done, it is replaced
by what waits, and the ids of the rows that are out, so that none of them is sent again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from audiogmm.audio.decoders.notices import Warn
from audiogmm.checksum import is_intact, sealed
from audiogmm.documents import parse_document
from audiogmm.errors import OutputError
from audiogmm.escapes import json_line
from audiogmm.files import exclusive, refuse_folder, replacing, unwritable
from audiogmm.types import Json
from audiogmm.words import amount

MOST_BYTES = 16 << 20
"""Bytes of rows that may wait: a row too many is refused, and counted."""

KNOWN = 50_000
"""Ids of rows that are out that are kept."""

SMALL = 1 << 16
"""Bytes of a log that is not worth replacing."""


@dataclass(eq=False)
class Parcel:
    """A row that waits, as it is in the log, and whether it is there and whether it is being sent."""

    id: str
    row: Json
    line: bytes
    is_stored: bool = False
    is_taken: bool = False
    failures: int = 0


class EventSpool:
    """Keep rows in their order until they are delivered.

    Parameters
    ----------
    path : Path
        The log; what an earlier run left there waits again.
    say : callable
        Takes notes for the user.
    most_bytes : int
        Of rows that may wait.

    Attributes
    ----------
    lost : int
        Rows that were refused, because too many wait.

    Raises
    ------
    OutputError
        If another run uses the log, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spool.jsonl"
    >>> with EventSpool(path, print) as spool:
    ...     spool.put("a", {"number": 0}), spool.put("b", {"number": 1}), spool.put("a", {"number": 0})
    ...     spool.done(spool.take())
    (True, True, False)
    >>> with EventSpool(path, print) as spool:
    ...     spool.put("a", {"number": 0}), len(spool), spool.take().row
    (False, 1, {'number': 1})
    """

    def __init__(self, path: Path, say: Warn, most_bytes: int = MOST_BYTES) -> None:
        refuse_folder(path)
        self.path = path
        self.lost = 0
        self._say = say
        self._most_bytes = most_bytes
        self._waiting: dict[str, Parcel] = {}
        self._bytes = self._size = 0
        self._known: dict[str, None] = {}
        self._changed = threading.Condition()
        self._is_ending = self._is_dirty = self._has_complained = False
        self._resources = ExitStack()
        with ExitStack() as stack:
            stack.enter_context(exclusive(path))
            self._read()
            self._file = self._rewrite()
            stack.callback(self._close_file)
            self._resources = stack.pop_all()
        self._syncer = threading.Thread(target=self._sync, name="audiogmm-spool", daemon=True)
        self._syncer.start()

    def __enter__(self) -> EventSpool:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def unstored(self) -> int:
        """Rows that wait in memory alone, because the disk does not take them."""
        return sum(not parcel.is_stored for parcel in self._waiting.values())

    def put(self, id: str, row: Json) -> bool:
        """Add a row; return whether it is new and there is room for it. Does not wait for the disk."""
        with self._changed:
            if id in self._waiting or id in self._known:
                return False
            line = _line({"put": id, "row": row})
            if self._bytes + len(line) > self._most_bytes:
                self.lost += 1
                if self.lost == 1:
                    self._say(
                        f"{self.path}: {amount(len(self), 'event')} wait, which is all there is room for; "
                        "events that come now are not delivered"
                    )
                return False
            self._waiting[id] = Parcel(id, row, line)
            self._bytes += len(line)
            self._store()
            self._changed.notify_all()
            return True

    def take(self) -> Parcel | None:
        """Return the first row that nobody sends, once there is one; None at the end."""
        with self._changed:
            while True:
                for parcel in self._waiting.values():
                    if not parcel.is_taken:
                        parcel.is_taken = True
                        return parcel
                if self._is_ending:
                    return None
                self._changed.wait()

    def give_back(self, parcel: Parcel | None) -> None:
        """Let a row wait again, in its place."""
        if parcel is not None:
            parcel.is_taken = False

    def done(self, parcel: Parcel | None) -> None:
        """Mark a row as delivered."""
        with self._changed:
            if parcel is None or self._waiting.pop(parcel.id, None) is None or self._file < 0:
                return
            self._bytes -= len(parcel.line)
            self._know([parcel.id])
            self._append(_line({"done": [parcel.id]}))
            self._store()
            if self._size > SMALL + 2 * self._bytes + 64 * len(self._known):
                with suppress(OutputError):  # the log is longer than it need be, and right
                    self._close_file(self._rewrite())
            self._changed.notify_all()

    def set_aside(self, parcel: Parcel, reason: str) -> None:
        """Move a row that the receiver refuses to a file beside the log."""
        aside = self.path.with_suffix(".refused.jsonl")
        try:
            with aside.open("ab") as file:
                file.write(json_line({"reason": reason, "row": parcel.row}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:  # it stays in the log, for the next run
            self._complain(unwritable(aside, error))
            return
        self.done(parcel)

    def end(self) -> None:
        """Let `take` return None once all rows are taken."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()

    def close(self) -> None:
        """Close the log; what waits is in it."""
        self.end()
        self._syncer.join()
        with self._changed:
            self._store()
            if self._waiting and self.unstored:
                self._say(f"{self.path}: {amount(self.unstored, 'event')} are lost: they could not be kept")
            self._resources.close()

    def _know(self, ids: Iterable[str]) -> None:
        self._known.update(dict.fromkeys(ids))
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def _store(self) -> None:
        """Write the rows that are not in the log yet, in their order."""
        for parcel in self._waiting.values():
            if not parcel.is_stored:
                parcel.is_stored = self._append(parcel.line)
                if not parcel.is_stored:
                    return

    def _append(self, line: bytes) -> bool:
        """Add a whole line to the log, or nothing; return whether it is there."""
        if self._file < 0:
            return False
        try:
            n_written = os.write(self._file, line)
            if n_written < len(line):
                os.write(self._file, line[n_written:])  # says what is wrong
                self._size += len(line)
                return self._stored()
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            self._complain(unwritable(self.path, error))
            return False
        self._size += len(line)
        return self._stored()

    def _stored(self) -> bool:
        self._is_dirty, self._has_complained = True, False
        return True

    def _complain(self, error: OutputError) -> None:
        if not self._has_complained:
            self._has_complained = True
            self._say(f"{error}; until then, events wait in memory alone")

    def _sync(self) -> None:
        """Have on the disk what was written."""
        while True:
            with self._changed:
                while not self._is_dirty and not self._is_ending:
                    self._changed.wait()
                if not self._is_dirty:
                    return
                self._is_dirty = False
                file = os.dup(self._file)
            try:
                os.fsync(file)
            except OSError as error:
                self._complain(unwritable(self.path, error))
            finally:
                os.close(file)

    def _read(self) -> None:
        """Take what an earlier run left."""
        damaged: list[bytes] = []
        with suppress(FileNotFoundError):
            for line in _lines_of(self.path):
                document = _document(line)
                if document is None:
                    damaged.append(line)
                elif "put" in document:
                    id = str(document["put"])
                    self._waiting[id] = Parcel(id, document["row"], line)
                else:
                    ids = [str(id) for id in document["done"]]
                    self._know(ids)
                    for id in ids:
                        self._waiting.pop(id, None)
        self._bytes = sum(len(parcel.line) for parcel in self._waiting.values())
        if damaged:
            aside = self.path.with_suffix(".damaged")
            with replacing(aside, force=True) as temporary:
                temporary.write_bytes(b"".join(damaged))
            self._say(
                f"{self.path} is damaged: {amount(len(damaged), 'line')} cannot be read and "
                f"may be of events that were not delivered; they are in {aside}"
            )

    def _rewrite(self) -> int:
        """Replace the log by what it has to say; return its descriptor."""
        content = _line({"done": list(self._known)}) if self._known else b""
        content += b"".join(parcel.line for parcel in self._waiting.values())
        with replacing(self.path, force=True) as temporary:
            temporary.write_bytes(content)
        for parcel in self._waiting.values():
            parcel.is_stored = True
        self._size = len(content)
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))

    def _close_file(self, next: int = -1) -> None:
        """Close the log, and go on with another one."""
        with suppress(OSError):
            os.close(self._file)
        self._file = next


def _line(document: Json) -> bytes:
    return json_line(sealed(document)).encode("utf-8", "backslashreplace") + b"\n"


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _document(line: bytes) -> Json | None:
    """Return what a line says; None if it is damaged."""
    try:
        document = parse_document(line)
    except ValueError:
        return None
    is_whole = line.endswith(b"\n") and is_intact(document)
    return document if is_whole and ("put" in document or "done" in document) else None
