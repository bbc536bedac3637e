"""Events in files: JSONL, CSV, RTTM, labels for Audacity and Praat, tables for Raven and BirdNET."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from audiogmm.anomaly.event import JUDGED, OPTIONAL, REQUIRED, TIMES, Event
from audiogmm.documents import parse_finite
from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.escapes import ESCAPED, guarded, restored, unguarded
from audiogmm.files import replacing
from audiogmm.manifest.segments.recording_finder import recording_name
from audiogmm.manifest.segments.span import Span
from audiogmm.manifest.segments.span_format import SpanFormat, recording_stem
from audiogmm.manifest.segments.table import SPAN_FORMATS
from audiogmm.reading import reading


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
    spans : SpanFormat or None
        The list of segments that it is: it writes a folder of a file for each recording, and, where there is
        no `dump`, files.
    """

    suffix: str
    header: str
    dump: Callable[[Event], str] | None = None
    parse: Callable[[str], Event] | None = None
    spans: SpanFormat | None = None


class EventWriter:
    """Write events as they are found; the file appears when it is whole.

    Parameters
    ----------
    path : path-like
        Name of the file.
    format : {"jsonl", "csv", "rttm", "audacity", "raven", "birdnet", "textgrid"}, optional
        By default that of the suffix: ``.jsonl``, ``.csv``, ``.rttm``, ``.txt``, ``.selections.txt``,
        ``.BirdNET.results.csv``, ``.TextGrid``. JSONL and CSV keep all that an event has. RTTM keeps id,
        start, duration and `score` (as the confidence); white space in an id becomes ``_``. Labels keep
        start, end, id and `peak`. Raven's tables keep path, id, start, end and `score`; BirdNET's have
        1 - `p_value` as the confidence. All but JSONL and CSV can be a folder, a name without a suffix: a
        file for each recording with an event, named by its id. A TextGrid outside of one holds the events of
        one recording.
    force : bool
        Replace what is there.
    timed : bool
        Whether CSV has the columns `time` and `end_time`.
    with_kinds : bool
        Whether CSV has the columns `group`, `name` and `group_probability`.
    judged : bool
        Whether CSV has the columns `time`, `end_time`, `verdict` and `change`.

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
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        force: bool = False,
        timed: bool = False,
        with_kinds: bool = False,
        judged: bool = False,
    ) -> None:
        self.path = Path(path)
        self.format = format_of(self.path, format)
        self.n_events = 0
        self.timed, self.with_kinds, self.judged = timed or judged, with_kinds, judged
        self._force = force
        self._stack = ExitStack()

    def __enter__(self) -> EventWriter:
        with ExitStack() as stack:
            target = stack.enter_context(replacing(self.path, force=self._force))
            self._target, self._held = target, list[Span]()
            if self._holds:
                self._stack = stack.pop_all()
                return self
            self._file = stack.enter_context(target.open("w", encoding="utf-8", errors=ESCAPED, newline="\n"))
            if self.format.header:
                self._file.write(self._further(self.format.header, _KIND, self._last) + "\n")
            self._stack = stack.pop_all()
        return self

    def write(self, event: Event) -> None:
        """Add one event."""
        self.n_events += 1
        spans = self.format.spans
        if self._holds:
            self._held.append(_span(event, spans))
        elif self.format.dump is not None:
            cells = _last_cells(event, self._last)
            self._file.write(self._further(self.format.dump(event), _kind_cells(event), cells) + "\n")
        elif spans is not None and spans.line is not None:
            self._file.write(spans.line(self.n_events, _span(event, spans)) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spans = self.format.spans
        if self._holds and spans is not None and kind is None:
            try:
                spans.write_spans(self._held, self._target, is_folder=not self.path.suffix)
            except BaseException:
                self._stack.__exit__(*sys.exc_info())
                raise
        self._stack.__exit__(kind, error, trace)

    def _further(self, line: str, kind: Iterable[object], times: Iterable[object]) -> str:
        """A line of CSV with the columns of kinds and times behind it, where events have some."""
        if self.format is not FORMATS["csv"]:
            return line
        cells = [*(kind if self.with_kinds else ()), *(times if self.timed else ())]
        return ",".join([line, *map(str, cells)])

    @property
    def _last(self) -> tuple[str, ...]:
        return _JUDGED if self.judged else TIMES

    @property
    def _holds(self) -> bool:
        """Whether events wait in memory until the end: those of files of one recording each."""
        spans = self.format.spans
        return spans is not None and (not self.path.suffix or spans.whole is not None)


def write_events(
    events: Iterable[Event],
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    force: bool = False,
    timed: bool = False,
    with_kinds: bool = False,
    judged: bool = False,
) -> int:
    """Write events, as `EventWriter` does, and return their number."""
    with EventWriter(path, format, force=force, timed=timed, with_kinds=with_kinds, judged=judged) as writer:
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
    if chosen.spans is not None and (chosen.parse is None or path.is_dir()):
        yield from _read_spans(path, chosen.spans)
        return
    assert chosen.parse is not None
    needed, line_needed = "a file of events in UTF-8", f"a line of {chosen.suffix} events"
    again, what = "run detect again", "is not an event"
    with (
        reading(path, ManifestError, needed=needed, remedy=again),
        path.open(encoding="utf-8", newline="") as file,
    ):
        if chosen.header:
            columns = file.readline().rstrip("\r\n")
            known = [",".join([chosen.header, *more]) for more in _FURTHER]
            if columns not in known:
                raise ManifestError(f"{path}:1: {columns[:200]!r}", needed=f"the header {chosen.header}")
        for number, line in enumerate(file, start=2 if chosen.header else 1):
            if not line.strip():
                continue
            place = f"{path}:{number}: {line.strip()[:200]!r}"
            with reading(place, ManifestError, needed=line_needed, remedy=again, what=what):
                event = chosen.parse(line.rstrip("\r\n"))
            yield event


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
        by_length = sorted(FORMATS.values(), key=lambda candidate: -len(candidate.suffix))
        for candidate in by_length:
            if path.name.lower().endswith(candidate.suffix.lower()):
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
_KIND = ("group", "name", "group_probability")
_JUDGED = (*TIMES, *JUDGED)
_FURTHER = ((), TIMES, _KIND, (*_KIND, *TIMES), _JUDGED, (*_KIND, *_JUDGED))
"""Columns that are there where events have them."""


def _kind_cells(event: Event) -> list[str]:
    kind = event.kind or {}
    values = [kind.get("group"), kind.get("name"), kind.get("probability")]
    line = io.StringIO()
    cells = ["" if value is None else guarded(str(_one_line(value))) for value in values]
    csv.writer(line, lineterminator="").writerow(cells)
    return [line.getvalue()]


def _last_cells(event: Event, names: Iterable[str]) -> list[str]:
    row = event.to_dict()
    if event.change is not None:
        row["change"] = json.dumps(event.change)
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([row.get(name, "") for name in names])
    return [line.getvalue()]


def _dump_csv(event: Event) -> str:
    row: dict[str, Any] = event.to_dict()
    row["reasons"] = " | ".join(event.reasons)
    if event.explanation is not None:
        row["explanation"] = json.dumps(event.explanation, ensure_ascii=False)
    line = io.StringIO()
    values = ["" if row.get(name) is None else row[name] for name in _COLUMNS]
    csv.writer(line, lineterminator="").writerow([guarded(str(_one_line(value))) for value in values])
    return line.getvalue()


def _parse_csv(line: str) -> Event:
    values = [unguarded(cell) for cell in next(csv.reader([line]))]
    further = next((more for more in _FURTHER if len(values) == len(_COLUMNS) + len(more)), ())
    columns = (*_COLUMNS, *further)
    row: dict[str, Any] = dict(zip(columns, (value or None for value in values), strict=True))
    row["audio_filepath"] = row["audio_filepath"] and restored(row["audio_filepath"])
    row["reasons"] = row["reasons"].split(" | ") if row["reasons"] else []
    row["explanation"] = json.loads(row["explanation"]) if row["explanation"] else None
    row["change"] = json.loads(row["change"]) if row.get("change") else None
    if row.get("group_probability"):
        row["kind"] = {name: row[name] for name in _KIND[:2]} | {"probability": row["group_probability"]}
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
    score = None if confidence == "<NA>" else parse_finite(confidence)
    begin = parse_finite(start)
    return Event(None, name, begin, begin + parse_finite(duration), score=score)


def _dump_labels(event: Event) -> str:
    peak = "-" if event.peak is None else f"{event.peak:.6g}"
    return f"{event.start!r}\t{event.end!r}\t{' '.join(event.id.split())} {peak}"


def _parse_labels(line: str) -> Event:
    start, end, text = line.split("\t")
    name, _, peak = text.rpartition(" ")
    found = None if peak == "-" else parse_finite(peak)
    return Event(None, name, parse_finite(start), parse_finite(end), peak=found)


def _span(event: Event, spans: SpanFormat | None) -> Span:
    """An event as a segment; where a format has no column for it, the label says how severe it is."""
    label, score = (event.kind or {}).get("name") or "anomaly", event.score
    if spans is not None and spans.is_of_one and event.severity is not None:
        label += f", severity {event.severity:.1f}"
    if spans is not None and spans.name == "birdnet":
        score = None if event.p_value is None else 1 - event.p_value
    recording = event.audio_filepath or event.id
    return Span(recording, event.start, event.end, label, score=score, id=event.id)


def _read_spans(path: Path, spans: SpanFormat) -> Iterator[Event]:
    """The events of a list of segments, by the ids that it has, else by the names of the recordings."""
    has_scores = spans.name != "birdnet"
    for file in spans.files(str(path)):
        for _, span in spans.read_spans(file):
            if isinstance(span, ManifestError):
                raise span
            name = span.id or (recording_stem(span.recording) if span.recording else recording_name(file))
            score = span.score if has_scores else None
            yield Event(span.recording or None, name, span.start, span.end, score=score)


def _one_line(value: Any) -> Any:
    return " ".join(value.splitlines()) if isinstance(value, str) else value


FORMATS = {
    "jsonl": EventFormat(".jsonl", "", _dump_json, _parse_json),
    "csv": EventFormat(".csv", ",".join(_COLUMNS), _dump_csv, _parse_csv),
    "rttm": EventFormat(".rttm", "", _dump_rttm, _parse_rttm, SPAN_FORMATS["rttm"]),
    "audacity": EventFormat(".txt", "", _dump_labels, _parse_labels, SPAN_FORMATS["audacity"]),
    **{
        name: EventFormat(SPAN_FORMATS[name].suffix, SPAN_FORMATS[name].header, spans=SPAN_FORMATS[name])
        for name in ("raven", "birdnet", "textgrid")
    },
}
"""Every format of events, by name."""
