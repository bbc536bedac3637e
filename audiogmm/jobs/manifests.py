"""Manifest: scan a folder, check a manifest, convert one format to another."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.audio.decoders.wave_times import read_wave_times
from audiogmm.audio.matrix.columns import ColumnChoice
from audiogmm.files import refuse_overwrite
from audiogmm.manifest.clock.starts import StartFinder
from audiogmm.manifest.clock.streams import STREAM_KEY
from audiogmm.manifest.clock.timetable import Timetable
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.segments.events import read_events
from audiogmm.manifest.segments.table import read_truth
from audiogmm.reprs import lines_repr
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.inputs import read_entries
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.sources import Source, name_of
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.decoders.decoder import AudioInfo
    from audiogmm.manifest import Entry
    from audiogmm.manifest.check import Problem


@dataclass
class WriteResult:
    """A manifest that was written."""

    output: Path
    entries: int = 0
    timed: int = 0
    speakers: set[str] = field(default_factory=set)
    aside: Aside = field(default_factory=Aside)

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.output),
            "entries": self.entries,
            "speakers": len(self.speakers),
            "timed": self.timed,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        speakers = f" of {amount(len(self.speakers), 'speaker')}" if self.speakers else ""
        timed = f", {self.timed:,} with a time" if self.timed else ""
        yield f"{amount(self.entries, 'recording')}{speakers}{timed}"
        yield f"manifest: {self.output}"


def scan(
    folder: str | os.PathLike[str],
    *,
    speaker: str | None = None,
    time_pattern: str | None = None,
    time_zone: str | None = None,
) -> list[Entry]:
    """List every recording below a folder.

    Parameters
    ----------
    folder : path-like
    speaker : str, optional
        Name the speaker: ``"parent"``, that of the parent folder, or a regular expression whose group
        ``speaker`` matches a part of the path.
    time_pattern : str, optional
        Where the time is in a path, as `strptime` has it; ``%s`` is Unix time. By default the names of
        AudioMoth, Song Meter and ISO 8601 are known.
    time_zone : str, optional
        Of names and BWF metadata, which have none: ``Europe/Berlin``; by default UTC.

    Returns
    -------
    list of Entry
        In order of their paths, with durations; `audiogmm.write_manifest` writes them.

    Raises
    ------
    ManifestError
        If the folder does not exist, or holds no recording.
    ChoiceError
        If the pattern or the zone is none.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> soundfile.write(folder / "a.wav", np.zeros(8000), 8000)
    >>> [(entry.id, entry.duration) for entry in scan(folder)]
    [('a', 1.0)]
    """
    from audiogmm.audio.decode import probe
    from audiogmm.manifest import find_recordings

    starts = StartFinder.of(time_pattern, time_zone, read_wave_times)
    found = find_recordings(
        Path(folder), speaker=speaker or None, measure=lambda entry: probe(entry, full=False)
    )
    return [starts.timed(entry) for entry in found]


def scan_folder(
    folder: Path,
    output: Path,
    *,
    speaker: str | None = None,
    time_pattern: str | None = None,
    time_zone: str | None = None,
    force: bool = False,
    progress: Progress | bool | None = None,
) -> WriteResult:
    """List every recording below a folder in a manifest.

    Raises
    ------
    ManifestError
        If the folder does not exist, or holds no recording.
    OutputError
        If the manifest exists (and not `force`), or cannot be written.
    """
    from audiogmm.audio.decode import probe
    from audiogmm.manifest import find_recordings

    refuse_overwrite(output, force)
    starts = StartFinder.of(time_pattern, time_zone, read_wave_times)
    found = find_recordings(folder, speaker=speaker or None, measure=lambda entry: probe(entry, full=False))
    return _write(map(starts.timed, found), output, None, force, progress_of(progress), Aside())


def convert_manifest(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    source_format: str | None = None,
    format: str | None = None,
    events: bool = False,
    force: bool = False,
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> WriteResult:
    """Write a manifest in another format; lines that cannot be read are set aside.

    Parameters
    ----------
    source : path-like
        A manifest, or a list of events of `detect`, each of which becomes an entry.
    output : path-like
        The other one, or a folder: a Kaldi data directory, or labels, a file a recording.
    source_format, format : str, optional
        Their formats; by content, and by the name of `output`.
    events : bool
        Of a list of segments, each recording becomes an entry with its segments as the truth for
        `evaluate detect`; by default each segment becomes one.
    force : bool
        Overwrite a file that exists.
    strict : bool
        Raise the first line's error.
    progress : Progress, optional
        Receives notes.

    Raises
    ------
    ManifestError
        If the manifest cannot be read, or the other format cannot hold it.
    OutputError
        If the output exists (and not `force`), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.jsonl").write_text('{"audio_filepath": "a.wav", "duration": 2.0}\\n')
    >>> convert_manifest(folder / "a.jsonl", folder / "a.csv").entries
    1
    """
    output = Path(output)
    refuse_overwrite(output, force)
    with set_aside_by(output, strict) as aside:
        entries = read_entries(source, aside, source_format, say=progress_of(progress).say)
        if isinstance(entries, Manifest):
            entries = read_truth(entries) if events else read_events(entries)
        return _write(entries, output, format, force, progress_of(progress), aside)


def _write(
    entries: Iterable[Entry], output: Path, format: str | None, force: bool, progress: Progress, aside: Aside
) -> WriteResult:
    from audiogmm.manifest import ManifestWarning, write_manifest

    result = WriteResult(output, aside=aside)

    def counted() -> Iterator[Entry]:
        for entry in entries:
            if entry.speaker is not None:
                result.speakers.add(entry.speaker)
            result.timed += entry.time is not None
            progress.advance(1)
            yield entry

    progress.begin("writing", None, "recordings")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ManifestWarning)
        result.entries = write_manifest(
            counted(),
            output,
            format,
            force=force,
            measure=measure_recording,
            refuse=lambda entry, error: aside.put(entry.id, entry.path, error),
        )
    progress.end()
    for warning in caught:
        progress.say(str(warning.message))
    return result


@dataclass
class CheckResult:
    """The problems of a manifest."""

    manifest: str
    entries: int = 0
    problems: list[Problem] = field(default_factory=list)
    times: Timetable = field(default_factory=Timetable)
    warnings: tuple[str, ...] = ()

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "manifest": self.manifest,
            "entries": self.entries,
            "problems": [
                {
                    "source": problem.entry.source if problem.entry else self.manifest,
                    "id": problem.entry.id if problem.entry else None,
                    "error": type(problem.error).__name__,
                    "reason": str(problem.error),
                }
                for problem in self.problems
            ],
            "times": self.times.summary(),
            "warnings": list(self.warnings),
            "set_aside": 0,
            "errors": None,
        }

    def lines(self) -> Iterator[str]:
        """Yield every problem, then their number."""
        lines: Counter[str] = Counter()  # bad lines of a list are often all alike
        for problem in self.problems:
            kind = re.sub(r"\d+", "#", str(problem)) if problem.entry is None else ""
            lines[kind] += 1
            if not kind or lines[kind] == 1:
                yield str(problem)
        for kind, count in lines.items():
            if kind and count > 1:
                first = kind.partition(";")[0].rpartition(":#: ")[2]
                yield f"{self.manifest}: {amount(count - 1, 'other line')} like it: {first}"
        yield from self.times.lines()
        problems = amount(len(self.problems), "problem") if self.problems else "no problem"
        warned = f", {amount(len(self.warnings), 'warning')}" if self.warnings else ""
        yield f"checked {amount(self.entries, 'entry', 'entries')}: {problems}{warned}"


def check_manifest(
    source: Source,
    *,
    fast: bool = False,
    columns: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    id_column: str | None = None,
    time_pattern: str | None = None,
    time_zone: str | None = None,
    stream: str = STREAM_KEY,
    progress: Progress | bool | None = None,
) -> CheckResult:
    """Open every recording of a manifest (`fast`: its header only), and name each that cannot be used.

    Parameters
    ----------
    source : path-like
        A manifest.
    fast : bool
        Read only headers, not every sample.
    columns, exclude, id_column
        Of tables, as for `train`.
    time_pattern, time_zone : str, optional
        Of the names of files, as for `scan`. A time that contradicts the name or the metadata is a problem.
    stream : str
        The key that tells streams apart; gaps, overlaps and steps back are those of a stream.
    progress : Progress, optional
        Receives notes.

    Returns
    -------
    CheckResult
        Its `problems` name the entries; `lines()` is for a person.

    Raises
    ------
    ManifestError
        If the manifest itself cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> soundfile.write(folder / "a.wav", np.zeros(8000), 8000)
    >>> _ = (folder / "b.wav").write_bytes(b"RIFF")
    >>> names = '{"audio_filepath": "a.wav"}\\n{"audio_filepath": "b.wav"}\\n'
    >>> _ = (folder / "all.jsonl").write_text(names)
    >>> found = check_manifest(folder / "all.jsonl")
    >>> found.entries, [problem.entry.id for problem in found.problems]
    (2, ['b'])
    """
    from audiogmm.audio.decode import probe
    from audiogmm.audio.decoders.notices import Notices
    from audiogmm.manifest import find_problems

    progress = progress_of(progress)
    result = CheckResult(name_of(source), times=Timetable(stream))
    starts = StartFinder.of(time_pattern, time_zone, read_wave_times)
    notices = Notices(then=progress.say)
    choice = ColumnChoice.of(columns, exclude, id_column)

    def look(entry: Entry) -> AudioInfo:
        result.entries += 1
        progress.advance(1)
        info = probe(entry, full=not fast, warn=notices, choice=choice)
        result.times.add(entry, info.duration)
        starts.refuse_contradiction(entry)
        return info

    progress.begin("checking", None, "recordings")
    result.problems.extend(find_problems(read_entries(source, Aside(strict=True)), look))
    progress.end()
    result.warnings = notices.messages
    return result


def measure_recording(entry: Entry) -> AudioInfo:
    """Return what a header says, and the length, for which a recording is decoded whole where it must be."""
    from audiogmm.audio.decode import probe

    info = probe(entry, full=False)
    return info if info.n_samples is not None else probe(replace(entry, offset=0.0, duration=None))
