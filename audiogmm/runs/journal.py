"""What a batch has finished, recording by recording, so that a run that was stopped can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from audiogmm.blocks import Shard
from audiogmm.errors import OutputError
from audiogmm.types import Json

I = TypeVar("I", bound=Shard)  # noqa: E741


class Journal:
    """A file beside the output that takes a row for each finished recording; removed when the job is done.

    Rows are on disk alone: a batch of millions of recordings holds no more than their ids in memory, and
    those only when it goes on from an earlier run.

    Parameters
    ----------
    output : Path
        The job's output; the journal is `<output>.journal`.
    key : str
        Says what the rows depend on (the model, the settings). A journal of another key is dropped.
    resume : bool
        Go on from the journal of a run that was stopped; otherwise that journal is dropped.

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
        self.path = output.with_name(output.name + ".journal")
        self.key = key
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
                return bool(json.loads(file.readline()).get("key") == self.key)
            except ValueError:
                return False

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
            self._lock()
            self._whole = self._take_over() if self._resume else 0
            self._file.truncate(self._whole)  # what is put goes to the end
            if not self._whole:
                self._put({"key": self.key})
            self.n_finished = len(self.finished)
        except OutputError:
            raise
        except OSError as error:
            raise self._refusal(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None:
            self.path.unlink(missing_ok=True)
        elif issubclass(kind, KeyboardInterrupt):
            raise KeyboardInterrupt(
                f"{self.n_finished} recordings are done and kept; go on with the same command and --resume"
            ) from error

    def waiting(self, shards: Iterable[I], made: Callable[[str], bool] = lambda _: True) -> Iterator[I]:
        """Those of the shards that are not finished yet.

        What an earlier run finished counts if the recording is still the same piece of the same file, and
        `made` says that what came of it is still there.
        """
        for shard in shards:
            signature = signature_of_shard(shard)
            if self.finished.get(shard.id) == signature and made(shard.id):
                self._taken.add(shard.id)
            else:
                self._signatures[shard.id] = signature
                yield shard

    def write(self, row: Json) -> None:
        """The recording `row["id"]` is finished, and `row` is what came of it."""
        self.n_finished += 1
        try:
            self._put({"signature": self._signatures.pop(row["id"], ""), "row": row})
        except OSError as error:
            raise self._refusal(error) from error

    def rows(self) -> Iterator[Json]:
        """The rows of the recordings that `waiting` was given, those of the earlier run first."""
        with self.path.open("rb") as file:
            at = len(next(file))
            for line in file:
                row = json.loads(line)["row"]
                if at >= self._whole or row["id"] in self._taken:
                    yield row
                at += len(line)

    def earlier(self) -> Iterator[Json]:
        """The rows that the earlier run left."""
        with self.path.open("rb") as file:
            at = len(next(file))
            for line in file:
                if at >= self._whole:
                    return
                at += len(line)
                yield json.loads(line)["row"]

    def _lock(self) -> None:
        """Keep the journal to this run until its file is closed.

        Raises
        ------
        OutputError
            If another run has it.
        """
        try:
            import fcntl
        except ImportError:  # no such locks on this system
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise OutputError(
                f"another run is writing {self.path.with_suffix('')}",
                needed="an output of one's own",
                remedy="wait for that run, or name another output",
            ) from error

    def _put(self, row: Json) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def _take_over(self) -> int:
        """Note what an earlier run finished; how many bytes of its journal are whole lines."""
        if not self.path.exists():
            return 0
        whole = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                try:
                    row = json.loads(line)
                except ValueError:
                    break
                if number == 0 and row.get("key") != self.key:
                    return 0
                if number:
                    self.finished[row["row"]["id"]] = row["signature"]
                whole += len(line)
        return whole

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(
            f"{os.fspath(self.path)} cannot be written: {error.strerror}",
            needed="a place beside the output that takes a row for each recording",
            remedy="free some space, or another folder",
        )


def signature_of_shard(shard: Shard) -> str:
    """What changes when a recording does: its file, size and time of change, and the piece of it."""
    from audiogmm.audio.frame_cache.index import signature_of

    entry = getattr(shard, "entry", None)
    if entry is None:
        return ""
    piece = [entry.path, entry.offset, entry.duration, entry.channel, signature_of(entry.path)]
    return json.dumps(piece)
