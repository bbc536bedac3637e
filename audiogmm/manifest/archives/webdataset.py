"""WebDataset: tar archives of samples: `key.wav`, with `key.json`, `key.txt` and `key.cls` beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest.archives.tar_members import TarMember, members_of
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.patterns import expand
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.sniff import AUDIO_SUFFIXES
from audiogmm.types import Json

_NOT_OF_THE_MEMBER = ("audio_filepath", "features_filepath", "offset", "duration", "channel", "id")
"""Keys of ours that, in a sample's JSON, speak of the file that it was made from."""


def read(path: str) -> Iterator[ManifestLine]:
    """Read the samples of an archive, of all in a folder, or of those that a pattern names, one at a time.

    Each recording of a sample is an entry. Its id is the key, with what follows it where there are several.
    `json` gives further keys, `speaker` and `label` among them; `txt` becomes `text`, `cls` the label. See
    `ManifestFormat.read`; the number is that of the sample.
    """
    archives = sorted(map(str, Path(path).glob("*.tar"))) if Path(path).is_dir() else expand(path)
    number = 0
    for archive in archives:
        try:
            for key, members in groupby(members_of(archive), key=_key):
                number += 1
                try:
                    for entry in _entries(key, members, f"{archive}:{key}"):
                        yield number, entry
                except ManifestError as error:
                    yield number, error
        except ManifestError as error:  # of the archive: the others are read
            yield number + 1, error


def _key(member: TarMember) -> str:
    folder, slash, name = member.name.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _entries(key: str, members: Iterator[TarMember], source: str) -> Iterator[Entry]:
    record: Json = {}
    recordings: list[tuple[str, str]] = []
    problem: ManifestError | None = None
    for member in members:  # all of them, or the next sample would begin with the rest
        kind = member.name[len(key) + 1 :].lower()
        try:
            if "." + kind.rpartition(".")[2] in AUDIO_SUFFIXES:
                recordings.append((kind.rpartition(".")[0], member.address))
            elif kind == "json":
                said = json.loads(member.read())
                record |= {k: v for k, v in said.items() if k not in _NOT_OF_THE_MEMBER}
            elif kind == "txt":
                record["text"] = member.read().decode()
            elif kind == "cls":
                record["label"] = member.read().decode().strip()
        except (ValueError, AttributeError) as error:
            problem = problem or ManifestError(
                f"{source}: {member.name} cannot be read: {error}", needed="an object in JSON, or UTF-8 text"
            )
    if problem is not None or not recordings:
        raise problem or ManifestError(
            f"{source} has no recording", needed="a file such as .wav or .flac in every sample"
        )
    for part, address in recordings:
        name = f"{key}.{part}" if part and len(recordings) > 1 else key
        yield entry_of({**record, "audio_filepath": address, "id": name}, ManifestFolder("/"), source)
