"""Lists of segments: RTTM, and those of Audacity, Raven, BirdNET and Praat, one format a file.

A list names segments of recordings, each with a speaker or a label. As a manifest, each segment is an entry;
as truth, each recording is one whose `events` they are. `anomaly.formats` writes events by the same files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.manifest.segments.span import Span as Span
    from audiogmm.manifest.segments.span_format import SpanFormat as SpanFormat
    from audiogmm.manifest.segments.table import SPAN_FORMATS as SPAN_FORMATS
    from audiogmm.manifest.segments.table import read_truth as read_truth

__getattr__, __dir__ = exports(__name__)
