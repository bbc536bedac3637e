"""What became of each input of a run: so that it can continue, and for those who want to know later."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

from audiogmm.blocks import Identifiable
from audiogmm.checksum import KEY as CHECKSUM
from audiogmm.checksum import is_intact, sealed
from audiogmm.content_hash import hash_blocks
from audiogmm.documents import parse_document
from audiogmm.errors import OutputError
from audiogmm.escapes import ESCAPED
from audiogmm.files import exclusive, replacing, settle, unwritable
from audiogmm.manifest.entry import STANDARD_INPUT, is_url
from audiogmm.manifest.inside import outer_path
from audiogmm.reduce import OnError, Reducer
from audiogmm.runs.aside import Aside, ErrorRow
from audiogmm.runs.progress import say_nothing
from audiogmm.types import Json
from audiogmm.words import amount

JOURNAL, LEDGER = ".journal", ".inputs.jsonl"
"""The ends of its file's name: while the run goes on, and when it has ended."""

SHOWN = 3
"""Changed files that are named."""

I = TypeVar("I", bound=Identifiable)  # noqa: E741
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finished:
    """An input that an earlier run finished: where its row begins, and what its file was then."""

    at: int
    signature: str
    content: str


def identity(shard: I) -> I:
    """Return a shard as it is."""
    return shard


@dataclass(frozen=True)
class Hashed(Generic[I, T]):
    """A task that also returns the content hash of the recording's file, which it has just read."""

    task: Callable[[I], T]
    of: Callable[[I], Identifiable] = identity

    def __call__(self, shard: I) -> tuple[str, T, str]:
        found = self.task(shard)
        return shard.id, found, content_of_shard(self.of(shard))


