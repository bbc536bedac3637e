"""The table of formats of lists of segments."""

from __future__ import annotations

from collections.abc import Iterable

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.segments import audacity, birdnet, raven, rttm, textgrid
from audiogmm.manifest.segments.span_format import SpanFormat
from audiogmm.manifest.sniff import segments_by_header, segments_named, suffix_of
from audiogmm.manifest.text import encoding_of, head

SPAN_FORMATS: dict[str, SpanFormat] = {
    module.FORMAT.name: module.FORMAT for module in (rttm, audacity, raven, birdnet, textgrid)
}
"""Every format of lists of segments, by its name."""


def label_format(file: str) -> SpanFormat | None:
    """Return the format of a file in a folder of labels, by its name and its first line; None if it has none.

    Examples
    --------
    >>> label_format("a.TextGrid").name, label_format("notes.md")
    ('textgrid', None)
    """
    name: str | None = segments_named(file)
    if name is None and suffix_of(file) in (".txt", ".csv"):
        start = head(file)
        first = start.decode(encoding_of(start), errors="replace").lstrip().partition("\n")[0]
        name = segments_by_header(first)
        if suffix_of(file) == ".txt" and name != "raven":
            name = "audacity"  # also where a line is wrong, which its reader names
        elif suffix_of(file) == ".csv" and name != "birdnet":
            name = None
    return None if name is None else SPAN_FORMATS[name]


def read_truth(manifest: Manifest) -> Iterable[Entry]:
    """Return the recordings of a list of segments, with these as their events; another manifest as it is.

    Raises
    ------
    ManifestError
        If it cannot be read; for a bad line, unless the manifest has an `on_error`.
    """
    if manifest.format not in SPAN_FORMATS:
        return manifest
    entries = []
    for _, item in SPAN_FORMATS[manifest.format].truth(manifest.path):
        if not isinstance(item, ManifestError):
            entries.append(item)
        elif manifest.on_error is None:
            raise item
        else:
            manifest.on_error(item)
    return entries
