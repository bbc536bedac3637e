"""Reading a list of trials: from its lines to recordings and the speakers that are claimed of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from audiogmm.audio.matrix.columns import ColumnChoice
from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.escapes import restored
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import read_frontend
from audiogmm.runs.inputs import Notifier
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.trials import PATHS, SEGMENT_COLUMNS, Trial, TrialList

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry


_SLACK = 0.01
"""Seconds by which a segment may end past its entry, as it may past a file."""

BATCH = 4096
"""Lines that are compared with earlier ones at a time."""


def recording_factory(
    gallery: Gallery, upsample: bool, say: Callable[[str], None], choice: ColumnChoice
) -> Callable[[Entry], Recording]:
    """Return a function that makes recordings of entries, with a gallery's front end or columns."""
    from audiogmm.audio.recording import Recording

    background = gallery.background
    return partial(
        Recording,
        frontend=read_frontend(background),
        upsample=upsample,
        warn=Notifier(say),
        choice=choice.or_those_of(background.metadata.columns),
    )


class TrialReader:
    """The usable lines of a list of trials, re-iterable; bad and repeated ones are set aside.

    Parameters
    ----------
    path : str
        The list.
    aside : Aside
        Takes what is set aside.
    manifest : str, optional
        Tests are named by the ids of its entries.
    """

    def __init__(self, path: str, aside: Aside, manifest: str | None = None) -> None:
        from audiogmm.manifest.folder import ManifestFolder

        self.list = TrialList(path, self._refuse_line, by_id=manifest is not None)
        self._entries = None if manifest is None else EntryLookup(manifest, aside)
        self._aside = aside
        self._folder = ManifestFolder.of(path)
        self._name = Path(path).name

    def __iter__(self) -> Iterator[Trial]:
        from audiogmm.manifest.ids import SeenIds

        seen = SeenIds()
        trials = iter(self.list)
        while batch := list(islice(trials, BATCH)):
            keys = [json.dumps([trial.model, *trial.segment]) for trial in batch]
            doubled = seen.add(keys, [trial.line for trial in batch])
            for i, trial in enumerate(batch):
                if i in doubled:
                    self.refuse(trial, _duplicate(trial, self._name, doubled[i]))
                else:
                    yield trial

    def count(self) -> int:
        """Return the number of lines at most: line ends are counted."""
        return max(0, sum(1 for _ in self.list.raw()) - self.list.n_header_lines)

    def segments(
        self, chunk: Sequence[Trial], make_recording: Callable[[Entry], Recording]
    ) -> dict[Recording, list[int]]:
        """Return the recordings of some trials, and the rows of each; trials of bad ones are set aside."""
        rows_of: dict[tuple[str, ...], list[int]] = {}
        for i, trial in enumerate(chunk):
            rows_of.setdefault(trial.segment, []).append(i)
        segments: dict[Recording, list[int]] = {}
        found = None if self._entries is None else self._entries.find([segment[-1] for segment in rows_of])
        for segment, rows in rows_of.items():
            try:
                recording = make_recording(self._entry(segment, chunk[rows[0]], found))
            except AudioGMMError as error:
                for i in rows:
                    self.refuse(chunk[i], error)
            else:
                segments.setdefault(recording, []).extend(rows)
        return segments

    def refuse(self, trial: Trial, error: AudioGMMError) -> None:
        """Set a trial aside."""
        path = "" if trial.segment[-1] else trial.segment[0] or trial.segment[1]
        self._aside.put(f"{self._name}:{trial.line}", self._folder.resolve(path) if path else "", error)

    def _refuse_line(self, line: int, error: AudioGMMError) -> None:
        self._aside.put(f"{self._name}:{line}", "", error)

    def _entry(self, segment: tuple[str, ...], trial: Trial, found: FoundEntries | None) -> Entry:
        from audiogmm.manifest.record import entry_of

        cells = zip(SEGMENT_COLUMNS, segment[:-1], strict=True)
        record = {name: _value(name, cell) for name, cell in cells if cell}
        if not isinstance(record.get("channel", 0), int | list):
            del record["channel"]  # a name of the line, which is not the number of a track
        source = f"{self._name}:{trial.line}"
        if found is None:
            return entry_of(record, self._folder, source)
        if (entry := found.entries.get(segment[-1])) is None:
            raise self._unknown(segment[-1], source, found)
        return cut_entry(entry, entry_of({PATHS[0]: "-"} | record, self._folder, source)) if record else entry

    def _unknown(self, id: str, source: str, found: FoundEntries) -> ManifestError:
        manifest = "" if self._entries is None else self._entries.manifest
        alike = found.alike.get(id)
        return ManifestError(
            f"{source} names the recording {id!r}, which is no id in {manifest}",
            needed="the id of one of its entries",
            remedy=f"{alike!r}, which is there" if alike else f"add it to {manifest}, or correct the list",
        )


