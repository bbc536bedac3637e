"""Labels of Audacity: a text file of one recording, with start, end and a text in each line."""

from __future__ import annotations

from collections.abc import Iterator

from audiogmm.documents import parse_finite
from audiogmm.manifest.segments.lines import lines_of
from audiogmm.manifest.segments.span import Span, one_line
from audiogmm.manifest.segments.span_format import SpanFormat, SpanLine


def read_spans(path: str) -> Iterator[SpanLine]:
    """Read labels; the lines of frequencies that follow those of a spectral selection are passed over."""
    return lines_of(path, _parse, "start, end and label, with tabs between them")


def _parse(line: str) -> Span | None:
    if line.startswith("\\"):
        return None
    start, end, *text = line.split("\t")
    return Span("", parse_finite(start), parse_finite(end), label=text[0].strip() or None if text else None)


def _line(_: int, span: Span) -> str:
    return f"{span.start:.6f}\t{span.end:.6f}\t{one_line(span.label or span.speaker or '')}"


FORMAT = SpanFormat("audacity", ".txt", read_spans, line=_line, is_of_one=True)
read, write = FORMAT.read, FORMAT.write
