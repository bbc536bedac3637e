"""Lists of recordings: entries, and lazy readers and writers, one format a file."""

from __future__ import annotations

from audiogmm.manifest.check import Problem, check
from audiogmm.manifest.entry import Entry, safe_id
from audiogmm.manifest.formats import FORMATS, Format
from audiogmm.manifest.read import Manifest, read_manifest
from audiogmm.manifest.scan import scan
from audiogmm.manifest.write import ManifestWarning, write_manifest

__all__ = [
    "Entry",
    "Manifest",
    "read_manifest",
    "write_manifest",
    "scan",
    "check",
    "Problem",
    "FORMATS",
    "Format",
    "ManifestWarning",
    "safe_id",
]
