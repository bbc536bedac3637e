"""Where the files of a run are now: events, record, model, and the recordings that were listened to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.from_model import read_detector
from audiogmm.errors import AudioGMMError, ChoiceError, ManifestError, MismatchError, ModelFileError
from audiogmm.mixture.store import load
from audiogmm.report.page.shown import Found
from audiogmm.report.run.record import SUFFIX, RunRecord, record_path
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import read_entries
from audiogmm.runs.standard_input import STANDARD_INPUT

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class Run:
    """A detection run: its events, and what it says of itself, where it does.

    Attributes
    ----------
    events : Path
    record : RunRecord or None
    """

    events: Path
    record: RunRecord | None

    @classmethod
    def at(cls, path: Path) -> Run:
        """The run that wrote the events `path`, or whose record it is, or the only run of a folder.

        Raises
        ------
        ManifestError
            If there is none, or its record cannot be used.
        """
        if path.is_dir():
            records = sorted(path.glob(f"*{SUFFIX}"))
            if len(records) != 1:
                raise ManifestError(
                    f"{path} holds {len(records)} records of runs (*{SUFFIX})",
                    needed="one run",
                    remedy="name the file of events",
                )
            path = records[0]
        if path.name.endswith(SUFFIX):
            record = RunRecord.read(path)
            return cls(path.with_name(path.name.removesuffix(SUFFIX)), record)
        if not path.exists():
            raise ManifestError(
                f"{path} is not there",
                needed="the events of a run",
                remedy="audiogmm detect MODEL M -o events.jsonl",
            )
        beside = record_path(path)
        return cls(path, RunRecord.read(beside) if beside.exists() else None)

    def model(self, named: Path | None) -> tuple[Path, Model, Detector]:
        """The model of the run and its detector as it was set then.

        Parameters
        ----------
        named : Path or None
            Where the model is, if not where the record says.

        Raises
        ------
        ChoiceError
            If nothing says where it is.
        ModelFileError
            If it is not there, or no model of ours.
        MismatchError
            If it is another one than that of the run, or not calibrated.
        """
        record, path = self.record, named
        if path is None:
            if record is None:
                raise ChoiceError(
                    f"{self.events} has no record of its run beside it ({self.events.name}{SUFFIX})",
                    needed="the model that found the events, to score them again",
                    remedy="--model MODEL",
                )
            path = record.find("model")
            if path is None:
                raise ModelFileError(
                    f"the model of the run, {record.model_path}, is not there any more",
                    needed="it, to score the recordings again",
                    remedy="--model MODEL",
                )
        model = load(path)
        detector = read_detector(model)
        if record is not None:
            if model.fingerprint != record.fingerprint:
                raise MismatchError(
                    f"the model {path} has the fingerprint {model.fingerprint[:16]}",
                    needed=f"{record.fingerprint[:16]}, that of the run",
                    remedy="the model that found the events, or detect anew",
                )
            known = detector.settings.__dataclass_fields__
            settings = {name: value for name, value in record.detector.items() if name in known}
            detector = replace(detector, settings=replace(detector.settings, **settings))
        return path, model, detector

    def entries(self, named: str | None, aside: Aside) -> tuple[Iterable[Entry] | None, str]:
        """The recordings that were listened to, and a note where that is not all there is to say.

        None where only the events tell where they are.

        Parameters
        ----------
        named : str or None
            The manifest, if it is not where the record says.

        Raises
        ------
        ManifestError
            If a manifest that was named cannot be read.
        """
        if named is not None:
            if not Path(named).exists():
                raise ManifestError(
                    f"{named} is not there", needed="the manifest of the run, or the recording"
                )
            return read_entries(named, aside), ""
        if self.record is None:
            return None, (
                "The events have no record of their run beside them: what was listened to without an event "
                "is not known."
            )
        if self.record.source == STANDARD_INPUT:
            return None, "This run listened to standard input, which cannot be heard again."
        found = self.record.find("source")
        if found is None:
            return None, (
                f"The manifest {self.record.source} is not where it was: recordings were looked for where "
                f"the events say; --manifest tells where it is."
            )
        try:
            return read_entries(str(found), aside), ""
        except AudioGMMError as error:
            return None, f"The manifest {self.record.source} cannot be read any more: {error}."


def entry_of_event(found: Found, *, audio: bool) -> Entry | None:
    """A recording as its event names it; None where that is no path.

    Parameters
    ----------
    found : Found
    audio : bool
        Whether the model listens to audio; it takes frames of one's own otherwise.
    """
    from audiogmm.manifest import Entry, safe_id

    event = found.event
    if not event.audio_filepath or event.audio_filepath == STANDARD_INPUT or safe_id(event.id) != event.id:
        return None
    if audio:
        return Entry(audio_filepath=event.audio_filepath, id=event.id)
    return Entry(audio_filepath=None, features_filepath=event.audio_filepath, id=event.id)


def set_aside_then(run: Run) -> tuple[dict[str, tuple[str, str]], int]:
    """What the run itself set aside: path and reason by id, of the first so many, and how many there were."""
    import json

    record = run.record
    if record is None or not record.set_aside or not record.errors:
        return {}, 0
    path = run.events.with_name(Path(record.errors).name)
    rows: dict[str, tuple[str, str]] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                key = str(row.get("id") or row.get("reason"))
                rows[key] = str(row.get("path", "")), str(row.get("reason", ""))
                if len(rows) == MOST_ASIDE:
                    break
    except (OSError, ValueError, AttributeError):  # the count is known all the same
        pass
    return rows, record.set_aside


MOST_ASIDE = 10_000
"""Inputs set aside that are remembered."""


def chosen(
    entries: Iterable[Entry] | None, wanted: Sequence[str], skipped: Iterable[str], most_quiet: int
) -> tuple[dict[str, Entry], list[Entry]]:
    """Those of the entries that are shown: with events, and the first ones without.

    The manifest is read no further than needed.

    Returns
    -------
    found : dict
        Entry of each of `wanted` that is there.
    quiet : list of Entry
        The first `most_quiet` that are neither wanted nor skipped.
    """
    from audiogmm.audio.matrix.matrix import expand

    needed, passed = set(wanted), set(skipped)
    found: dict[str, Entry] = {}
    quiet: list[Entry] = []
    for given in entries or ():
        if len(found) == len(needed) and len(quiet) >= most_quiet:
            break
        try:
            pieces = list(expand(given))  # a Kaldi archive holds several
        except AudioGMMError:
            pieces = [given]
        for entry in pieces:
            if entry.id in needed:
                found[entry.id] = entry
            elif len(quiet) < most_quiet and entry.id not in passed:
                quiet.append(entry)
    return found, quiet