def cut_entry(entry: Entry, segment: Entry) -> Entry:
    """Return the segment of an entry that a line names; its seconds are counted from the entry's beginning.

    Raises
    ------
    ManifestError
        If it does not lie within the entry.
    """
    duration = segment.duration
    if entry.duration is not None:
        left = entry.duration - segment.offset
        duration = left if duration is None else duration
        if left <= 0 or duration > left + _SLACK:
            raise ManifestError(
                f"{segment.source} cuts {segment.offset:g} to {segment.offset + duration:g} s out of "
                f"{entry.id!r}, which has {entry.duration:g} s",
                needed="a segment that lies within the entry",
            )
        duration = min(duration, left)
    return replace(
        entry,
        offset=entry.offset + segment.offset,
        duration=duration,
        channel=entry.channel if segment.channel is None else segment.channel,
        frame_rate=segment.frame_rate or entry.frame_rate,
    )


def _value(name: str, cell: str) -> str | float | int | list[int]:
    """A cell as a manifest's value; one that is not a number is left as it is, for the error message."""
    if name in PATHS:
        return restored(cell)
    if cell.startswith("["):
        with suppress(ValueError):
            return [int(number) for number in json.loads(cell)]
    for kind in (int, float):
        with suppress(ValueError):
            return kind(cell)
    return cell


def _duplicate(trial: Trial, name: str, line: int) -> ManifestError:
    return ManifestError(
        f"{name}:{trial.line} is the trial of line {line} again: "
        f"{trial.model!r}, {trial.segment[-1] or trial.segment[0] or trial.segment[1]}",
        needed="each trial once, or it counts twice",
        remedy="take it out of the list",
    )


class EntryLookup:
    """Entries of a manifest by id, some at a time: it is read for each lookup, and never held.

    Parameters
    ----------
    manifest : str
        In any format.
    aside : Aside
        Takes its bad lines, once.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "test.jsonl"
    >>> _ = path.write_text('{"audio_filepath": "x/a.wav", "id": "id1/a"}')
    >>> entries = EntryLookup(str(path), Aside(strict=True))
    >>> found = entries.find(["id1/a", "a.wav"])
    >>> found.entries["id1/a"].path.endswith("x/a.wav"), found.alike
    (True, {'a.wav': 'id1/a'})
    """

    def __init__(self, manifest: str, aside: Aside) -> None:
        self.manifest = manifest
        self._aside = aside
        self._is_read = False

    def find(self, ids: Collection[str]) -> FoundEntries:
        """Find the entries of these ids, as the manifest gives them or as they are made fit for file names.

        Raises
        ------
        ManifestError
            If the manifest cannot be read; its first bad line's, if the run is strict.
        """
        from audiogmm.manifest import read_manifest
        from audiogmm.manifest.entry import default_id

        found: dict[str, Entry] = {}
        alike: dict[str, str] = {}
        bare: dict[str, list[str]] = {}
        wanted = set(ids)
        by_path: dict[str, list[str]] = {}
        for id in wanted:
            bare.setdefault(_bare(id), []).append(id)
            by_path.setdefault(default_id(id), []).append(id)  # VoxCeleb names a test by its path

        def refuse(error: ManifestError) -> None:
            if not self._is_read:
                self._aside.put("", self.manifest, error)

        for entry in read_manifest(self.manifest, on_error=refuse):
            given = str(entry.extra.get("id", entry.id))
            for name in wanted.intersection((entry.id, given)):
                found.setdefault(name, entry)
            for name in by_path.get(entry.id, ()):
                found.setdefault(name, entry)
            for name in bare.get(_bare(given), ()):
                alike.setdefault(name, given)
        self._is_read = True
        return FoundEntries(found, {name: other for name, other in alike.items() if name not in found})


@dataclass(frozen=True)
class FoundEntries:
    """The entries of a manifest that have some ids.

    Attributes
    ----------
    entries : mapping of str to Entry
    alike : mapping of str to str
        For an id that no entry has, one that differs in folders or suffix alone.
    """

    entries: dict[str, Entry]
    alike: dict[str, str]


def _bare(id: str) -> str:
    """An id without folders and suffix."""
    return PurePosixPath(id).stem
