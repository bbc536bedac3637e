"""Objects of other libraries as entries: those of Lhotse; the library itself is never imported here."""

from __future__ import annotations

import hashlib
import shutil
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.lhotse_cuts import entries_of_record
from audiogmm.manifest.toolkits import PathBase


def entries_of(found: object) -> Iterable[Entry] | None:
    """Return the entries of an object of a library that is known.

    Parameters
    ----------
    found : object
        Of Lhotse: a `CutSet`, a `RecordingSet`, a cut or a `Recording`.

    Returns
    -------
    iterable of Entry or None
        Lazy and re-iterable, if the object is; None for any other object. Recordings that it holds in memory
        are kept in temporary files for as long as the object lives.

    Raises
    ------
    ManifestError
        When iterated: if there is no recording in it.

    Examples
    --------
    >>> entries_of([1, 2]) is None
    True
    """
    for base in type(found).__mro__:
        reader = _READERS.get(base.__module__.partition(".")[0])
        if reader is not None:
            return _ObjectEntries(found, reader)
    return None


@dataclass
class _ObjectEntries:
    """Entries that are made of an object by each iteration."""

    found: Any
    reader: Callable[[Any, Callable[[bytes], str]], Iterator[Entry]]

    def __post_init__(self) -> None:
        self._folder: str | None = None

    def __iter__(self) -> Iterator[Entry]:
        empty = True
        for entry in self.reader(self.found, self._keep):
            empty = False
            yield entry
        if empty:
            raise ManifestError(f"the {type(self.found).__name__} is empty", needed="at least one recording")

    def _keep(self, data: bytes) -> str:
        """Write a recording that is in memory to a file, named by its content, unless it is there."""
        if self._folder is None:
            self._folder = mkdtemp(prefix="audiogmm-")
            weakref.finalize(self.found, shutil.rmtree, self._folder, ignore_errors=True)
        file = Path(self._folder, hashlib.blake2b(data, digest_size=16).hexdigest())
        if not file.exists():
            file.write_bytes(data)
        return str(file)


def _of_lhotse(found: Any, keep: Callable[[bytes], str]) -> Iterator[Entry]:
    """Entries of cuts and recordings."""

    def without_bytes(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("type") == "memory" and isinstance(value.get("source"), bytes):
                return {**value, "type": "file", "source": keep(value["source"])}
            return {key: without_bytes(item) for key, item in value.items()}
        return [without_bytes(item) for item in value] if isinstance(value, list) else value

    base = PathBase(Path.cwd())
    kind = type(found).__name__
    # a cut has an id, a set of them has none
    for number, item in enumerate([found] if hasattr(found, "id") else found, 1):
        record = without_bytes(item.to_dict())
        if "recording_id" in record:
            raise ManifestError(
                f"a {kind} has no recordings",
                needed="a CutSet, a RecordingSet, a cut or a recording",
                remedy="lhotse.CutSet.from_manifests(recordings=..., supervisions=...)",
            )
        yield from entries_of_record(record, None, base, f"{kind}:{number}")


_READERS = {"lhotse": _of_lhotse}
"""How the objects of a library are read, by its name."""
