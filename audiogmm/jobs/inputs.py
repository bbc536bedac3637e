"""What a job reads: the entries of a manifest, and recordings made of them and a front end."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir
from typing import TYPE_CHECKING, Any

from audiogmm.errors import AudioGMMError, ChoiceError, ManifestError, OutputError, TrainingError
from audiogmm.files import refuse_folder, refuse_overwrite
from audiogmm.jobs.aside import Aside

if TYPE_CHECKING:
    from audiogmm.audio.frontend import FrontEnd
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model

STANDARD_INPUT = "-"
"""In place of a manifest: a wav on standard input."""

REMEMBERED = 65536
"""Recordings whose paths are remembered, so that an error can be told with the file."""


def announce_compiling(say: Callable[[str], None]) -> None:
    """Say why nothing seems to happen, where the kernels have still to be compiled."""
    from audiogmm.kernels.cold import is_cold, is_kept

    if not is_kept():
        say("compiling (about 20 s), anew each time: no folder can be written; try NUMBA_CACHE_DIR=FOLDER")
    elif is_cold():
        say("compiling, once on this machine (about 20 s)")


def keep_apart(output: Path, source: object) -> None:
    """Refuse an output that is the input, which even `--force` must not destroy.

    Raises
    ------
    OutputError
        If they are one file or folder.
    """
    named = isinstance(source, (str, os.PathLike)) and output.exists() and Path(source).exists()
    if named and output.samefile(source):  # type: ignore[arg-type]
        raise OutputError(f"{output} is the input", needed="another place", remedy="another name for -o")


def check_output(output: Path, force: bool, *sources: object) -> None:
    """Refuse, before the work, a file that must not or cannot be written.

    Raises
    ------
    OutputError
        If it is one of the sources, or a folder; if it exists and not `force`; if its folder cannot be
        written.
    """
    for source in sources:
        keep_apart(output, source)
    refuse_folder(output)
    refuse_overwrite(output, force)


def choose_front_end(preset: str | None, file: Path | None) -> FrontEnd | None:
    """The front end of a preset or a TOML file; None if neither is named.

    Raises
    ------
    ChoiceError
        If both are named.
    FrontEndError
        If the file does not hold one.
    """
    from audiogmm.audio.frontend import FrontEnd

    if preset is not None and file is not None:
        raise ChoiceError(
            f"both --preset {preset} and --frontend {file}", needed="one front end", remedy="drop one of them"
        )
    if file is not None:
        return FrontEnd.from_toml(file)
    return None if preset is None else FrontEnd.preset(preset)


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
class Kept:
    """Standard input in a temporary file, since it has to be read more than once."""

    file: Any
    entries: list[Entry]


def keep_standard_input() -> Kept:
    """Copy standard input to a temporary file that goes when nobody holds it any more.

    Raises
    ------
    OutputError
        If the temporary folder does not take it.
    """
    from audiogmm.manifest import Entry

    try:
        file = NamedTemporaryFile(prefix="audiogmm-", suffix=".wav")  # noqa: SIM115 - lives as long as Kept
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        file.flush()
    except OSError as error:
        raise OutputError(
            f"standard input cannot be kept in {gettempdir()}: {error.strerror}",
            needed="room for the recording, which is read more than once",
            remedy="free some space, set TMPDIR to another disk, or save the recording to a file",
        ) from error
    return Kept(file, [Entry(audio_filepath=file.name, id="stdin", source=STANDARD_INPUT)])


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
    kept : Kept or None
        The file behind standard input; it goes with this object.
    """

    entries: Iterable[Entry]
    frontend: FrontEnd | None
    aside: Aside
    say: Callable[[str], None]
    upsample: bool = False
    cache: Path | None = None
    kept: Kept | None = None
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
    from audiogmm.audio.frontend import FrontEnd

    announce_compiling(say)
    kept = keep_standard_input() if source == STANDARD_INPUT else None
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
    kept = keep_standard_input() if again and source == STANDARD_INPUT else None
    entries = read_entries(source, aside) if kept is None else kept.entries
    return Inputs(entries, frontend, aside, say, upsample, cache, kept)


def front_end_of(model: Model) -> FrontEnd | None:
    """The front end kept in a model; None where it was trained on frames of the user's own."""
    from audiogmm.audio.frontend import FrontEnd

    settings = model.metadata.get("frontend")
    return None if settings is None else FrontEnd.from_dict(settings)


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


def cache_at(source: object) -> Path | None:
    """The folder, if `source` names a frame cache."""
    from audiogmm.audio.cache import is_frame_cache

    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    return path if is_frame_cache(path) else None


def cached_front_end(cache: Path, frontend: FrontEnd | None, sample_rate: int | None) -> FrontEnd:
    """The front end of the frames in a cache: the one asked for, or the only one.

    Raises
    ------
    MismatchError
        If there are no frames of the one asked for.
    ChoiceError
        If there are several, and none was asked for.
    """
    from audiogmm.audio import cache as audio_cache

    found = audio_cache.FrameCache(cache)
    declared = audio_cache.cached_front_end(cache)
    if frontend is not None:
        asked = dataclasses.replace(frontend, sample_rate=sample_rate or frontend.sample_rate)
        found.require(asked)
        fits = declared is not None and not declared.as_open_as(asked).difference(asked)
        return declared if fits and declared is not None else asked
    if declared is not None:
        return declared
    known = found.frontends()
    if len(known) != 1:
        raise ChoiceError(
            f"the frame cache {cache} holds frames of {len(known)} front ends",
            needed="one, or its name",
            remedy="--preset or --frontend, and --sample-rate",
        )
    return known[0]
