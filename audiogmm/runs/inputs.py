"""What a run reads: the entries of a manifest, and recordings made of them and a front end."""

from __future__ import annotations

import os
import shutil
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir
from typing import TYPE_CHECKING

from audiogmm.audio.decoders.source import open_source
from audiogmm.audio.matrix.columns import ALL, ColumnChoice
from audiogmm.audio.matrix.matrix import expand_archive, read_names
from audiogmm.audio.recording import Recording
from audiogmm.audio.stream_recording import Refuse
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, ChoiceError, FeatureError, ManifestError, OutputError
from audiogmm.kernels.compile_lock import AT_EVERY_START, announce
from audiogmm.kernels.compiled import has_machine_code, is_cached
from audiogmm.kernels.estep.densities import scaled_joint
from audiogmm.kernels.front_end.activity import first_non_finite
from audiogmm.manifest.clock.streams import BY_TIME, StreamRule
from audiogmm.manifest.entry import STANDARD_INPUT, Entry
from audiogmm.manifest.read import read_manifest
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import choose_cached_frontend, find_cache, read_frontend, settle_frontend
from audiogmm.runs.progress import say_nothing
from audiogmm.runs.sources import Source, entries_from
from audiogmm.runs.streams import PooledShards
from audiogmm.temporaries import temporary_prefix
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.store import Model

REMEMBERED = 65536
"""Recordings whose paths are remembered, so that an error can name the file."""

HOURS = "h of audio"
"""Unit of an extent whose durations are known."""


@dataclass(frozen=True, slots=True)
class Extent:
    """An amount of recordings: hours of audio where every entry has its duration, else their number."""

    total: float
    unit: str
    recordings: int | None = field(default=None, compare=False)

    @property
    def hours(self) -> float | None:
        """Hours of audio, where known."""
        return self.total if self.unit == HOURS else None

    def part(self, seconds: float) -> float:
        """Return what one recording of `seconds` adds to it.

        Examples
        --------
        >>> Extent(2.0, "h of audio").part(1800), Extent(7, "recordings").part(1800)
        (0.5, 1.0)
        """
        return seconds / 3600 if self.unit == HOURS else 1.0


@dataclass
class Inputs:
    """The recordings of a run: re-iterable, lazy, each made of an entry and the front end.

    Attributes
    ----------
    entries : iterable of Entry
        Re-iterable.
    frontend : FrontEnd or None
        With its sample rate settled; None where all entries bring frames of their own.
    aside : Aside
        Where bad inputs go.
    say : callable
        Receives warnings, such as of a clipped recording.
    upsample : bool
        Accept audio below the sample rate.
    cache : Path or None
        The frame cache that frames are read from.
    choice : ColumnChoice
        The columns of tables that are read.
    kept : StandardInputCopy or None
        The file behind standard input; it is removed with this object.
    streams : StreamRule
        Which recordings with a time are one stream, for `pooled`.
    """

    entries: Iterable[Entry]
    frontend: FrontEnd | None
    aside: Aside
    say: Callable[[str], None]
    upsample: bool = False
    cache: Path | None = None
    kept: StandardInputCopy | None = None
    choice: ColumnChoice = ALL
    streams: StreamRule = BY_TIME
    _paths: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def __iter__(self) -> Iterator[Recording]:
        warn = Notifier(self.say)
        for entry in self._members():
            self._paths[entry.id] = entry.path
            if len(self._paths) > REMEMBERED:
                self._paths.popitem(last=False)
            yield Recording(
                entry,
                self.frontend,
                upsample=self.upsample,
                cache=self.cache,
                warn=warn,
                choice=self.choice,
            )

    def _members(self) -> Iterator[Entry]:
        """Yield an entry for each recording: several of a Kaldi archive, a damaged one as it is."""
        for entry in self.entries:
            if entry.features_filepath is None:
                yield entry
                continue
            try:
                yield from expand_archive(entry)
            except FeatureError:
                yield entry

    def settle_columns(self) -> None:
        """Settle on the columns of the first table that has them, so that others have the same ones.

        Raises
        ------
        FeatureError
            If no table has them: that of the first.
        """
        errors: list[AudioGMMError] = []
        for entry in self._members():
            if entry.features_filepath is None:
                return
            try:
                names, note = read_names(entry, self.choice)
            except AudioGMMError as error:
                errors.append(error)  # where another table is good, it is set aside when it is read
                continue
            if names:
                self.choice = ColumnChoice(names)
            if note:
                self.say(note)
            return
        if len(errors) > 1:
            first = errors[0]
            raise FeatureError(
                f"none of {amount(len(errors), 'table')} can be used; the first: {first.what}",
                needed=first.needed,
                remedy=first.remedy,
            )
        raise errors[0]

    def extent(self) -> Extent:
        """Measure how much there is, as far as the manifest says: read once, for a progress bar."""
        count, seconds, known = 0, 0.0, True
        for entry in self.entries:
            count += 1
            known = known and entry.duration is not None
            seconds += entry.duration or 0.0
        if known and count:
            return Extent(seconds / 3600, HOURS, count)
        return Extent(count, "recordings", count)

    def pooled(self, shards: Iterable[Shard] | None = None, refuse: Refuse | None = None) -> Iterable[Shard]:
        """Return the recordings (or some of them) with those that follow one another in time as streams."""
        return PooledShards(self if shards is None else shards, self.streams, refuse or self.refuse, self.say)

    @property
    def has_times(self) -> bool:
        """Whether a recording has a time: the manifest is read up to it."""
        return any(entry.time is not None for entry in self.entries)

    def refuse(self, id: str, error: AudioGMMError) -> None:
        """Set the recording `id` aside."""
        self.aside.put(id, self._paths.get(id, ""), error)


