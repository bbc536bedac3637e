"""Events in files: JSONL, CSV, RTTM, and labels for Audacity."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from audiogmm.anomaly.event import OPTIONAL, REQUIRED, Event
from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.escapes import ESCAPED, restored
from audiogmm.files import replacing


@dataclass(frozen=True, slots=True)
class EventFormat:
    """How events become lines, and lines events.

    Attributes
    ----------
    suffix : str
        Of a file in this format.
    header : str
        First line, or nothing.
    dump : callable
        One event as one line, without its end.
    parse : callable
        The event of a line; raises ValueError or KeyError if it is none.
    """

    suffix: str
    header: str
    dump: Callable[[Event], str]
    parse: Callable[[str], Event]


class EventWriter:
    """Write events as they are found; the file appears when it is whole.

    Parameters
    ----------
    path : path-like
        Name of the file.
    format : {"jsonl", "csv", "rttm", "audacity"}, optional
        By default that of the suffix: ``.jsonl``, ``.csv``, ``.rttm``, ``.txt``. JSONL and CSV keep all
        that an event has. RTTM keeps id, start, duration and `score` (as the confidence); white space in
        an id becomes ``_``. Labels keep start, end, id and `peak`.
    force : bool
        Replace what is there.

    Raises
    ------
    ChoiceError
        If the format is unknown.
    OutputError
        If the file exists (and not `force`), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "events.jsonl"
    >>> with EventWriter(path) as writer:
    ...     writer.write(Event("a.wav", "a", 1.0, 2.5))
    >>> [event.end for event in read_events(path)]
    [2.5]
    """

    def __init__(
        self, path: str | os.PathLike[str], format: str | None = None, *, force: bool = False
    ) -> None:
        self.path = Path(path)
        self.format = format_of(self.path, format)
        self.n_events = 0
        self._force = force
        self._stack = ExitStack()

    def __enter__(self) -> EventWriter:
        with ExitStack() as stack:
            target = stack.enter_context(replacing(self.path, force=self._force))
            self._file = stack.enter_context(target.open("w", encoding="utf-8", errors=ESCAPED, newline="\n"))
            if self.format.header:
                self._file.write(self.format.header + "\n")
            self._stack = stack.pop_all()
        return self

    def write(self, event: Event) -> None:
        """Add one event."""
        self._file.write(self.format.dump(event) + "\n")
        self.n_events += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def write_events(
    events: Iterable[Event], path: str | os.PathLike[str], format: str | None = None, *, force: bool = False
) -> int:
    """Write events, as `EventWriter` does, and return their number."""
    with EventWriter(path, format, force=force) as writer:
        for event in events:
            writer.write(event)
    return writer.n_events


def read_events(path: str | os.PathLike[str], format: str | None = None) -> Iterator[Event]:
    """Read events one at a time; what the format does not keep is None.

    Raises
    ------
    ChoiceError
        If the format is unknown.
    ManifestError
        If the file is missing, or a line is not an event (its number is named).
    """
    path = Path(path)
    chosen = format_of(path, format)
    try:
        file = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}", needed="a file of events") from error
    with file:
        if chosen.header:
            columns = file.readline().rstrip("\r\n")
            if columns != chosen.header:
                raise ManifestError(f"{path}:1: {columns[:200]!r}", needed=f"the header {chosen.header}")
        for number, line in enumerate(file, start=2 if chosen.header else 1):
            if not line.strip():
                continue
            try:
                yield chosen.parse(line.rstrip("\r\n"))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                what = f"{line.strip()[:200]!r} is not an event ({type(error).__name__}: {error})"
                raise ManifestError(
                    f"{path}:{number}: {what}",
                    needed=f"a line of {chosen.suffix} events",
                ) from error


def format_of(path: Path, format: str | None = None) -> EventFormat:
    """Return the format of a name, or that of the file's suffix.

    Raises
    ------
    ChoiceError
        If there is none.

    Examples
    --------
    >>> format_of(Path("events.rttm")).suffix
    '.rttm'
    """
    if format is None:
        for candidate in FORMATS.values():
            if path.suffix.lower() == candidate.suffix:
                return candidate
        suffixes = ", ".join(candidate.suffix for candidate in FORMATS.values())
        if path.suffix == ".html":
            raise ChoiceError(
                "events cannot be written as .html; a page is made by "
                f"`audiogmm report events.jsonl -o {path.name}`",
                needed=f"a name that ends in {suffixes}",
            )
        raise ChoiceError(
            f"events cannot be read or written as {path.suffix or path.name}",
            needed=f"a name that ends in {suffixes}",
        )
    if format not in FORMATS:
        raise ChoiceError(f"events in the format {format!r}", needed=f"one of {', '.join(FORMATS)}")
    return FORMATS[format]


def _dump_json(event: Event) -> str:
    return json.dumps(event.to_dict(), ensure_ascii=False)


def _parse_json(line: str) -> Event:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("not an object")
    return Event.from_dict(row)


_COLUMNS = (*REQUIRED, *OPTIONAL)


def _dump_csv(event: Event) -> str:
    row: dict[str, Any] = event.to_dict()
    row["reasons"] = " | ".join(event.reasons)
    if event.explanation is not None:
        row["explanation"] = json.dumps(event.explanation, ensure_ascii=False)
    line = io.StringIO()
    values = ["" if row.get(name) is None else row[name] for name in _COLUMNS]
    csv.writer(line, lineterminator="").writerow([_one_line(value) for value in values])
    return line.getvalue()


def _parse_csv(line: str) -> Event:
    values = next(csv.reader([line]))
    row: dict[str, Any] = dict(zip(_COLUMNS, (value or None for value in values), strict=True))
    row["audio_filepath"] = row["audio_filepath"] and restored(row["audio_filepath"])
    row["reasons"] = row["reasons"].split(" | ") if row["reasons"] else []
    row["explanation"] = json.loads(row["explanation"]) if row["explanation"] else None
    return Event.from_dict(row)


def _dump_rttm(event: Event) -> str:
    name = "_".join(event.id.split()) or "_"
    confidence = "<NA>" if event.score is None else repr(event.score)
    times = f"{event.start!r} {event.end - event.start!r}"
    return f"SPEAKER {name} 1 {times} <NA> <NA> anomaly {confidence} <NA>"


def _parse_rttm(line: str) -> Event:
    kind, name, _, start, duration, _, _, _, confidence, *_ = line.split()
    if kind != "SPEAKER":
        raise ValueError(f"a line of type {kind}")
    score = None if confidence == "<NA>" else float(confidence)
    return Event(None, name, float(start), float(start) + float(duration), score=score)


def _dump_labels(event: Event) -> str:
    peak = "-" if event.peak is None else f"{event.peak:.6g}"
    return f"{event.start!r}\t{event.end!r}\t{' '.join(event.id.split())} {peak}"


def _parse_labels(line: str) -> Event:
    start, end, text = line.split("\t")
    name, _, peak = text.rpartition(" ")
    return Event(None, name, float(start), float(end), peak=None if peak == "-" else float(peak))


def _one_line(value: Any) -> Any:
    return " ".join(value.splitlines()) if isinstance(value, str) else value


FORMATS = {
    "jsonl": EventFormat(".jsonl", "", _dump_json, _parse_json),
    "csv": EventFormat(".csv", ",".join(_COLUMNS), _dump_csv, _parse_csv),
    "rttm": EventFormat(".rttm", "", _dump_rttm, _parse_rttm),
    "audacity": EventFormat(".txt", "", _dump_labels, _parse_labels),
}
"""Every format of events, by name."""