class Journal:
    """A file beside the output that takes a row for each input: what came of it, or why it was set aside.

    When the run has ended, it is kept as the ledger of inputs, `<output>.inputs.jsonl`. Rows are on disk
    alone: a run over millions of recordings holds no more than their ids in memory, and those only when it
    continues an earlier run. While it is open, no other run can write the same output.

    Parameters
    ----------
    output : Path
        What the run writes; the journal is `<output>.journal`.
    key : str
        Says what the rows depend on (the model, the settings). A journal of another key is dropped.
    resume : bool
        Continue from the journal of a run that was stopped; otherwise that journal is dropped.
    retry : bool
        Continue from the ledger of a run that has ended: what was set aside is tried again.
    is_locked : bool
        The caller keeps the output to this run.

    Raises
    ------
    OutputError
        On entering, if another run writes the same output, the journal cannot be written, or there is nothing
        to try again.

    Examples
    --------
    >>> import tempfile
    >>> output = Path(tempfile.mkdtemp()) / "events.jsonl"
    >>> try:
    ...     with Journal(output, key="model 1") as journal:
    ...         journal.write({"id": "a", "events": 2})
    ...         raise KeyboardInterrupt
    ... except KeyboardInterrupt:
    ...     pass
    >>> with Journal(output, key="model 1", resume=True) as journal:
    ...     list(journal.finished)
    ['a']
    >>> journal.path.exists(), journal.ledger.exists()
    (False, True)
    """

    def __init__(
        self, output: Path, *, key: str, resume: bool = False, retry: bool = False, is_locked: bool = False
    ) -> None:
        self.path = output.with_name(output.name + JOURNAL)
        self.ledger = ledger_path(output)
        self.key = key
        self._output = output
        self.again = f"the same command and {'--retry' if retry else '--resume'}"
        self._is_locked = is_locked
        self._open = ExitStack()
        self.finished: dict[str, Finished] = {}
        self.n_finished = 0
        self._resume, self._retry = resume or retry, retry
        self._aside: Aside | None = None
        self._say: Callable[[str], None] = say_nothing
        self._about: Json = {}
        self._tries: dict[tuple[str, str], int] = {}
        self._signatures: dict[str, str] = {}
        self._order: dict[str, int] = {}  # of a continued run: where the row of each input begins, or -1
        self._end = 0
        self._lock = threading.RLock()

    @property
    def can_resume(self) -> bool:
        """Whether an earlier run of the same key left its journal, or with `retry` its ledger."""
        return _key_of(self.path) == self.key or (self._retry and _key_of(self.ledger) == self.key)

    def check(self) -> None:
        """Refuse to try again what no run of the same key has set aside: before its list is removed.

        Raises
        ------
        OutputError
            If there is no ledger, or it is of another model or other settings.
        """
        if self._retry and not self.can_resume:
            found = "belongs to another model or other settings" if self.ledger.exists() else "does not exist"
            raise OutputError(
                f"{self.ledger}, the ledger of inputs, {found}",
                needed="that of a run by the same model with the same settings",
                remedy="the command as it was, with --retry; or --force in place of --retry",
            )

    def attach(
        self, aside: Aside, say: Callable[[str], None], inputs: int | None = None, source: str | None = None
    ) -> Self:
        """Note what a run sets aside, too, and how many inputs there are, and the list that names them."""
        self._aside, self._say = aside, say
        self._about = {"inputs": inputs, "source": source}
        return self

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if not self._is_locked:
                stack.enter_context(exclusive(self._output))
            self.check()
            try:
                if self._retry and _key_of(self.path) != self.key:
                    self.ledger.replace(self.path)
                # without a buffer, whose rest a full disk would refuse again on closing
                self._file = stack.enter_context(self.path.open("a+b", buffering=0))
                self._end = self._take_over() if self._resume else 0
                self._file.truncate(self._end)  # what is put goes to the end
                if not self._end:
                    self._put({"key": self.key})
                if self._about:
                    self._put(self._about)
            except OSError as error:
                raise unwritable(self.path, error) from error
            self.n_finished = len(self.finished)
            if self._aside is not None:
                stack.enter_context(self._aside.telling(self._set_aside))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            if kind is None:
                self._keep()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            done = f"{amount(self.n_finished, 'recording')} {'is' if self.n_finished == 1 else 'are'}"
            raise KeyboardInterrupt(f"{done} done and kept; continue with {self.again}") from error

    def map(
        self,
        reducer: Reducer,
        shards: Iterable[I],
        task: Callable[[I], T],
        on_error: OnError | None = None,
        *,
        is_made: Callable[[str], bool] = lambda _: True,
        row: Callable[[T], Json] = lambda found: found,  # type: ignore[assignment, return-value]
    ) -> Iterator[T]:
        """Apply a task to the shards that are not finished yet, and note what it returns of each.

        Parameters
        ----------
        reducer : Reducer
        shards, on_error
            As for its `map`.
        task : callable
            Shard to result.
        is_made : callable
            See `waiting`.
        row : callable
            Makes the row of a result; by default it is one.
        """
        hashed: Hashed[I, T] = Hashed(task)
        for _, found, content in reducer.map(self.waiting(shards, is_made), hashed, on_error):
            self.write(row(found), content)
            yield found

    def waiting(self, shards: Iterable[I], is_made: Callable[[str], bool] = lambda _: True) -> Iterator[I]:
        """Yield those of the shards that are not finished yet.

        What an earlier run finished counts if the recording is still the same piece of the same file, and
        `is_made` says that what came of it is still there. A file that has changed is named in a note.
        """
        n_changed = 0
        for shard in shards:
            signature, known = signature_of_shard(shard), self.finished.get(shard.id)
            if known is not None and is_made(shard.id):
                if known.signature == signature and known.content in ("", content_of_shard(shard)):
                    self._order[shard.id] = known.at
                    continue
                if known.signature and (n_changed := n_changed + 1) <= SHOWN:
                    path = getattr(getattr(shard, "entry", None), "path", shard.id)
                    self._say(f"{path} has changed since it was read, and is done again")
            if self._resume:
                self._order[shard.id] = -1
            self._signatures[shard.id] = signature
            yield shard
        if n_changed > SHOWN:
            self._say(f"{amount(n_changed - SHOWN, 'other file has', 'other files have')} changed, too")

    def write(self, row: Json, content: str = "", signature: str = "") -> None:
        """Note that the recording `row["id"]` is finished, its content hash, and that `row` came of it."""
        self.n_finished += 1
        signature = self._signatures.pop(row["id"], signature)
        if row.get("set_aside"):  # of a stream: it is done again, with what was set aside of it
            signature = ""
        with self._lock:
            if self._resume:
                self._order[row["id"]] = self._end
            self._note({"signature": signature, "content": content, "row": row})

    def rows(self) -> Iterator[Json]:
        """Yield the rows of the recordings that `waiting` was given, in their order."""
        with self.path.open("rb") as file:
            for line in self._lines(file):
                yield json.loads(line)["row"]

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        if self._resume:
            for at in self._order.values():
                if at >= 0:
                    file.seek(at)
                    yield file.readline()
        else:
            yield from (line for line in file if "row" in json.loads(line))

    def earlier(self) -> Iterator[Json]:
        """Yield the rows that the earlier run left."""
        with self.path.open("rb") as file:
            for known in self.finished.values():
                file.seek(known.at)
                yield json.loads(file.readline())["row"]

    def _set_aside(self, row: ErrorRow) -> None:
        self._signatures.pop(row.id, None)
        tries = self._tries[_key(row)] = self._tries.get(_key(row), 0) + 1
        self._note({"aside": asdict(row), "tries": tries})

    def _note(self, row: Json) -> None:
        try:
            self._put(row)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _put(self, row: Json) -> None:
        line = memoryview(_line(row))
        with self._lock:  # a stream sets its recordings aside in a thread of its own
            self._end += len(line)
            while line:
                line = line[self._file.write(line) :]

    def _keep(self) -> None:
        """Make the journal the ledger of inputs; that of a continued run without rows that do not count."""
        if self._resume:
            with (
                replacing(self.ledger, force=True) as temporary,
                self.path.open("rb") as file,
                temporary.open("wb") as kept,
            ):
                kept.writelines(map(_line, filter(None, ({"key": self.key}, self._about))))
                kept.writelines(self._lines(file))
                for row in () if self._aside is None else self._aside.rows:
                    kept.write(_line({"aside": asdict(row), "tries": self._tries[_key(row)]}))
            self.path.unlink(missing_ok=True)
        else:
            settle(self.path)
            self.path.replace(self.ledger)

    def _take_over(self) -> int:
        """Note what an earlier run finished; how many bytes of its journal are whole lines."""
        whole, has_checksums = 0, False
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                try:
                    row = parse_document(line)
                except (ValueError, RecursionError):
                    break  # what comes behind a line that is none of ours is done again
                if not line.endswith(b"\n"):  # the next row would be written behind it
                    break
                has_checksums = has_checksums or CHECKSUM in row  # a journal of an older version has none
                if has_checksums and not is_intact(row):
                    break
                if number == 0 and row.get("key") != self.key:
                    return 0
                match row:
                    case {"row": {"id": str(id)}, "signature": str(signature)}:
                        self.finished[id] = Finished(whole, signature, str(row.get("content", "")))
                    case {
                        "aside": {"id": str(id), "path": str(path), "reason": str(reason)},
                        "tries": int(n),
                    }:
                        self._tries[id or reason, path] = n
                    case {"key": _} | {"inputs": _}:
                        pass
                    case _:
                        break
                whole += len(line)
        return whole


