"""The record of a detection run: a small file beside its events, from which a page can be made."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.checksum import KEY, is_intact, sealed
from audiogmm.documents import parse_finite
from audiogmm.errors import ManifestError
from audiogmm.escapes import ESCAPED
from audiogmm.files import replacing
from audiogmm.reading import reading
from audiogmm.types import Json, Seconds

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.mixture.store import Model

SUFFIX = ".run.json"
FORMAT = "audiogmm run 2"
_FORMATS = ("audiogmm run 1", FORMAT)  # the first has no checksum


@dataclass(frozen=True)
class RunRecord:
    """The inputs, settings and totals of a detection run; a few hundred bytes, however long the run was.

    Attributes
    ----------
    model, source : str
        The model and the manifest, as they were given.
    model_path, source_path : str or None
        Their absolute paths; None where there is no local file, as of standard input.
    fingerprint : str
        Of the model.
    detector : dict
        Settings, thresholds and notes, as in `Detector.metadata`, without the normal recordings.
    upsample : bool
        Whether audio below the model's rate was accepted.
    columns : list of str
        Of tables, where others were asked for than the model's.
    recordings, heard, events, set_aside : int
        Numbers of recordings, of recordings with an event, of events, and of inputs that were set aside.
    seconds : Seconds
        Total length of the recordings.
    errors : str or None
        Name of the list of inputs set aside, which is beside the record.
    times : dict or None
        Events and hours of sound by hour of day and by day, where recordings have a time.
    version, finished : str
        Version of audiogmm; time of the end, in ISO 8601.
    path : Path or None
        Where the record was read from.
    """

    model: str
    source: str
    fingerprint: str
    detector: Json
    model_path: str | None = None
    source_path: str | None = None
    upsample: bool = False
    columns: list[str] = field(default_factory=list)
    recordings: int = 0
    heard: int = 0
    events: int = 0
    set_aside: int = 0
    seconds: Seconds = 0.0
    errors: str | None = None
    times: Json | None = None
    version: str = ""
    finished: str = ""
    path: Path | None = field(default=None, compare=False)

    def write(self, events: Path) -> Path:
        """Write the record beside the events of the run, in place of an earlier one.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = record_path(events)
        row = {"format": FORMAT, **asdict(self)}
        del row["path"]
        if self.times is None:
            del row["times"]
        row = sealed(row)
        with replacing(path, force=True) as temporary:
            temporary.write_text(
                json.dumps(row, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", errors=ESCAPED
            )
        return path

    @staticmethod
    def is_at(path: Path) -> bool:
        """Return whether a file is the record of a detection run, or damaged; not that of another command."""
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return True
        return not isinstance(row, dict) or "detector" in row or "run" not in row

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read a record that `write` wrote.

        Raises
        ------
        ManifestError
            If there is no such file, or it is not the record of a run.
        """
        with reading(path, ManifestError, **_NO_RECORD, what="is not JSON"):
            row = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(row, dict) or row.get("format") not in _FORMATS:
            found = row.get("format") if isinstance(row, dict) else type(row).__name__
            raise ManifestError(f"{path}: format {found!r}, not {FORMAT!r}", **_NO_RECORD)
        if (row["format"] == FORMAT or KEY in row) and not is_intact(row):
            raise ManifestError(f"{path} is damaged: its content does not have its checksum", **_NO_RECORD)
        known = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        with reading(path, ManifestError, **_NO_RECORD, what="is no record"):
            record = cls(**known | {"path": path})
        for name, kind in _KINDS.items():
            value = getattr(record, name)
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise ManifestError(f"{path}: {name} is {value!r}", **_NO_RECORD)
        with reading(path, ManifestError, **_NO_RECORD, what="has a length that cannot be"):
            parse_finite(record.seconds)
        return record

    def find(self, which: str) -> Path | None:
        """Find the `model` or the `source`, at its old place or at the same place relative to the record.

        So a folder that holds the run, its model and its manifest may be moved as a whole.
        """
        absolute, given = getattr(self, f"{which}_path"), getattr(self, which)
        if absolute is None:
            return None
        places = [Path(absolute)]
        if self.path is not None:
            places += [self.path.parent / given, self.path.parent / Path(absolute).name]
        return next((place for place in places if place.exists()), None)


_KINDS: dict[str, Any] = {
    "model": str,
    "source": str,
    "fingerprint": str,
    "detector": dict,
    "upsample": bool,
    "columns": list,
    "recordings": int,
    "heard": int,
    "events": int,
    "set_aside": int,
    "seconds": (int, float),
    "model_path": (str, type(None)),
    "source_path": (str, type(None)),
    "errors": (str, type(None)),
    "version": str,
    "finished": str,
}

_NO_RECORD: dict[str, str] = {
    "needed": "the record that `audiogmm detect` writes beside its events",
    "remedy": "run detect again, or remove the record and give --model and --manifest",
}


def record_path(events: Path) -> Path:
    """Return the path of the record of the run that wrote `events`.

    Examples
    --------
    >>> record_path(Path("today/events.jsonl")).name
    'events.jsonl.run.json'
    """
    return events.with_name(events.name + SUFFIX)


def describe_run(
    model: Path, loaded: Model, detector: Detector, source: str, *, upsample: bool, **counts: Any
) -> RunRecord:
    """Make the record of a run that has ended.

    Parameters
    ----------
    model : Path
        As it was given.
    loaded : Model
    detector : Detector
        The ones that found the events.
    source : str
        The manifest, as it was given.
    upsample : bool
        Whether audio below the model's rate was accepted.
    **counts
        `columns`, `recordings`, `heard`, `events`, `set_aside`, `seconds` and `errors`.
    """
    from audiogmm.version import __version__

    about = {name: value for name, value in detector.metadata().items() if name != "recordings"}
    return RunRecord(
        model=os.fspath(model),
        model_path=str(model.resolve()),
        source=source,
        source_path=str(Path(source).resolve()) if Path(source).exists() else None,
        fingerprint=loaded.fingerprint,
        detector=about,
        upsample=upsample,
        version=__version__,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        **counts,
    )
