"""Result tables of BirdNET: CSV with Start (s), End (s), names of the species and a confidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from audiogmm.documents import parse_finite
from audiogmm.escapes import guarded, unguarded
from audiogmm.manifest.segments.lines import rows_of
from audiogmm.manifest.segments.span import Span, one_line
from audiogmm.manifest.segments.span_format import SpanFormat, SpanLine

START, END = "start (s)", "end (s)"


def read_spans(path: str) -> Iterator[SpanLine]:
    """Read the detections, of the recording in `File`, or of the one that the table is named after."""
    return rows_of(path, _parse, (START, END))


def _parse(cells: Mapping[str, str]) -> Span:
    row = {name: unguarded(cell or "") for name, cell in cells.items()}
    scientific = row.get("scientific name")
    confidence = row.get("confidence")
    return Span(
        row.get("file") or "",
        parse_finite(row[START]),
        parse_finite(row[END]),
        label=row.get("common name") or scientific or None,
        score=parse_finite(confidence) if confidence else None,
        id=row.get("id") or None,
        extra={"scientific_name": scientific} if scientific else {},
    )


def _line(_: int, span: Span) -> str:
    name = one_line(span.label or span.speaker or "")
    scientific = one_line(span.extra.get("scientific_name") or name)
    score = "" if span.score is None else span.score
    line = io.StringIO()
    cells = [span.start, span.end, scientific, name, score, span.recording, span.id or ""]
    csv.writer(line, lineterminator="").writerow([guarded(str(cell)) for cell in cells])
    return line.getvalue()


_HEADER = "Start (s),End (s),Scientific name,Common name,Confidence,File,ID"
FORMAT = SpanFormat("birdnet", ".BirdNET.results.csv", read_spans, _HEADER, _line)
read, write = FORMAT.read, FORMAT.write