def find_damage(path: Path) -> int | None:
    """Return the number of the first line of a journal that does not have its checksum; None if all have."""
    has_checksums = False
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                has_checksums = has_checksums or CHECKSUM in row
                if has_checksums and not is_intact(row):
                    return number
            except (ValueError, TypeError, AttributeError, RecursionError):
                return number
    return None


def signature_of_shard(shard: Identifiable) -> str:
    """Return what changes when a recording does: its file, size and time of change, and the piece of it."""
    from audiogmm.audio.frame_cache.index import signature_of

    if (pieces := getattr(shard, "pieces", None)) is not None:  # a stream
        text = "".join(map(signature_of_shard, pieces))
        return hashlib.sha256(text.encode(errors=ESCAPED)).hexdigest()
    entry = getattr(shard, "entry", None)
    if entry is None:
        return ""
    piece = [entry.path, entry.offset, entry.duration, entry.channel, signature_of(entry.path)]
    return json.dumps(piece)


def content_of_shard(shard: Identifiable) -> str:
    """Return the content hash of a recording's file, see `hash_blocks`; "" where there is no local one."""
    if (pieces := getattr(shard, "pieces", None)) is not None:  # a stream, perhaps of one file
        files = {piece.entry.path: piece for piece in pieces}
        return hashlib.sha256("".join(map(content_of_shard, files.values())).encode()).hexdigest()
    entry = getattr(shard, "entry", None)
    path = STANDARD_INPUT if entry is None else outer_path(entry.path)
    if path == STANDARD_INPUT or is_url(path):
        return ""
    return hash_blocks(path) or ""


def ledger_path(output: Path) -> Path:
    """Return where the ledger of inputs of the run that wrote `output` is.

    Examples
    --------
    >>> ledger_path(Path("models/ubm.agmm")).name, ledger_path(Path("scores")).name
    ('ubm.agmm.inputs.jsonl', 'scores.inputs.jsonl')
    """
    return output.with_name(output.name + LEDGER)


def _key(row: ErrorRow) -> tuple[str, str]:
    return row.id or row.reason, row.path


def _line(row: Json) -> bytes:
    return json.dumps(sealed(row), ensure_ascii=False).encode(errors=ESCAPED) + b"\n"


def _key_of(path: Path) -> str | None:
    """Return the key in the first line of a journal or ledger; None where there is none."""
    try:
        with path.open("rb") as file:
            key = parse_document(file.readline()).get("key")
    except (OSError, ValueError, RecursionError):
        return None
    return key if isinstance(key, str) else None
