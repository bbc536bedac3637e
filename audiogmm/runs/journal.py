"""What a run has finished, recording by recording, so that it can continue after it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from audiogmm.blocks import Identifiable
from audiogmm.checksum import KEY as CHECKSUM
from audiogmm.checksum import is_intact, sealed
from audiogmm.documents import parse_document
from audiogmm.escapes import ESCAPED
from audiogmm.files import exclusive, unwritable
from audiogmm.types import Json
from audiogmm.words import amount

JOURNAL = ".journal"
"""The end of its file's name."""

I = TypeVar("I", bound=Identifiable)  # noqa: E741


class Journal:
    """A file beside the output that takes a row for each finished recording; removed when the run is done.

    Rows are on disk alone: a run over millions of recordings holds no more than their ids in memory, and
    those only when it continues an earlier run. While it is open, no other run can write the same output.

    Parameters
    ----------
    output : Path
        What the run writes; the journal is `<output>.journal`.
    key : str
        Says what the rows depend on (the model, the settings). A journal of another key is dropped.
    resume : bool
        Continue from the journal of a run that was stopped; otherwise that journal is dropped.

    Raises
    ------
    OutputError
        On entering, if another run writes the same output, or the journal cannot be written.

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
    >>> journal.path.exists()
    False
    """

    def __init__(self, output: Path, *, key: str, resume: bool = False) -> None:
        self.path = output.with_name(output.name + JOURNAL)
        self.key = key
        self._output = output
        self._open = ExitStack()
        self.finished: dict[str, str] = {}
        self._taken: set[str] = set()
        self._signatures: dict[str, str] = {}
        self.n_finished = 0
        self._resume = resume

    @property
    def can_resume(self) -> bool:
        """Whether an earlier run of the same key left its journal."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            try:
                return bool(parse_document(file.readline()).get("key") == self.key)
            except (ValueError, RecursionError):
                return False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(exclusive(self._output))
            try:
                # without a buffer, whose rest a full disk would refuse again on closing
                self._file = stack.enter_context(self.path.open("a+b", buffering=0))
                self._whole = self._take_over() if self._resume else 0
                self._file.truncate(self._whole)  # what is put goes to the end
                if not self._whole:
                    self._put({"key": self.key})
            except OSError as error:
                raise unwritable(self.path, error) from error
            self.n_finished = len(self.finished)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            if kind is None:
                self.path.unlink(missing_ok=True)
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            done = f"{amount(self.n_finished, 'recording')} {'is' if self.n_finished == 1 else 'are'}"
            raise KeyboardInterrupt(
                f"{done} done and kept; continue with the same command and --resume"
            ) from error

    def waiting(self, shards: Iterable[I], is_made: Callable[[str], bool] = lambda _: True) -> Iterator[I]:
        """Yield those of the shards that are not finished yet.

        What an earlier run finished counts if the recording is still the same piece of the same file, and
        `is_made` says that what came of it is still there.
        """
        for shard in shards:
            signature = signature_of_shard(shard)
            if self.finished.get(shard.id) == signature and is_made(shard.id):
                self._taken.add(shard.id)
            else:
                self._signatures[shard.id] = signature
                yield shard

    def write(self, row: Json) -> None:
        """Note that the recording `row["id"]` is finished, and that `row` is what came of it."""
        self.n_finished += 1
        try:
            self._put({"signature": self._signatures.pop(row["id"], ""), "row": row})
        except OSError as error:
            raise unwritable(self.path, error) from error

    def rows(self) -> Iterator[Json]:
        """Yield the rows of the recordings that `waiting` was given, those of the earlier run first."""
        with self.path.open("rb") as file:
            at = len(next(file))
            for line in file:
                row = json.loads(line)["row"]
                if at >= self._whole or row["id"] in self._taken:
                    yield row
                at += len(line)

    def earlier(self) -> Iterator[Json]:
        """Yield the rows that the earlier run left."""
        with self.path.open("rb") as file:
            at = len(next(file))
            for line in file:
                if at >= self._whole:
                    return
                at += len(line)
                yield json.loads(line)["row"]

    def _put(self, row: Json) -> None:
        line = memoryview(json.dumps(sealed(row), ensure_ascii=False).encode(errors=ESCAPED) + b"\n")
        while line:
            line = line[self._file.write(line) :]

    def _take_over(self) -> int:
        """Note what an earlier run finished; how many bytes of its journal are whole lines."""
        if not self.path.exists():
            return 0
        whole, has_checksums = 0, False
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                try:
                    row = parse_document(line)
                    if number:
                        id, signature = row["row"]["id"], str(row["signature"])
                        if not isinstance(id, str):
                            break
                except (ValueError, KeyError, TypeError, RecursionError):
                    break  # what comes behind a line that is none of ours is done again
                if not line.endswith(b"\n"):  # the next row would be written behind it
                    break
                has_checksums = has_checksums or CHECKSUM in row  # a journal of an older version has none
                if has_checksums and not is_intact(row):
                    break
                if number == 0 and row.get("key") != self.key:
                    return 0
                if number:
                    self.finished[id] = signature
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

    entry = getattr(shard, "entry", None)
    if entry is None:
        return ""
    piece = [entry.path, entry.offset, entry.duration, entry.channel, signature_of(entry.path)]
    return json.dumps(piece)
