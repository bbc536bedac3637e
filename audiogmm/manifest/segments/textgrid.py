"""TextGrid of Praat: the intervals of a recording, in tiers (Praat manual, "TextGrid file formats")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audiogmm.documents import parse_finite
from audiogmm.errors import ManifestError
from audiogmm.lines import whole_text
from audiogmm.manifest.segments.span import Span, one_line
from audiogmm.manifest.segments.span_format import SpanFormat, SpanLine
from audiogmm.manifest.text import open_text

_TOKEN = re.compile(r'(?:(?<=\s)|^)("(?:[^"]|"")*"|<exists>|[-+]?\d[-+.\deE]*)(?=\s|$)')
"""What counts in both the long and the short text format: all else is there for the reader."""


def read_spans(path: str) -> Iterator[SpanLine]:
    """Read the intervals that have a text; the tier's name becomes `tier`. Points are passed over.

    Raises
    ------
    ManifestError
        If it is not a TextGrid in one of Praat's text formats.
    """
    with open_text(path) as file:
        text = whole_text(file, path)
    tokens = _tokens(text)

    def number() -> float:
        return parse_finite(next(tokens)[1])

    def quoted() -> str:
        token = next(tokens)[1]
        if token[0] != '"':
            raise ValueError(f"{token!r} in place of a text")
        return token[1:-1].replace('""', '"')

    try:
        if "ooTextFile" not in quoted() or "TextGrid" not in quoted():
            raise ValueError("not a TextGrid")
        number(), number(), next(tokens)
        for _ in range(int(number())):
            kind, tier = quoted(), quoted()
            number(), number()
            for _ in range(int(number())):
                line, start = next(tokens)
                begin = parse_finite(start)
                end = number() if kind == "IntervalTier" else begin
                label = one_line(quoted())
                if label and kind == "IntervalTier":
                    yield line, Span("", begin, end, label=label, extra={"tier": tier})
    except (ValueError, StopIteration) as error:
        raise ManifestError(
            f"{path} is not a TextGrid of Praat: {str(error) or 'it ends too early'}",
            needed="a TextGrid saved as a text file or a short text file",
            remedy="Praat: Save as text file...",
        ) from None


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Numbers, texts and flags with the numbers of their lines."""
    line, at = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        yield line, match[1]


def _whole(spans: list[Span], end: float) -> str:
    """A TextGrid with a tier for each name of one, or for each speaker; in it, intervals do not overlap."""
    tiers: dict[str, list[Span]] = {}
    for span in sorted(filter(lambda span: span.duration, spans), key=lambda span: (span.start, span.end)):
        name = str(span.extra.get("tier") or span.speaker or "segments")
        while tiers.get(name) and tiers[name][-1].end > span.start:
            name += "+"
        tiers.setdefault(name, []).append(span)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", repr(end), "<exists>"]
    lines.append(str(len(tiers)))
    for name, inside in tiers.items():
        rows: list[tuple[float, float, str]] = []
        at = 0.0
        for span in inside:
            if span.start > at:
                rows.append((at, span.start, ""))
            rows.append((span.start, span.end, span.label or span.speaker or "event"))
            at = span.end
        if at < end:
            rows.append((at, end, ""))
        lines += ['"IntervalTier"', _quoted(name), "0", repr(end), str(len(rows))]
        for start, stop, text in rows:
            lines += [repr(start), repr(stop), _quoted(text)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + one_line(text).replace('"', '""') + '"'


FORMAT = SpanFormat("textgrid", ".TextGrid", read_spans, whole=_whole, is_of_one=True)
read, write = FORMAT.read, FORMAT.write
