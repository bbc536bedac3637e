"""The files of a run, and where they are now: events, record, model, manifest and recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.errors import AudioGMMError, ChoiceError, ManifestError, MismatchError, ModelFileError
from audiogmm.manifest.entry import STANDARD_INPUT
from audiogmm.mixture.store import load
from audiogmm.moves import finish_moves
from audiogmm.reporting.page.content import ReportedEvent
from audiogmm.reporting.run.record import SUFFIX, RunRecord, record_path
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import read_entries
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model

MOST_ASIDE = 10_000
"""Most rows that are read of the inputs that a run set aside."""


@dataclass(frozen=True)
class DetectionRun:
    """The files of a detection run.

    Attributes
    ----------
    events : Path
        What `detect` wrote.
    record : RunRecord or None
        The record beside the events; None where there is none.
    """

    events: Path
    record: RunRecord | None

    @classmethod
    def at(cls, path: Path) -> DetectionRun:
        """Find the run that wrote the events `path`, or whose record it is, or the only run of a folder.

        Raises
        ------
        ManifestError
            If there is none, or its record cannot be used.
        """
        finish_moves(path if path.is_dir() else path.parent, wait=True)
        if path.is_dir():
            records = [file for file in sorted(path.glob(f"*{SUFFIX}")) if RunRecord.is_at(file)]
            if len(records) != 1:
                raise ManifestError(
                    f"{path} holds {amount(len(records), 'record')} of runs (*{SUFFIX})",
                    needed="the record of one run",
                    remedy="give the file of events in place of the folder",
                )
            path = records[0]
        if path.name.endswith(SUFFIX):
            record = RunRecord.read(path)
            return cls(path.with_name(path.name.removesuffix(SUFFIX)), record)
        if not path.exists():
            raise ManifestError(
                f"{path} does not exist",
                needed="the events of a run",
                remedy="audiogmm detect MODEL M -o events.jsonl",
            )
        beside = record_path(path)
        return cls(path, RunRecord.read(beside) if beside.exists() else None)

    def model(self, named: Path | None) -> tuple[Path, Model, Detector]:
        """Load the model of the run, with the detector as it was set in the run.

        Parameters
        ----------
        named : Path or None
            Where the model is; None: where the record says.

        Raises
        ------
        ChoiceError
            If no record says where it is.
        ModelFileError
            If it is not there, or is not a model of audiogmm.
        MismatchError
            If it is not the model of the run, or is not calibrated.
        """
        record, path = self.record, named
        if path is None:
            if record is None:
                raise ChoiceError(
                    f"{self.events} has no record of its run beside it ({self.events.name}{SUFFIX})",
                    needed="the model that found the events, to score the recordings again",
                    remedy="--model MODEL",
                )
            path = record.find("model")
            if path is None:
                raise ModelFileError(
                    f"the model of the run, {record.model_path}, does not exist any more",
                    needed="the model, to score the recordings again",
                    remedy="--model MODEL, if it was moved",
                )
        model = load(path)
        detector = read_detector(model)
        if record is not None:
            if model.fingerprint != record.fingerprint:
                raise MismatchError(
                    f"the model {path} has the fingerprint {model.fingerprint[:16]}",
                    needed=f"the model of the run, {record.fingerprint[:16]}",
                    remedy="--model MODEL with the model of the run, or run detect again",
                )
            known = detector.settings.__dataclass_fields__
            settings = {name: value for name, value in record.detector.items() if name in known}
            detector = replace(detector, settings=replace(detector.settings, **settings))
        return path, model, detector

    def entries(self, named: str | None, aside: Aside) -> tuple[Iterable[Entry] | None, str]:
        """Return the entries of the run's manifest, and a note for the page where something is missing.

        The entries are None where only the events say where recordings are.

        Parameters
        ----------
        named : str or None
            Where the manifest is; None: where the record says.

        Raises
        ------
        ManifestError
            If a manifest that was named cannot be read.
        """
        if named is not None:
            if not Path(named).exists():
                raise ManifestError(
                    f"{named} does not exist", needed="the manifest of the run, or the recording"
                )
            return read_entries(named, aside), ""
        if self.record is None:
            return None, (
                "There is no record of the run beside the events, so that recordings without an event are "
                "not known."
            )
        if self.record.source == STANDARD_INPUT:
            return None, "This run read standard input, which cannot be read again."
        found = self.record.find("source")
        if found is None:
            return None, (
                f"The manifest {self.record.source} does not exist any more: the events say where "
                "recordings are. Give --manifest M if it was moved."
            )
        try:
            return read_entries(str(found), aside), ""
        except AudioGMMError as error:
            return None, f"The manifest {self.record.source} cannot be read any more: {error}."


def entry_of_event(found: ReportedEvent, *, audio: bool) -> Entry | None:
    """Return the recording of an event, from the path in the event; None where it has none.

    Parameters
    ----------
    found : ReportedEvent
    audio : bool
        Whether the model was trained on audio; on feature matrices otherwise.
    """
    from audiogmm.manifest import Entry, safe_id

    event = found.event
    if not event.audio_filepath or event.audio_filepath == STANDARD_INPUT or safe_id(event.id) != event.id:
        return None
    if audio:
        return Entry(audio_filepath=event.audio_filepath, id=event.id)
    return Entry(audio_filepath=None, features_filepath=event.audio_filepath, id=event.id)


def read_set_aside(run: DetectionRun) -> tuple[dict[str, tuple[str, str]], int]:
    """Read which inputs the run set aside.

    Returns
    -------
    rows : dict
        Path and reason by id, of the first `MOST_ASIDE`.
    n : int
        Number of all.
    """
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
    except (OSError, ValueError, AttributeError, RecursionError):  # the count is known all the same
        pass
    return rows, record.set_aside


def choose_entries(
    entries: Iterable[Entry] | None, wanted: Sequence[str], skipped: Iterable[str], most_quiet: int
) -> tuple[dict[str, Entry], list[Entry]]:
    """Choose the entries that a page shows: those with events, and the first ones without.

    The manifest is read no further than needed.

    Returns
    -------
    found : dict
        By id, the entry of each of `wanted` that the manifest has.
    quiet : list of Entry
        The first `most_quiet` entries that are neither wanted nor skipped.
    """
    from audiogmm.audio.matrix.matrix import expand_archive

    needed, passed = set(wanted), set(skipped)
    found: dict[str, Entry] = {}
    quiet: list[Entry] = []
    for given in entries or ():
        if len(found) == len(needed) and len(quiet) >= most_quiet:
            break
        try:
            pieces = list(expand_archive(given))  # a Kaldi archive holds several
        except AudioGMMError:
            pieces = [given]
        for entry in pieces:
            if entry.id in needed:
                found[entry.id] = entry
            elif len(quiet) < most_quiet and entry.id not in passed:
                quiet.append(entry)
    return found, quiet
