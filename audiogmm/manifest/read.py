"""Read any manifest, lazily: any number of times, from any process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, overload

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import STANDARD_INPUT, Entry, default_id, is_url
from audiogmm.manifest.formats import FORMATS, format_named
from audiogmm.manifest.ids import SeenIds
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.objects import entries_of
from audiogmm.manifest.patterns import is_pattern
from audiogmm.manifest.record import dict_of
from audiogmm.manifest.sniff import doubt_of, sniff
from audiogmm.words import amount

OnError = Callable[[ManifestError], None]
"""Takes what is wrong with a line, which is then left out."""

_LARGEST_BATCH = 1024  # more no longer fit in the cache, and cost more than the looking up saves


@dataclass(frozen=True)
class Manifest:
    """The entries of a manifest, read again by every iteration.

    Nothing is kept but sixteen bytes an id while an iteration runs. Made by `read_manifest`.

    Attributes
    ----------
    path : str
        The manifest, as named.
    format : str
        A key of `FORMATS`, or "audio" or "features" for a file named in place of a manifest.
    on_error : callable or None
        Takes the `ManifestError` of each bad line, which is left out; None raises it.
    entries : iterable of ManifestLine or None
        Those of a list or of an object of another library, in place of a file.
    note : str
        Which format was taken, where it could be another.

    Examples
    --------
    >>> manifest = read_manifest("-")
    >>> [entry.id for entry in manifest], manifest.count()
    (['stdin'], 1)
    >>> len(manifest), manifest[0].id, manifest[-1:]
    (1, 'stdin', [Entry(audio_filepath='-', id='stdin', source='-')])
    """

    path: str
    format: str
    on_error: OnError | None = None
    entries: Iterable[ManifestLine] | None = None
    note: str = ""

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries in order.

        Raises
        ------
        ManifestError
            For a bad line or an id that was there before (unless `on_error`), and if there is no entry at
            all. Both lines of a repeated id are named.
        """
        seen = SeenIds()
        items = self._items()
        size = 1  # the first entry comes at once, then ids are looked up a thousand at a time
        empty = True
        while batch := list(islice(items, size)):
            size = min(2 * size, _LARGEST_BATCH)
            empty = False
            entries = [(number, item) for number, item in batch if not isinstance(item, ManifestError)]
            doubled = seen.add([entry.id for _, entry in entries], [number for number, _ in entries])
            at = -1
            for _, item in batch:
                if isinstance(item, ManifestError):
                    self._refuse(item)
                    continue
                at += 1
                if at in doubled:
                    self._refuse(self._doubled(item, doubled[at]))
                else:
                    yield item
        if empty:
            raise ManifestError(f"{self.path} holds no entry", needed="at least one recording")

    def __len__(self) -> int:
        """Return how many entries there are: reads the whole manifest.

        `list` asks for it first, and so reads twice; ``list(iter(manifest))`` reads once.
        """
        return self.count()

    def __bool__(self) -> bool:
        return True  # without reading it; an empty one is an error

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        """Return one entry, or a list of some: reads the manifest up to there.

        Raises
        ------
        IndexError
            If there are not so many.
        """
        if isinstance(place, slice):
            stop = place.stop
            is_near = stop is not None and stop >= 0 and (place.start or 0) >= 0 and (place.step or 1) > 0
            return list(islice(self, stop) if is_near else iter(self))[place]
        if place < 0:
            return list(iter(self))[place]
        for entry in islice(self, place, None):
            return entry
        raise IndexError(
            f"{self.path} has {amount(len(self), 'entry', 'entries')}, counted from 0; got {place}"
        )

    def to_pandas(self) -> Any:
        """Return the entries as a DataFrame of pandas, a row each: the keys of a manifest, and further keys.

        `audiogmm` takes such a frame as a manifest again.
        """
        import pandas

        return pandas.DataFrame([dict_of(entry) for entry in self])

    def count(self) -> int:
        """Return how many entries there are, bad lines not counted: reads the whole manifest."""
        return sum(1 for _ in replace(self, on_error=_ignore))

    def _items(self) -> Iterator[ManifestLine]:
        if self.entries is not None:
            return iter(self.entries)
        if self.format in ("audio", "features"):
            return iter([(1, _single(self.path, self.format))])
        path = self.path
        if self.format in ("jsonl", "nemo") and not is_url(path) and Path(path).is_dir():
            path = f"{path.rstrip('/')}/index.jsonl"  # a frame cache
        return FORMATS[self.format].read(path)

    def _doubled(self, entry: Entry, first: int) -> ManifestError:
        is_file = self.entries is None
        where = f"stands on line {first}" if is_file else f"is that of item {first} of {self.path}"
        return ManifestError(
            f"{entry.source or entry.path}: the id {entry.id!r} {where} already",
            needed="another id for each entry",
            remedy='give one of them another "id"',
        )

    def _refuse(self, error: ManifestError) -> None:
        if self.on_error is None:
            raise error
        self.on_error(error)


