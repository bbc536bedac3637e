"""Lists of recordings: entries, and lazy readers and writers, one format a file."""

from __future__ import annotations

from audiogmm.manifest.entry import Entry, safe_id
from audiogmm.manifest.formats import FORMATS, Format
from audiogmm.manifest.read import Manifest, read_manifest
from audiogmm.manifest.write import ManifestWarning, write_manifest

__all__ = [
    "Entry",
    "Manifest",
    "read_manifest",
    "write_manifest",
    "FORMATS",
    "Format",
    "ManifestWarning",
    "safe_id",
]
