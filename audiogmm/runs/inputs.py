"""What a job reads: the entries of a manifest, and recordings made of them and a front end."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import AudioGMMError, ChoiceError, ManifestError, TrainingError
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import cache_at, cached_front_end, front_end_of
from audiogmm.runs.standard_input import STANDARD_INPUT, StandardInputCopy, copy_standard_input

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


REMEMBERED = 65536
"""Recordings whose paths are remembered, so that an error can be told with the file."""


def read_entries(
    source: str | os.PathLike[str] | Iterable[Entry], aside: Aside, format: str | None = None
) -> Iterable[Entry]:
    """The entries of a manifest (or of what stands in its place), re-iterable; bad lines are set aside.

    An iterable of entries is passed through; an iterator is read into a list.
    """
    if isinstance(source, (str, os.PathLike)):
        from audiogmm.manifest import read_manifest

        def refuse(error: ManifestError) -> None:
            aside.put("", os.fspath(source), error)

        return read_manifest(source, format, on_error=refuse)
    return list(source) if isinstance(source, Iterator) else source


class Hear:
    """Takes what should be known of a recording; sent to a worker process, it prints there."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def __call__(self, message: str) -> None:
        self.say(message)

    def __reduce__(self) -> tuple[object, ...]:
        return Hear, (print_note,)


def print_note(message: str) -> None:
    """Print a note on standard error, once a process."""
    if message not in _PRINTED:
        _PRINTED.add(message)
        sys.stderr.write(message + "\n")


_PRINTED: set[str] = set()


@dataclass
class Inputs:
    """The recordings of a job: re-iterable, lazy, each made of an entry and the front end.

    Attributes
    ----------
    entries : iterable of Entry
        Re-iterable.
    frontend : FrontEnd or None
        With its sample rate settled; None where all entries bring frames of their own.
    aside : Aside
        Where bad inputs go.
    say : callable
        Hears warnings, such as of a clipped recording.
    upsample : bool
        Accept audio below the sample rate.
    cache : Path or None
        The frame cache that frames are read from.
    kept : StandardInputCopy or None
        The file behind standard input; it goes with this object.
    """

    entries: Iterable[Entry]
    frontend: FrontEnd | None
    aside: Aside
    say: Callable[[str], None]
    upsample: bool = False
    cache: Path | None = None
    kept: StandardInputCopy | None = None
    _paths: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def __iter__(self) -> Iterator[Recording]:
        from audiogmm.audio.recording import recordings

        for recording in recordings(
            self.entries, self.frontend, upsample=self.upsample, cache=self.cache, warn=Hear(self.say)
        ):
            self._paths[recording.id] = recording.entry.path
            if len(self._paths) > REMEMBERED:
                self._paths.popitem(last=False)
            yield recording

    def extent(self) -> Extent:
        """How much there is, as far as the manifest tells: read once, for a progress bar."""
        count, seconds, told = 0, 0.0, True
        for entry in self.entries:
            count += 1
            told = told and entry.duration is not None
            seconds += entry.duration or 0.0
        return Extent(seconds / 3600, HOURS) if told and count else Extent(count, "recordings")

    def refuse(self, id: str, error: AudioGMMError) -> None:
        """Set the recording `id` aside."""
        self.aside.put(id, self._paths.get(id, ""), error)


def open_inputs(
    source: str | os.PathLike[str] | Iterable[Entry],
    frontend: FrontEnd | None,
    *,
    aside: Aside,
    say: Callable[[str], None],
    sample_rate: int | None = None,
    upsample: bool = False,
) -> Inputs:
    """Open what a new model is trained on, and settle the front end.

    The front end is the one given, else the frame cache's own, else the preset `speech`; its sample rate is
    `sample_rate`, else its own, else the first good recording's. Frames of the user's own have none.

    Raises
    ------
    TrainingError
        If no recording can be opened.
    ChoiceError
        If a frame cache holds frames of several front ends, and none was named.
    MismatchError
        If a frame cache has none of the front end named.
    """
    from audiogmm.audio.frontend.frontend import FrontEnd

    announce_compiling(say)
    kept = copy_standard_input() if source == STANDARD_INPUT else None
    entries = read_entries(source, aside) if kept is None else kept.entries
    cache = cache_at(source)
    if cache is not None:
        frontend = cached_front_end(cache, frontend, sample_rate)
    chosen = frontend or FrontEnd.preset("speech")
    rate = sample_rate or chosen.sample_rate
    for entry in entries:
        if entry.features_filepath is not None:
            return Inputs(entries, None, aside, say, upsample)
        rate = rate or rate_of(entry, aside)
        if rate is not None:
            break
    if rate is None:
        raise TrainingError(
            f"none of the recordings of {source} could be opened"
            if isinstance(source, str)
            else "no recording",
            needed="at least one good recording",
            remedy="audiogmm manifest check, which says what is wrong with each",
        )
    settled = dataclasses.replace(chosen, sample_rate=rate)
    return Inputs(entries, settled, aside, say, upsample, cache, kept)


def inputs_for(
    model: Model,
    source: str | os.PathLike[str] | Iterable[Entry],
    *,
    aside: Aside,
    say: Callable[[str], None],
    upsample: bool = False,
    again: bool = False,
) -> Inputs:
    """Open what a model is applied to, through its own front end; `again`: it will be read more than once.

    Raises
    ------
    MismatchError
        If a frame cache has no frames of the model's front end.
    """
    announce_compiling(say)
    frontend = front_end_of(model)
    cache = cache_at(source)
    if cache is not None and frontend is not None:
        cached_front_end(cache, frontend, None)
    kept = copy_standard_input() if again and source == STANDARD_INPUT else None
    entries = read_entries(source, aside) if kept is None else kept.entries
    return Inputs(entries, frontend, aside, say, upsample, cache, kept)


def rate_of(entry: Entry, aside: Aside) -> int | None:
    """The sample rate of a recording; None, and set aside, if it cannot be opened.

    Raises
    ------
    ChoiceError
        For standard input, which cannot be looked at twice.
    """
    from audiogmm.audio.decode import probe

    if entry.audio_filepath == "-":
        raise ChoiceError(
            "standard input and no sample rate",
            needed="a rate in hertz, since a stream can be read only once",
            remedy="--sample-rate 16000",
        )
    try:
        return probe(entry, full=False).sample_rate
    except AudioGMMError as error:
        aside.put(entry.id, entry.path, error)
        return None


def announce_compiling(say: Callable[[str], None]) -> None:
    """Say why nothing seems to happen, where the kernels have still to be compiled."""
    from audiogmm.kernels.front_end.compiled import is_cold, is_kept

    if not is_kept():
        say("compiling (about 20 s), anew each time: no folder can be written; try NUMBA_CACHE_DIR=FOLDER")
    elif is_cold():
        say("compiling, once on this machine (about 20 s)")


HOURS = "h of audio"
"""Unit of an extent whose durations are known."""


@dataclass(frozen=True, slots=True)
class Extent:
    """An amount of recordings: hours of audio where every entry tells its duration, else their number."""

    total: float
    unit: str

    @property
    def hours(self) -> float | None:
        """Hours of audio, where known."""
        return self.total if self.unit == HOURS else None

    def part(self, seconds: float) -> float:
        """What one recording of `seconds` adds to it.

        Examples
        --------
        >>> Extent(2.0, "h of audio").part(1800), Extent(7, "recordings").part(1800)
        (0.5, 1.0)
        """
        return seconds / 3600 if self.unit == HOURS else 1.0
