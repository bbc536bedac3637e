"""What became of each input of a run: so that it can continue, and for those who want to know later."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from audiogmm.blocks import Identifiable
from audiogmm.errors import OutputError
from audiogmm.files import exclusive, replacing, settle, unwritable
from audiogmm.reduce import OnError, Reducer
from audiogmm.runs.aside import Aside, ErrorRow
from audiogmm.runs.growing_file import GrowingFile
from audiogmm.runs.journal_lines import JOURNAL, Finished, key_of, ledger_path, line_of, whole_lines
from audiogmm.runs.progress import say_nothing
from audiogmm.runs.recording_identity import Hashed, content_of_shard, signature_of_shard
from audiogmm.types import Json
from audiogmm.words import amount

SHOWN = 3
"""Changed files that are named."""

I = TypeVar("I", bound=Identifiable)  # noqa: E741
T = TypeVar("T")


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
    adds : bool
        The output is added to: rows of earlier runs stay, each until its input is noted again.
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
        self,
        output: Path,
        *,
        key: str,
        resume: bool = False,
        retry: bool = False,
        adds: bool = False,
        is_locked: bool = False,
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
        self._resume, self._retry, self._adds = resume or retry or adds, retry, adds
        self._aside: Aside | None = None
        self._say: Callable[[str], None] = say_nothing
        self._about: Json = {}
        self._tries: dict[tuple[str, str], int] = {}
        self._signatures: dict[str, str] = {}
        self._order: dict[str, int] = {}  # of a continued run: where the row of each input begins, or -1
        self._left: dict[tuple[str, str], int] = {}  # where the last row of each input set aside begins
        self._met: set[tuple[str, str]] = set()
        self._file = GrowingFile(self.path)
        self._lock = threading.RLock()

    @property
    def can_resume(self) -> bool:
        """Whether an earlier run of the same key left its journal, or with `retry` its ledger."""
        return key_of(self.path) == self.key or (self._retry and key_of(self.ledger) == self.key)

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
                if (self._retry or self._adds) and key_of(self.path) != self.key == key_of(self.ledger):
                    with replacing(self.path, force=True) as temporary:  # the ledger stays for now
                        shutil.copyfile(self.ledger, temporary)
            except OSError as error:
                raise unwritable(self.path, error) from error
            stack.enter_context(self._file)
            self._file.cut(self._take_over() if self._resume else 0)
            if not self._file.end:
                self._put({"key": self.key})
            if self._about:
                self._put(self._about)
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
                self._file.close()
                try:
                    self._keep()
                except OSError as failed:
                    raise unwritable(self.ledger, failed) from failed
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
        is_made: Callable[[Json], bool] = lambda _: True,
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

    def waiting(self, shards: Iterable[I], is_made: Callable[[Json], bool] = lambda _: True) -> Iterator[I]:
        """Yield those of the shards that are not finished yet.

        What an earlier run finished counts if the recording is still the same piece of the same file, and
        `is_made` says of its row that what came of it is still there. A file that has changed is named in
        a note.
        """
        n_changed = 0
        for shard in shards:
            signature, known = signature_of_shard(shard), self.finished.get(shard.id)
            if known is not None and is_made(self._row_at(known.at)):
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
                self._order[row["id"]] = self._file.end
            self._put({"signature": signature, "content": content, "row": row})

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
        for known in self.finished.values():
            yield self._row_at(known.at)

    def _row_at(self, place: int) -> Json:
        with self.path.open("rb") as file:
            file.seek(place)
            found: Json = json.loads(file.readline())["row"]
        return found

    def _set_aside(self, row: ErrorRow) -> None:
        self._signatures.pop(row.id, None)
        self._met.add(_key(row))
        tries = self._tries[_key(row)] = self._tries.get(_key(row), 0) + 1
        self._put({"aside": asdict(row), "tries": tries})

    def _put(self, row: Json) -> None:
        with self._lock:  # a stream sets its recordings aside in a thread of its own
            self._file.append(line_of(row))

    def _keep(self) -> None:
        """Make the journal the ledger of inputs; that of a continued run without rows that do not count."""
        if self._resume:
            with (
                replacing(self.ledger, force=True) as temporary,
                self.path.open("rb") as file,
                temporary.open("wb") as kept,
            ):
                kept.writelines(map(line_of, filter(None, ({"key": self.key}, self._about))))
                kept.writelines(self._lines(file))
                kept.writelines(self._still_aside(file))
                for row in () if self._aside is None else self._aside.rows:
                    kept.write(line_of({"aside": asdict(row), "tries": self._tries[_key(row)]}))
            self.path.unlink(missing_ok=True)
        else:
            settle(self.path)
            self.path.replace(self.ledger)

    def _still_aside(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the lines of what earlier runs set aside, where this one adds to them and has not met it."""
        for key, at in self._left.items() if self._adds else ():
            if key not in self._met and key[0] not in self._order:
                file.seek(at)
                yield file.readline()

    def _take_over(self) -> int:
        """Note what an earlier run finished; how many bytes of its journal are whole lines."""
        whole = 0
        for begin, end, row in whole_lines(self.path, self.key):
            match row:
                case {"row": {"id": str(id)}, "signature": str(signature)}:
                    self.finished[id] = Finished(begin, signature, str(row.get("content", "")))
                case {"aside": {"id": str(id), "path": str(path), "reason": str(reason)}, "tries": int(n)}:
                    self._tries[id or reason, path] = n
                    self._left[id or reason, path] = begin
                case {"key": _} | {"inputs": _}:
                    pass
                case _:
                    break
            whole = end
        if self._adds:
            self._order = {id: known.at for id, known in self.finished.items()}
        return whole


def keep_journal(output: Path) -> None:
    """Make the journal, if it is there, the ledger of a run that was cut off once its output was whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = output.with_name(output.name + JOURNAL)
    try:
        if path.exists():
            settle(path)
            path.replace(ledger_path(output))
    except OSError as error:
        raise unwritable(ledger_path(output), error) from error


def _key(row: ErrorRow) -> tuple[str, str]:
    return row.id or row.reason, row.path
