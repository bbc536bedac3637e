"""Objects of Lhotse and of Hugging Face's datasets, and data frames, as entries; no library is imported."""

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
from audiogmm.manifest.dataframe import DataFrame, is_dataframe
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.hub import named_as_ours
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.lhotse_cuts import entries_of_record
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.rows import RowEntries, lists_recordings
from audiogmm.manifest.toolkits import PathBase
from audiogmm.temporaries import temporary_prefix


def entries_of(found: object) -> Iterable[ManifestLine] | None:
    """Return the entries of an object of a library that is known.

    Parameters
    ----------
    found : object
        A data frame with a column of paths. Of Lhotse: a `CutSet`, a `RecordingSet`, a cut or a `Recording`.
        Of datasets: a `Dataset` with a column of type `Audio`, which is not decoded by it, an
        `IterableDataset` or a `DatasetDict`.

    Returns
    -------
    iterable of ManifestLine or None
        Numbers, and entries or what is wrong with an item, which does not end the others. Lazy and
        re-iterable, if the object is; None for any other object. Recordings that it holds in memory are kept
        in temporary files for as long as the object lives.

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
    if is_dataframe(found) and lists_recordings(frame := DataFrame(found)):
        return RowEntries(frame)
    return None


@dataclass
class _ObjectEntries:
    """Entries that are made of an object by each iteration."""

    found: Any
    reader: Callable[[Any, Callable[[bytes], str]], Iterator[ManifestLine]]

    def __post_init__(self) -> None:
        self._folder: str | None = None

    def __iter__(self) -> Iterator[ManifestLine]:
        empty = True
        for line in self.reader(self.found, self._keep):
            empty = False
            yield line
        if empty:
            raise ManifestError(f"the {type(self.found).__name__} is empty", needed="at least one recording")

    def _keep(self, data: bytes) -> str:
        """Write a recording that is in memory to a file, named by its content, unless it is there."""
        if self._folder is None:
            self._folder = mkdtemp(prefix=temporary_prefix())
            weakref.finalize(self.found, shutil.rmtree, self._folder, ignore_errors=True)
        file = Path(self._folder, hashlib.blake2b(data, digest_size=16).hexdigest())
        if not file.exists():
            file.write_bytes(data)
        return str(file)


def _of_lhotse(found: Any, keep: Callable[[bytes], str]) -> Iterator[ManifestLine]:
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
        try:
            for entry in entries_of_record(record, None, base, f"{kind}:{number}"):
                yield number, entry
        except ManifestError as error:
            yield number, error


def _of_datasets(found: Any, keep: Callable[[bytes], str], split: str = "") -> Iterator[ManifestLine]:
    """Entries of a `Dataset` of Hugging Face, or of all in a `DatasetDict`."""
    if hasattr(found, "values") and not hasattr(found, "features"):
        for key, part in found.items():  # the parts of `train_test_split` have one name for their split
            yield from _of_datasets(part, keep, str(key))
        return
    kinds = {name: type(feature) for name, feature in (found.features or {}).items()}
    audio = next((name for name, kind in kinds.items() if kind.__name__ == "Audio"), None)
    if audio is None:
        raise ManifestError(
            f"a {type(found).__name__} has the columns {', '.join(kinds) or 'not known'}",
            needed="a column of type Audio",
            remedy='dataset.cast_column("path", datasets.Audio())',
        )
    folder = ManifestFolder(str(Path.cwd()))
    name = split or (str(found.split) if found.split is not None else "row")
    for number, row in enumerate(found.cast_column(audio, kinds[audio](decode=False))):
        cell = row.pop(audio) or {}
        data, path = cell.get("bytes"), cell.get("path")
        if data is None and path is None:
            what = f"row {number} of a {type(found).__name__} has no recording"
            yield number, ManifestError(what, needed="one")
            continue
        record = {"id": f"{name}-{number}", **row, "audio_filepath": path if data is None else keep(data)}
        try:
            yield number, entry_of(named_as_ours(record), folder, f"{name}:{number}")
        except ManifestError as error:
            yield number, error


_READERS = {"lhotse": _of_lhotse, "datasets": _of_datasets}
"""How the objects of a library are read, by its name."""
