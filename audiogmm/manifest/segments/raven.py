"""Selection tables of Raven, and those that BirdNET writes for it: tab-separated, with a header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audiogmm.documents import parse_finite
from audiogmm.manifest.segments.lines import rows_of
from audiogmm.manifest.segments.span import Span, one_line
from audiogmm.manifest.segments.span_format import SpanFormat, SpanLine

BEGIN, END = "begin time (s)", "end time (s)"
_LABELS = ("annotation", "label", "species", "common name", "tags", "type", "species code")
_SCORES = ("confidence", "score")
_FREQUENCIES = {"low freq (hz)": "low_frequency", "high freq (hz)": "high_frequency"}


def read_spans(path: str) -> Iterator[SpanLine]:
    """Read the selections; of a selection that stands in a row for each view, the first row.

    Times count from the file that `Begin Path` or `Begin File` names, if there is a `File Offset (s)`.
    """
    seen: set[tuple[str, str]] = set()

    def parse(row: Mapping[str, str]) -> Span | None:
        if "selection" in row and "view" in row:
            key = row["selection"], row.get("channel", "")
            if key in seen:
                return None
            seen.add(key)
        begin, end = parse_finite(row[BEGIN]), parse_finite(row[END])
        start = parse_finite(row.get("file offset (s)") or begin)
        score = next((row[name] for name in _SCORES if row.get(name)), None)
        channel = row.get("channel") or ""
        return Span(
            row.get("begin path") or row.get("begin file") or "",
            start,
            round(start + end - begin, 9),
            label=next((row[name] for name in _LABELS if row.get(name)), None),
            score=None if score is None else parse_finite(score),
            channel=int(channel) - 1 if channel.isdigit() else None,
            id=row.get("id") or None,
            extra={ours: parse_finite(row[name]) for name, ours in _FREQUENCIES.items() if row.get(name)},
        )

    return rows_of(path, parse, (BEGIN, END))


_HEADER = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin Path\t"
    "File Offset (s)\tAnnotation\tScore\tID"
)


def _line(number: int, span: Span) -> str:
    rate = span.extra.get("sample_rate")
    low = span.extra.get("low_frequency", 0.0 if rate else "")
    high = span.extra.get("high_frequency", rate / 2 if rate else "")
    cells = [
        number,
        "Spectrogram 1" if high else "Waveform 1",
        "" if span.channel is None else span.channel + 1,  # empty: all channels
        *(span.start, span.end, low, high, span.recording, span.start),
        span.label or span.speaker or "",
        "" if span.score is None else span.score,
        span.id or "",
    ]
    return "\t".join(map(one_line, cells))


FORMAT = SpanFormat("raven", ".selections.txt", read_spans, _HEADER, _line)
read, write = FORMAT.read, FORMAT.write
