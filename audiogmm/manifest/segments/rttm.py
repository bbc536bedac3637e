"""RTTM, rich transcription time marked: who speaks when (NIST RT-09 evaluation plan, appendix A)."""

from __future__ import annotations

from collections.abc import Iterator

from audiogmm.documents import parse_finite
from audiogmm.manifest.segments.lines import lines_of
from audiogmm.manifest.segments.span import Span
from audiogmm.manifest.segments.span_format import SpanFormat, SpanLine, recording_stem

_NONE = "<NA>"


def read_spans(path: str) -> Iterator[SpanLine]:
    """Read the lines SPEAKER; other types, and comments, are passed over.

    Nearly every file has channel 1 throughout, whatever its recordings have: it is taken for no channel.
    """
    return lines_of(path, _parse, "SPEAKER recording channel start duration <NA> <NA> speaker <NA> <NA>")


def _parse(line: str) -> Span | None:
    cells = line.split()
    if cells[0] != "SPEAKER":
        if cells[0].startswith(";;") or cells[0].isupper():
            return None
        raise ValueError("not RTTM")
    _, recording, channel, start, duration, _, _, speaker, *rest = cells
    score = rest[0] if rest and rest[0] != _NONE else None
    return Span(
        recording,
        parse_finite(start),
        round(parse_finite(start) + parse_finite(duration), 9),
        speaker=None if speaker == _NONE else speaker,
        score=None if score is None else parse_finite(score),
        channel=int(channel) - 1 if channel.isdigit() and int(channel) > 1 else None,
    )


def _line(_: int, span: Span) -> str:
    name = "_".join((span.id or recording_stem(span.recording)).split())
    who = "_".join((span.speaker or span.label or _NONE).split())
    score = _NONE if span.score is None else repr(span.score)
    channel = 1 if span.channel is None else span.channel + 1
    return f"SPEAKER {name} {channel} {span.start!r} {span.duration!r} {_NONE} {_NONE} {who} {score} {_NONE}"


FORMAT = SpanFormat("rttm", ".rttm", read_spans, line=_line)
read, write = FORMAT.read, FORMAT.write
