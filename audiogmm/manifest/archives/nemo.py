"""NeMo manifests: JSONL in which every line has `audio_filepath`, `duration` and `text`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest import jsonl
from audiogmm.manifest.archives.nemo_tar import ShardMembers
from audiogmm.manifest.entry import Entry, default_id
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.record import entry_of, record_of
from audiogmm.types import Json


def read(path: str) -> Iterator[ManifestLine]:
    """Read a NeMo manifest: lines of ours, with `text` and its like kept, and what only NeMo has.

    A line with a `shard_id` is of a recording in a tar archive beside the manifest. In a line without a text
    or a speaker, as NeMo's recipes of speakers write them, the label is the speaker. See
    `ManifestFormat.read`.
    """
    folder = ManifestFolder.of(path)
    shards = ShardMembers(Path(path).parent)
    for number, line in jsonl.objects(path):
        source = f"{path}:{number}"
        try:
            if isinstance(line, ManifestError):
                raise line
            record = dict(line)
            if "shard_id" in record:
                name = str(record.get("audio_filepath"))
                record["audio_filepath"] = shards.address(record, source)
                record.setdefault("id", default_id(name))
            if record.get("text") in (None, "", "-") and "speaker" not in record and "label" in record:
                record["speaker"] = record["label"]
            yield number, entry_of(record, folder, source)
        except ManifestError as error:
            yield number, error


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
