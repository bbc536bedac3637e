"""What people have as recordings and tables, as entries: one function behind the argument of every verb."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import AudioDataError, ChoiceError, FeatureError, KindError, ManifestError
from audiogmm.manifest.dataframe import DataFrame, is_dataframe
from audiogmm.manifest.entry import Entry, default_id
from audiogmm.manifest.in_memory import MemoryEntry
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.objects import entries_of
from audiogmm.manifest.read import Manifest, OnError, read_manifest
from audiogmm.runs.scale import scale_note
from audiogmm.words import amount, article

Source: TypeAlias = Any
"""An `Entry`; a path of a recording, a table or a manifest; ``(samples, sample_rate)``; a matrix or a data
frame; an object of Lhotse; a list or another iterable of these."""

TAKEN = (
    "a manifest, a path, an Entry, (samples, sample_rate), a matrix, a data frame (pandas, polars, Arrow), "
    "an object of Lhotse, or a list of these"
)

_SCALES = {"int16": None, "int32": 1 / 2**31, "int8": 1 / 2**7, "uint8": None}
"""Types of integer samples, and what makes their full scale 1; 16 bits hold the others."""


def entries_from(
    source: Source,
    *,
    sample_rate: int | None = None,
    on_error: Callable[[str, ManifestError], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterable[Entry]:
    """Return the entries of what stands for recordings or tables; re-iterable.

    Samples of several channels may have either axis first: the longer one is time (the first, if they are as
    long), and that is said. Full scale is 1 in floating point, and that of the type in integers; a peak that
    belongs to another scale is said. An array without a sample rate is a table, shape (n_rows, n_columns).

    Parameters
    ----------
    source : Source
        An iterator is read into a list; another iterable whose first item is an `Entry` is read by each
        iteration.
    sample_rate : int, optional
        Of arrays that come without one, which are then samples, in hertz.
    on_error : callable, optional
        Takes the path, and what is wrong with a line of a manifest, or with an item of a list or of
        an object: an id that another has, for one; by default that is raised.
    say : callable
        Takes notes.

    Raises
    ------
    KindError
        If it is of another type.
    AudioDataError, FeatureError
        If an array cannot be samples, or a table.
    ChoiceError
        If a sample rate is not a positive whole number.
    ManifestError
        If a path does not exist, a line or an item cannot be read, or two entries have one id.

    Examples
    --------
    >>> wave = np.zeros((2, 8000), np.float32)
    >>> (entry,) = entries_from((wave, 8000), say=print)
    array: shape (2, 8000) is taken as 2 channels of 8,000 samples
    >>> [entry.id for entry in entries_from(["a/x.wav", "b/x.wav", Entry("y.wav"), wave.T])]
    Traceback (most recent call last):
    ...
    audiogmm.errors.ManifestError: a/x.wav does not exist; needed: ...
    >>> entries_from({"a": 1})
    Traceback (most recent call last):
    ...
    audiogmm.errors.KindError: got a dict; needed: a manifest, a path, an Entry, (samples, sample_rate), ...
    """
    return _Reader(sample_rate, on_error, say).read(source)


def entry_from(source: Source, number: str = "") -> Entry:
    """Return the only entry of a source; `number` ends the name of an array.

    Raises
    ------
    ManifestError
        If there are several.
    AudioGMMError
        As `entries_from`.

    Examples
    --------
    >>> entry_from((np.zeros(9), 8000), "-3").id
    'array-3'
    """
    found = list(iter(_Reader(None, None, lambda _: None).one(source, number, is_listed=False)))
    if len(found) != 1:
        raise ManifestError(f"{source!r:.80} has {amount(len(found), 'recording')}", needed="one")
    return found[0]


def name_of(source: Source) -> str:
    """Return how messages call a source: its path, if it has one.

    Examples
    --------
    >>> name_of("a.jsonl"), name_of([1])
    ('a.jsonl', 'the list')
    """
    if isinstance(source, Manifest):
        return source.path
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else f"the {type(source).__name__}"


def is_one(source: Source) -> bool:
    """Return whether a source is one recording or one table, rather than a list that may hold one.

    Examples
    --------
    >>> is_one(Entry("a.wav")), is_one([Entry("a.wav")]), is_one((np.zeros(9), 8000))
    (True, False, True)
    """
    if isinstance(source, (str, os.PathLike)):
        return read_manifest(source).format in ("audio", "features")
    if isinstance(source, Entry) or _is_array(source):
        return True
    if isinstance(source, Manifest):
        return source.format in ("audio", "features")
    if (pair := _pair(source)) is not None:
        return _is_array(pair[0])
    if entries_of(source) is not None:
        return hasattr(source, "id") and not is_dataframe(source)
    return is_dataframe(source)


@dataclass
class _Reader:
    """Makes entries, each with a name of its own."""

    sample_rate: int | None
    on_error: Callable[[str, ManifestError], None] | None
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._names: set[str] = set()
        self._scale_noted = False

    def read(self, source: Source) -> Iterable[Entry]:
        """Return the entries of a source, or of all items of a list."""
        if isinstance(source, Iterator) and not hasattr(source, "read"):
            source = list(source)
        if not isinstance(source, (list, tuple)) or _pair(source) is not None:
            return self.one(source, "", is_listed=False)
        self._names |= {item.id for item in source if isinstance(item, Entry)}
        if all(type(item) is Entry for item in source):
            return self._manifest(source, _Items(source))
        parts = [self.one(item, f"-{number}", is_listed=True) for number, item in enumerate(source)]
        return self._manifest(source, _Items(parts))

    def one(self, source: Source, number: str, is_listed: bool) -> Iterable[Entry]:
        """Return the entries of one item; `number` makes the names of arrays differ."""
        if isinstance(source, (str, os.PathLike)):
            return self._path(os.fspath(source), is_listed)
        if isinstance(source, Entry):
            return [source]
        if isinstance(source, Manifest):
            return source if source.on_error else replace(source, on_error=self._refuse_of(source.path))
        if (found := entries_of(source)) is not None:
            return self._manifest(source, found)
        if (pair := _pair(source)) is not None:
            arrays, rate = pair
            rate = _rate(rate)
            if _is_array(arrays):
                return [self._samples(arrays, rate, f"array{number}")]
            return [self._samples(array, rate, f"array{number}-{i}") for i, array in enumerate(arrays)]
        if is_dataframe(source):
            return [self._table(source, len(DataFrame(source)), f"table{number}")]
        if _is_array(source):
            if self.sample_rate is not None:
                return [self._samples(source, _rate(self.sample_rate), f"array{number}")]
            return [self._matrix(source, f"table{number}")]
        if hasattr(source, "read"):
            name = getattr(source, "name", None)
            path = repr(name) if isinstance(name, str) else "its path, or soundfile.read(file)"
            raise KindError(f"got a file object ({type(source).__name__})", needed=TAKEN, remedy=path)
        if not is_listed and isinstance(source, Iterable) and not isinstance(source, (dict, bytes, set)):
            return self._iterable(source)
        raise KindError(f"got {article(type(source).__name__)}", needed=TAKEN)

    def _manifest(self, source: Source, lines: Iterable[ManifestLine]) -> Manifest:
        """A manifest of what is no file, so that ids are checked and what is wrong is set aside."""
        name = name_of(source)
        return Manifest(name, type(source).__name__, self._refuse_of(name), lines)

    def _refuse_of(self, path: str) -> OnError | None:
        on_error = self.on_error
        return None if on_error is None else (lambda error: on_error(path, error))

    def _path(self, path: str, is_listed: bool) -> Iterable[Entry]:
        refuse = self._refuse_of(path)
        if not is_listed:
            manifest = read_manifest(path, on_error=refuse)
            if manifest.note:
                self.say(manifest.note)
            return manifest
        try:
            manifest = read_manifest(path, on_error=refuse)
        except ManifestError as error:
            if refuse is None:
                raise
            refuse(error)
            return []
        if manifest.format not in ("audio", "features"):
            return manifest
        (entry,) = manifest
        return [self._named(entry, path)]

    def _named(self, entry: Entry, path: str) -> Entry:
        """The entry of a file, under its name, or where that is taken its path, or with a number."""
        names = [entry.id, default_id(path)]
        name = next((name for name in names if name not in self._names), None)
        if name is None:
            name = next(new for n in itertools.count(2) if (new := f"{names[1]}-{n}") not in self._names)
        self._names.add(name)
        return entry if name == entry.id else replace(entry, id=name)

    def _samples(self, found: Any, rate: int, name: str) -> MemoryEntry:
        samples = np.asarray(found)
        kind = str(samples.dtype)
        if not (samples.dtype.kind == "f" or kind in _SCALES):
            raise AudioDataError(
                f"{name}: samples of type {kind}",
                needed="real numbers: float, or integers of 8, 16 or 32 bits",
                remedy="samples.real" if samples.dtype.kind == "c" else "samples.astype(np.float32)",
            )
        if samples.size == 0 or samples.ndim not in (1, 2):
            raise AudioDataError(
                f"{name}: samples of shape {samples.shape}",
                needed="shape (n_samples,), (n_channels, n_samples) or (n_samples, n_channels), not empty",
            )
        if not self._scale_noted and (note := scale_note(samples)):
            self._scale_noted = True  # once a list
            self.say(f"{name}: {note}")
        samples = samples[:, None] if samples.ndim == 1 else self._oriented(samples, name)
        scale = _SCALES.get(kind)
        if kind == "uint8":  # as libsndfile gives it, and the samples of a wav of 8 bits
            samples = (samples.astype(np.int16) - 128) << 8
        elif kind != "int16":
            samples = np.ascontiguousarray(samples * scale if scale else samples, np.float32)
        return MemoryEntry(name, id=name, sample_rate=rate, data=np.ascontiguousarray(samples))

    def _oriented(self, samples: NDArray[Any], name: str) -> NDArray[Any]:
        """Time first; says which axis it was, where that is no matter of course."""
        shape = samples.shape
        if shape[0] < shape[1]:
            samples = samples.T
        length, channels = samples.shape
        if channels > 1:
            self.say(
                f"{name}: shape {shape} is taken as {amount(channels, 'channel')} of "
                f"{amount(length, 'sample')}"
            )
        return samples

    def _matrix(self, found: Any, name: str) -> MemoryEntry:
        matrix = np.asarray(found)
        if matrix.ndim != 2 or matrix.dtype.kind not in "fiub":
            raise FeatureError(
                f"an array of shape {matrix.shape} and type {matrix.dtype}, without a sample rate",
                needed="a table of real numbers, shape (n_rows, n_columns); or samples with their rate",
                remedy="(samples, 16000), or reshape(-1, 1)" if matrix.ndim == 1 else "X.astype(np.float32)",
            )
        return self._table(matrix, len(matrix), name)

    def _table(self, found: Any, n_rows: int, name: str) -> MemoryEntry:
        if n_rows == 0:
            raise FeatureError(f"{name} has no rows", needed="at least one row")
        return MemoryEntry(None, name, id=name, data=found)

    def _iterable(self, source: Iterable[Any]) -> Iterable[Entry]:
        """Entries as they come, or a list of other things."""
        head = next(iter(source), None)
        if head is None or isinstance(head, Entry):
            return self._manifest(source, _Items(source))
        return self.read(list(source))


@dataclass(frozen=True)
class _Items:
    """The entries of items one after the other, each with the number of its item, from 0."""

    items: Iterable[Entry | Iterable[Entry]]

    def __iter__(self) -> Iterator[ManifestLine]:
        for number, item in enumerate(self.items):
            for entry in (item,) if isinstance(item, Entry) else item:
                yield number, entry


def _pair(source: object) -> tuple[Any, Any] | None:
    """Samples, or a list of them, and their rate; or the rate and then the samples, as SciPy reads a wav."""
    if not isinstance(source, (list, tuple)) or len(source) != 2:
        return None
    first, second = source
    if _is_array(second) and _is_number(first):
        first, second = second, first
    is_rate = _is_number(second) or (
        isinstance(source, tuple) and (second is None or isinstance(second, str))
    )
    if not is_rate:
        return None
    is_several = isinstance(first, (list, tuple)) and len(first) > 0 and all(map(_is_array, first))
    return (first, second) if is_several or _is_array(first) else None


def _is_array(found: object) -> bool:
    """Whether it is an array of any library, and no number."""
    if isinstance(found, (type, np.generic)) or is_dataframe(found):
        return False
    return isinstance(found, np.ndarray) or (hasattr(found, "__array__") and hasattr(found, "shape"))


def _is_number(found: object) -> bool:
    return isinstance(found, (int, float, np.number)) or (isinstance(found, np.ndarray) and found.ndim == 0)


def _rate(rate: object) -> int:
    """A sample rate that samples can have."""
    is_whole = _is_number(rate) and not isinstance(rate, bool) and float(rate) % 1 == 0  # type: ignore[arg-type]
    if not is_whole or int(rate) < 1:  # type: ignore[call-overload]
        raise ChoiceError(
            f"a sample rate of {rate!r}",
            needed="a positive whole number, hertz",
            remedy="(samples, 16000)",
        )
    return int(rate)  # type: ignore[call-overload, no-any-return]
