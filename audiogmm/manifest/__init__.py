"""Lists of recordings: entries, and lazy readers and writers, one format a file.

A manifest is any iterable of `Entry`, in memory or on disk. `read_manifest` recognizes the format and reads a
file line by line, as often as it is iterated, in memory that does not grow with it; a bad line is a
`ManifestError` that names file, line and value. `write_manifest` writes any format, whole or not at all, and
warns of what it cannot hold; what is written and read again is equal. No audio file is opened here:
`find_recordings` lists a folder, and `find_problems` is given the function that opens a recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.manifest.check import Problem as Problem
    from audiogmm.manifest.check import find_problems as find_problems
    from audiogmm.manifest.entry import Entry as Entry
    from audiogmm.manifest.entry import safe_id as safe_id
    from audiogmm.manifest.formats import FORMATS as FORMATS
    from audiogmm.manifest.formats import ManifestFormat as ManifestFormat
    from audiogmm.manifest.objects import entries_of as entries_of
    from audiogmm.manifest.read import Manifest as Manifest
    from audiogmm.manifest.read import read_manifest as read_manifest
    from audiogmm.manifest.scan import find_recordings as find_recordings
    from audiogmm.manifest.write import ManifestWarning as ManifestWarning
    from audiogmm.manifest.write import write_manifest as write_manifest

__getattr__, __dir__ = exports(__name__)
