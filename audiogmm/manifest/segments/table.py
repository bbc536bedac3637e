"""The table of formats of lists of segments."""

from __future__ import annotations

from collections.abc import Iterable

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.segments import audacity, birdnet, raven, rttm, textgrid
from audiogmm.manifest.segments.span_format import SpanFormat

SPAN_FORMATS: dict[str, SpanFormat] = {
    module.FORMAT.name: module.FORMAT for module in (rttm, audacity, raven, birdnet, textgrid)
}
"""Every format of lists of segments, by its name."""


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
