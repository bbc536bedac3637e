"""NeMo manifests: JSONL in which every line has `audio_filepath`, `duration` and `text`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest import jsonl
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.record import record_of
from audiogmm.types import Json

read = jsonl.read
"""Lines of a NeMo manifest are lines of ours; `text` and its like are kept."""


def write(entries: Iterable[Entry], file: Path, final: Path) -> int:
    """Write a NeMo manifest: `text` is empty where none is known. See `ManifestFormat.write`.

    Raises
    ------
    ManifestError
        If an entry has no duration, which NeMo sorts and batches by, or features in place of audio.
    """
    folder = ManifestFolder.of(final)
    return jsonl.write_objects((_line(entry, folder) for entry in entries), file, final)


def _line(entry: Entry, folder: ManifestFolder) -> Json:
    if entry.audio_filepath is None or entry.duration is None:
        lacking = "features in place of audio" if entry.audio_filepath is None else "no duration"
        raise ManifestError(
            f"{entry.source or entry.id}: {entry.path} has {lacking}",
            needed="audio_filepath and duration in every line of a NeMo manifest",
            remedy="audiogmm manifest convert, which measures them",
        )
    record = record_of(entry, folder)
    return {
        "audio_filepath": record.pop("audio_filepath"),
        "duration": record.pop("duration"),
        "text": record.pop("text", ""),
        **record,
    }
