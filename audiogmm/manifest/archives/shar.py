"""Lhotse Shar: a folder of files of cuts, and of tar archives with their recordings in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.archives.tar_members import TarMember, members_of
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.lhotse import read_objects
from audiogmm.manifest.lhotse_cuts import entries_of_record
from audiogmm.manifest.toolkits import PathBase


def read(path: str) -> Iterator[ManifestLine]:
    """Read cuts whose recordings lie in archives beside them, one at a time. See `ManifestFormat.read`.

    Raises
    ------
    ManifestError
        If an archive is missing, or does not have the recordings of its cuts.
    """
    for cuts in sorted(Path(path).glob("cuts.*.jsonl*")):
        shard = cuts.name.split(".")[1]
        archive = cuts.with_name(f"recording.{shard}.tar")
        recordings = _recordings(str(archive)) if archive.exists() else None
        for number, cut in read_objects(str(cuts)):
            source = f"{cuts}:{number}"
            try:
                # of a bad line too, or the next cut would get its recording
                key, recording = next(recordings or iter(()), ("", None))
                if isinstance(cut, ManifestError):
                    raise cut
                record = dict(cut)
                if recordings is not None:
                    if key != record.get("id"):
                        raise ManifestError(
                            f"{source} is the cut {record.get('id')!r}, and {archive} goes on with {key!r}",
                            needed="the recordings of the cuts, in their order",
                        )
                    record["recording"] = recording
                for entry in entries_of_record(record, None, PathBase(Path(path)), source):
                    yield number, entry
            except ManifestError as error:
                yield number, error


def _recordings(archive: str) -> Iterator[tuple[str, Any]]:
    """Each cut's id and its recording, with the address of its bytes as the source; None if it has none."""
    data: TarMember | None = None
    for member in members_of(archive):
        key, _, kind = member.name.rpartition(".")
        if kind not in ("json", "nometa"):
            data = member
            continue
        recording = json.loads(member.read()) if kind == "json" else None
        if recording is not None and data is not None and not data.name.endswith(".nodata"):
            (source,) = recording["sources"]
            recording["sources"] = [{**source, "type": "file", "source": data.address}]
        yield key, recording