def open_inputs(
    source: Source,
    frontend: FrontEnd | None = None,
    *,
    model: Model | None = None,
    aside: Aside,
    say: Callable[[str], None],
    sample_rate: int | None = None,
    upsample: bool = False,
    again: bool = False,
    choice: ColumnChoice = ALL,
    streams: StreamRule | None = None,
) -> Inputs:
    """Open what a model is applied to, through its own front end, or what a new one is trained on.

    Without a model, the front end is the one given, else the frame cache's own, else the preset `speech`; its
    sample rate is `sample_rate`, else its own, else the first good recording's. Frames of the user's own have
    no front end.

    Parameters
    ----------
    source : Source
        A manifest or what stands in its place; entries; see `entries_from`.
    frontend : FrontEnd, optional
        That of a new model.
    model : Model, optional
        The model that is applied.
    aside : Aside
        Takes what cannot be used.
    say : callable
        Receives warnings.
    sample_rate : int, optional
        Hertz, of a new model.
    upsample : bool
        Accept audio below the sample rate.
    again : bool
        The recordings are read more than once; those of a new model always are.
    choice : ColumnChoice
        The columns of tables; by default those of the model.
    streams : StreamRule, optional
        Which recordings with a time are one stream.

    Raises
    ------
    TrainingError
        If a sample rate is needed, and no recording can be opened.
    ChoiceError
        If a frame cache holds frames of several front ends, and none was named; if columns are chosen of
        recordings.
    MismatchError
        If a frame cache has no frames of the front end.
    """
    announce_compiling()
    copied = isinstance(source, str) and source == STANDARD_INPUT and (again or model is None)
    kept = copy_standard_input() if copied else None
    entries = kept.entries if kept else read_entries(source, aside, say=say, sample_rate=sample_rate)
    cache = find_cache(source)
    if model is not None:
        frontend = read_frontend(model)
    if cache is not None and (frontend is not None or model is None):
        cached = choose_cached_frontend(cache, frontend, sample_rate)
        frontend = cached if model is None else frontend
    if model is None:
        frontend = settle_frontend(frontend, sample_rate, entries, aside, say)
        if choice and frontend is not None:
            raise ChoiceError(
                "columns of a table were chosen, and the inputs are recordings",
                needed="a table: CSV, Parquet or .npy",
                remedy="leave out --columns, --exclude and --id-column",
            )
    else:
        choice = choice.or_those_of(model.metadata.columns)
    inputs = Inputs(entries, frontend, aside, say, upsample, cache, kept, choice, streams or BY_TIME)
    if model is None and frontend is None:
        inputs.settle_columns()
    return inputs


def read_entries(
    source: Source,
    aside: Aside,
    format: str | None = None,
    *,
    say: Callable[[str], None] = say_nothing,
    sample_rate: int | None = None,
) -> Iterable[Entry]:
    """Read the entries of a manifest (or of what stands in its place), re-iterable; bad lines are set aside.

    For the rest see `entries_from`; `format` is that of a path.
    """

    def refuse(path: str, error: ManifestError) -> None:
        aside.put("", path, error)

    if format is not None:
        return read_manifest(source, format, on_error=lambda error: refuse(os.fspath(source), error))
    return entries_from(source, sample_rate=sample_rate, on_error=refuse, say=say)


@dataclass
class StandardInputCopy:
    """Standard input in a temporary file, and the entry of it; the file is removed with this object."""

    path: Path
    entries: list[Entry]

    def __post_init__(self) -> None:
        weakref.finalize(self, self.path.unlink, missing_ok=True)


def copy_standard_input() -> StandardInputCopy:
    """Copy standard input to a temporary file, for runs that read it more than once.

    Raises
    ------
    OutputError
        If the temporary folder does not take it.
    """
    stream = open_source(STANDARD_INPUT)
    try:
        # closed before others read it: Windows lets nobody open it again until then
        with NamedTemporaryFile(prefix=temporary_prefix(), suffix=".wav", delete=False) as file:
            copy = StandardInputCopy(
                Path(file.name), [Entry(audio_filepath=file.name, id="stdin", source=STANDARD_INPUT)]
            )
            shutil.copyfileobj(stream, file, 1 << 20)
    except OSError as error:
        raise OutputError(
            f"standard input cannot be kept in {gettempdir()}: {error.strerror}",
            needed="room for the recording, which is read more than once",
            remedy="free some space, set TMPDIR to another disk, or save the recording to a file",
        ) from error
    return copy


def announce_compiling() -> None:
    """Say why nothing seems to happen, where the kernels have still to be compiled: before workers start."""
    one_a_folder = first_non_finite, scaled_joint
    if not is_cached(*one_a_folder):
        announce(AT_EVERY_START)
    elif not has_machine_code(*one_a_folder):
        announce()


class Notifier:
    """Takes notes on a recording; sent to a worker process, it prints them there."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def __call__(self, message: str) -> None:
        self.say(message)

    def __reduce__(self) -> tuple[object, ...]:
        return Notifier, (print_note,)


def print_note(message: str) -> None:
    """Print a note on standard error, once a process."""
    if message not in _PRINTED:
        _PRINTED.add(message)
        sys.stderr.write(message + "\n")


_PRINTED: set[str] = set()
