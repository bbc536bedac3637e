"""The lines of a list of trials, as recordings that can be read and claims about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import read_frontend
from audiogmm.runs.inputs import Notifier
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.trials import CUT, PATHS, Trial, TrialList

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry


_SLACK = 0.01
"""Seconds that a piece may end past its entry, as it may past a file."""


BATCH = 4096
"""Lines that are looked up together."""


@dataclass(frozen=True)
class Maker:
    """Makes recordings of entries, through the front end of the background model."""

    gallery: Gallery
    upsample: bool
    say: Callable[[str], None]

    def recording(self, entry: Entry) -> Recording:
        """The recording of an entry."""
        from audiogmm.audio.recording import Recording

        frontend = read_frontend(self.gallery.background)
        return Recording(entry, frontend, upsample=self.upsample, warn=Notifier(self.say))


class Lines:
    """The lines of a list that can be tried; bad ones, and those that were there before, are set aside.

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
        self._entries = None if manifest is None else NamedEntries(manifest, aside)
        self._aside = aside
        self._folder = ManifestFolder.of(path)
        self._name = Path(path).name

    def __iter__(self) -> Iterator[Trial]:
        from audiogmm.manifest.ids import SeenIds

        seen = SeenIds()
        trials = iter(self.list)
        while batch := list(islice(trials, BATCH)):
            keys = [json.dumps([trial.model, *trial.cut]) for trial in batch]
            doubled = seen.add(keys, [trial.line for trial in batch])
            for i, trial in enumerate(batch):
                if i in doubled:
                    self.refuse(trial, _duplicate(trial, self._name, doubled[i]))
                else:
                    yield trial

    def count(self) -> int:
        """How many lines there may be: line ends are counted, once."""
        return max(0, sum(1 for _ in self.list.raw()) - 1)

    def cuts(self, chunk: Sequence[Trial], maker: Maker) -> dict[Recording, list[int]]:
        """The recordings of some trials, and the places of the trials of each; bad ones are set aside."""
        rows: dict[tuple[str, ...], list[int]] = {}
        for i, trial in enumerate(chunk):
            rows.setdefault(trial.cut, []).append(i)
        cuts: dict[Recording, list[int]] = {}
        named = None if self._entries is None else self._entries.of([cut[-1] for cut in rows])
        for cut, places in rows.items():
            try:
                recording = maker.recording(self._entry(cut, chunk[places[0]], named))
            except AudioGMMError as error:
                for i in places:
                    self.refuse(chunk[i], error)
            else:
                cuts.setdefault(recording, []).extend(places)
        return cuts

    def refuse(self, trial: Trial, error: AudioGMMError) -> None:
        """Set a trial aside."""
        path = "" if trial.cut[-1] else trial.cut[0] or trial.cut[1]
        self._aside.put(f"{self._name}:{trial.line}", self._folder.resolve(path) if path else "", error)

    def refuse_row(self, chunk: Sequence[Trial], row: int, error: AudioGMMError) -> None:
        """Set the trial at a place of a chunk aside."""
        self.refuse(chunk[row], error)

    def _refuse_line(self, line: int, error: AudioGMMError) -> None:
        self._aside.put(f"{self._name}:{line}", "", error)

    def _entry(self, cut: tuple[str, ...], trial: Trial, named: Found | None) -> Entry:
        from audiogmm.manifest.record import entry_of

        record = {name: _value(name, cell) for name, cell in zip(CUT, cut[:-1], strict=True) if cell}
        if not isinstance(record.get("channel", 0), int):
            del record["channel"]  # a name of the line, which is no number of a track
        source = f"{self._name}:{trial.line}"
        if named is None:
            return entry_of(record, self._folder, source)
        if (entry := named.entries.get(cut[-1])) is None:
            raise self._unknown(cut[-1], source, named)
        return _piece(entry, entry_of({PATHS[0]: "-"} | record, self._folder, source)) if record else entry

    def _unknown(self, id: str, source: str, named: Found) -> ManifestError:
        manifest = "" if self._entries is None else self._entries.manifest
        alike = named.alike.get(id)
        return ManifestError(
            f"{source} names the recording {id!r}, which is no id in {manifest}",
            needed="the id of one of its entries",
            remedy=f"{alike!r}, which is there" if alike else f"add it to {manifest}, or correct the list",
        )


def _piece(entry: Entry, cut: Entry) -> Entry:
    """The piece of an entry that a line cuts out: seconds are counted from where the entry begins."""
    duration = cut.duration
    if entry.duration is not None:
        left = entry.duration - cut.offset
        duration = left if duration is None else duration
        if left <= 0 or duration > left + _SLACK:
            raise ManifestError(
                f"{cut.source} cuts {cut.offset:g} to {cut.offset + duration:g} s out of {entry.id!r}, "
                f"which has {entry.duration:g} s",
                needed="a piece that lies in the entry",
            )
        duration = min(duration, left)
    return replace(
        entry,
        offset=entry.offset + cut.offset,
        duration=duration,
        channel=entry.channel if cut.channel is None else cut.channel,
        frame_rate=cut.frame_rate or entry.frame_rate,
    )


def _value(name: str, cell: str) -> str | float | int:
    """A cell as a manifest's value; what is no number is left as it is, to be explained."""
    if name in PATHS:
        return cell
    for kind in (int, float):
        with suppress(ValueError):
            return kind(cell)
    return cell


def _duplicate(trial: Trial, name: str, line: int) -> ManifestError:
    return ManifestError(
        f"{name}:{trial.line} is the trial of line {line} again: "
        f"{trial.model!r}, {trial.cut[-1] or trial.cut[0] or trial.cut[1]}",
        needed="each trial once, or it counts twice",
        remedy="take it out of the list",
    )


class NamedEntries:
    """The entries of a manifest, some of them at a time: it is read again for each, and never held.

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
    >>> entries = NamedEntries(str(path), Aside(strict=True))
    >>> found = entries.of(["id1/a", "a.wav"])
    >>> found.entries["id1/a"].path.endswith("x/a.wav"), found.alike
    (True, {'a.wav': 'id1/a'})
    """

    def __init__(self, manifest: str, aside: Aside) -> None:
        self.manifest = manifest
        self._aside = aside
        self._read = False

    def of(self, ids: Collection[str]) -> Found:
        """The entries of these ids, as the manifest gives them or as they are made fit for file names.

        Raises
        ------
        ManifestError
            If the manifest cannot be read; its first bad line's, if the run is strict.
        """
        from audiogmm.manifest import read_manifest

        found: dict[str, Entry] = {}
        alike: dict[str, str] = {}
        bare: dict[str, list[str]] = {}
        wanted = set(ids)
        for id in wanted:
            bare.setdefault(_bare(id), []).append(id)

        def refuse(error: ManifestError) -> None:
            if not self._read:
                self._aside.put("", self.manifest, error)

        for entry in read_manifest(self.manifest, on_error=refuse):
            given = str(entry.extra.get("id", entry.id))
            for name in wanted.intersection((entry.id, given)):
                found.setdefault(name, entry)
            for name in bare.get(_bare(given), ()):
                alike.setdefault(name, given)
        self._read = True
        return Found(found, {name: other for name, other in alike.items() if name not in found})


@dataclass(frozen=True)
class Found:
    """What a manifest has of some ids.

    Attributes
    ----------
    entries : mapping of str to Entry
    alike : mapping of str to str
        Of those that it has not, an id there that differs in folders or suffix alone.
    """

    entries: dict[str, Entry]
    alike: dict[str, str]


def _bare(id: str) -> str:
    """An id without folders and suffix."""
    return PurePosixPath(id).stem