def read_manifest(
    path: str | os.PathLike[str] | object, format: str | None = None, *, on_error: OnError | None = None
) -> Manifest:
    """Open a manifest of any format, or a recording or a feature matrix named in place of one.

    Only as much is read as shows the format; the entries are read when they are asked for.

    Parameters
    ----------
    path : path-like, or an object that `entries_of` takes
        A manifest file or folder, a recording, a feature matrix (.npy, .parquet, .ark, or a CSV of numbers),
        a URL, or ``-`` for a wav stream on standard input; a `CutSet` or another object of Lhotse;
        or a data frame of pandas, polars or Arrow with a column of paths.
    format : str, optional
        A key of `FORMATS`, such as "kaldi" or "rttm", where name and content do not show it.
    on_error : callable, optional
        Takes the `ManifestError` of each bad line, so that a job can set it aside and go on; by default
        the first one is raised.

    Returns
    -------
    Manifest
        Iterates over `Entry` objects, as often as wanted; can be pickled if `on_error` can.

    Raises
    ------
    ManifestError
        If the path does not exist or is no manifest.
    ChoiceError
        If there is no such format.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "train.jsonl"
    >>> _ = file.write_text('{"audio_filepath": "a.wav", "duration": 2}\\n{"duration": 2}\\n')
    >>> problems = []
    >>> [entry.id for entry in read_manifest(file, on_error=problems.append)]
    ['a']
    >>> print(problems[0].what.removeprefix(str(file)))
    :2: no audio_filepath, and no features_filepath in its place
    """
    if not isinstance(path, str | os.PathLike):
        name = type(path).__name__
        entries = entries_of(path)
        if entries is None:
            raise ManifestError(
                f"a manifest was given as {name}: {path!r:.60}",
                needed="a path; a CutSet, RecordingSet, cut or recording of Lhotse; or a data frame with a "
                "column audio_filepath",
            )
        return Manifest(name, name, on_error, entries)
    name = os.fspath(path)
    kind: str = sniff(name) if format is None else format_named(format).name
    if format is not None and not is_url(name) and not is_pattern(name) and not Path(name).exists():
        raise ManifestError(f"{name} does not exist", needed=f"a {format} manifest", remedy="check the path")
    return Manifest(name, kind, on_error, note=doubt_of(name, kind) if format is None else "")


def _single(path: str, kind: str) -> Entry:
    """The one entry of a file named in place of a manifest."""
    full = path if path == STANDARD_INPUT or is_url(path) else str(Path(path).absolute())
    name = default_id(path if path == STANDARD_INPUT else path.rstrip("/").rpartition("/")[2])
    if kind == "audio":
        return Entry(audio_filepath=full, id=name, source=path)
    return Entry(audio_filepath=None, features_filepath=full, id=name, source=path)


def _ignore(_: ManifestError) -> None:
    """Leave a bad line out."""
