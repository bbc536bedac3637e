"""Results of recordings, kept while a run goes on, so that the same run, started again, only reads them."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from audiogmm.blocks import Identifiable
from audiogmm.errors import ModelFileError, OutputError
from audiogmm.files import unwritable
from audiogmm.mixture import container
from audiogmm.reduce import LocalReducer, OnError
from audiogmm.runs.growing_file import GrowingFile
from audiogmm.runs.journal import Journal
from audiogmm.runs.recording_identity import Hashed, content_of_shard, signature_of_shard
from audiogmm.types import Json

LARGEST = 8 << 30
"""Bytes of kept results, at most; those of later recordings are computed again."""

_LENGTH = 8  # bytes of the number, in front of each result, that says how long it is

I = TypeVar("I", bound=Identifiable)  # noqa: E741
T = TypeVar("T")


Kinds = Mapping[Any, Sequence[type]]
"""Tasks, and the data classes of what they return."""


@dataclass(frozen=True)
class Kept:
    """The file of kept results.

    Attributes
    ----------
    path : Path
        It is removed by the caller, who has its output locked, when the run has ended.
    key : str
        What results depend on besides the recordings.
    drops : bool
        Drop a file with another key, in place of refusing to go on.
    """

    path: Path
    key: str
    drops: bool = False


class KeptReducer(LocalReducer):
    """A reducer that keeps what a task returns of each recording in a file, and reads it there the next time.

    What is kept counts for the same stage of the run, after stages over the same recordings, and for a
    recording with the same path, piece, size, time of change and content. What cannot be written as arrays
    and JSON is computed again.

    Parameters
    ----------
    threads, workers
        As for `LocalReducer`.
    kept : Kept
        The file, and what results depend on besides the recordings.
    kinds : mapping of function or type to sequence of type
        The tasks whose results are kept, by the function or the class, and the data classes that these are
        made of: no others are made from the file.
    journal : Journal, optional
        Open; gets a row of each recording.

    Raises
    ------
    OutputError
        On entering, if the file is of a run with another key, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "kept"
    >>> class Named(str):
    ...     id = property(str)
    >>> def length(name):
    ...     print("reading", name)
    ...     return len(name)
    >>> for names in (["one"], ["one", "three"]):
    ...     with KeptReducer(1, 0, Kept(path, "a model"), {length: ()}) as reducer:
    ...         list(reducer.map(map(Named, names), length))
    reading one
    [3]
    reading three
    [3, 5]
    """

    def __init__(
        self,
        threads: int | None,
        workers: int,
        kept: Kept,
        kinds: Kinds,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(threads, workers)
        self.path, self.key = kept.path, kept.key
        self._kept, self._kinds = kept, kinds
        self._classes = {each.__name__: each for classes in kinds.values() for each in classes}
        self._journal = journal
        self._places: dict[str, int] = {}
        self._noted: set[str] = set()
        self._chain = hashlib.sha256()
        self._files = ExitStack()

    def __enter__(self) -> Self:
        if not self._users:
            with ExitStack() as stack:
                self._file = stack.enter_context(GrowingFile(self.path))
                try:
                    self._file.cut(self._take_over())
                except OSError as error:
                    raise unwritable(self.path, error) from error
                self._is_empty = not self._places
                if not self._file.end:
                    self._append(container.pack({}, {"key": self.key}))
                self._files = stack.pop_all()
        return super().__enter__()

    def __exit__(self, *failure: object) -> None:
        super().__exit__(*failure)
        if not self._users:
            self._files.__exit__(*failure)  # type: ignore[arg-type]
            if self._is_empty:
                self.path.unlink(missing_ok=True)

    def map(
        self, shards: Iterable[I], function: Callable[[I], T], on_error: OnError | None = None
    ) -> Iterator[T]:
        """Apply `function` to the shards whose results are not kept; see `LocalReducer.map`."""
        task = _kind(function)
        keeps, stage = task in self._kinds, f"{task.__qualname__} {self._chain.hexdigest()}"
        order: deque[tuple[str, str, int | None]] = deque()  # id, name, and place where it is kept

        def missing() -> Iterator[I]:
            for shard in shards:
                name = _name(stage, shard)
                place = self._places.get(name)
                if place is not None and not self._is_of(place, content_of_shard(_recording(shard))):
                    place = None
                order.append((shard.id, name, place))
                if place is None:
                    yield shard

        def kept(until: str | None = None) -> Iterator[T]:
            while order:
                id, name, place = order.popleft()
                if place is not None:
                    document, found = self._read(place)
                    self._note(id, document["content"], name, found)
                    yield found
                elif id == until:
                    self._name = name
                    return

        with self:
            for id, found, content in super().map(missing(), Hashed(function, _recording), on_error):
                yield from kept(until=id)
                if keeps:
                    self._keep(self._name, content, found)
                self._note(id, content, self._name, found)
                yield found
            yield from kept()

    def _note(self, id: str, content: str, name: str, found: Any) -> None:
        """Add a recording to what later stages depend on, and to the journal."""
        self._chain.update(f"{name} {content}\n".encode(errors="surrogateescape"))
        if self._journal is not None and id not in self._noted:
            self._noted.add(id)
            self._journal.write({"id": id}, content, json.loads(name)[2])

    def _keep(self, name: str, content: str, found: Any) -> None:
        arrays: dict[str, np.ndarray] = {}
        try:
            value = _encode(found, arrays, self._classes)
            packed = container.pack(arrays, {"name": name, "content": content, "value": value})
        except (TypeError, ValueError, KeyError):  # a result of another kind
            return
        if self._file.end + len(packed) < LARGEST:
            self._append(packed)
            self._is_empty = False

    def _append(self, packed: bytes) -> None:
        self._file.append(len(packed).to_bytes(_LENGTH, "little") + packed)

    def _is_of(self, place: int, content: str) -> bool:
        found = self._read(place)[0]["content"]
        return isinstance(found, str) and found in ("", content)

    def _read(self, place: int) -> tuple[Json, Any]:
        document, arrays = container.unpack(self.path, self._packed(place))
        return document, _decode(document.get("value"), arrays, self._classes)

    def _packed(self, place: int) -> bytes:
        """Return the bytes of what is kept at a place; fewer where it was cut off."""
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(place)
            length = int.from_bytes(file.read(_LENGTH), "little")
            return file.read(min(length, size - place))

    def _take_over(self) -> int:
        """Find what an earlier run kept; how many bytes of it are whole."""
        size, place = self.path.stat().st_size, 0
        while place < size:
            packed = self._packed(place)
            try:
                document, arrays = container.unpack(self.path, packed)
                if place:
                    _decode(document["value"], arrays, self._classes)
                    self._places[str(document["name"])] = place
                    str(document["content"])
            except (ModelFileError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                break  # torn, or none of ours: what comes behind is computed again
            if not place and document.get("key") != self.key:
                if self._kept.drops:
                    return 0
                raise OutputError(
                    f"{self.path} is of a run with another model or other settings, or one that had ended",
                    needed="the same command as before",
                    remedy=f"without --resume, to start again; or, if the output is whole, rm {self.path}*",
                )
            place += _LENGTH + len(packed)
        return place


def _recording(shard: Any) -> Any:
    """Return the recording that a shard is of, or is a part of."""
    while not hasattr(shard, "entry") and (inner := getattr(shard, "shard", None)) is not None:
        shard = inner
    return shard


def _kind(function: Callable[..., Any]) -> Any:
    """Return the function or the class of a task."""
    function = getattr(function, "func", function)
    return function if hasattr(function, "__qualname__") else type(function)


def _name(stage: str, shard: Any) -> str:
    """Return what a result is kept under."""
    part = [getattr(shard, "start", None), getattr(shard, "stop", None), getattr(shard, "mark", None)]
    part.append(getattr(getattr(shard, "model", None), "fingerprint", None))
    return json.dumps([stage, shard.id, signature_of_shard(_recording(shard)), *part])


def _encode(value: Any, arrays: dict[str, np.ndarray], classes: dict[str, type]) -> Any:
    """Return a value as JSON, with its arrays by name."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.ndarray():
            if value.dtype not in container.DTYPES:
                raise TypeError(value.dtype)
            arrays[name := f"{len(arrays)}"] = value
            return {"array": name}
        case tuple() if type(value) is tuple:
            return {"tuple": [_encode(each, arrays, classes) for each in value]}
        case list():
            return {"list": [_encode(each, arrays, classes) for each in value]}
    if not is_dataclass(value) or classes.get(type(value).__name__) is not type(value):
        raise TypeError(type(value).__name__)
    parts = {each.name: _encode(getattr(value, each.name), arrays, classes) for each in fields(value)}
    return {"class": type(value).__name__, "fields": parts}


def _decode(value: Any, arrays: dict[str, np.ndarray], classes: dict[str, type]) -> Any:
    """Return the value that `_encode` made this of."""
    match value:
        case {"array": name}:
            return arrays[name]
        case {"tuple": parts}:
            return tuple(_decode(each, arrays, classes) for each in parts)
        case {"list": parts}:
            return [_decode(each, arrays, classes) for each in parts]
        case {"class": name, "fields": parts}:
            return classes[name](**{key: _decode(each, arrays, classes) for key, each in parts.items()})
    return value
