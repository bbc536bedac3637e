"""NeMo's tarred datasets: a manifest with a `shard_id` in each line, and tar archives beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.archives.tar_members import members_of

_SUB = re.compile(r"-sub\d+(?=\.\w+$)")
_NAMES = ("audio_{}.tar", "{}.tar")
_HELD = 4  # archives whose members are remembered: lines of several shards may be mixed


class ShardMembers:
    """Find the recordings of a tarred manifest in `audio_N.tar` beside it, or in the folder above.

    Parameters
    ----------
    folder : Path
        Where the manifest lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members: dict[int, dict[str, str]] = {}

    def address(self, record: Mapping[str, Any], source: str) -> str:
        """Return the address of the recording of a line.

        A name with `-sub1` is another piece of the recording without it; slashes and dots of a path are
        underscores in an archive, as NeMo's `convert_to_tarred_audio_dataset.py` writes them.

        Raises
        ------
        ManifestError
            If there is no such archive, or it does not hold the recording.
        """
        shard, name = record["shard_id"], str(record.get("audio_filepath", ""))
        members = self._of(shard, source)
        bare = _SUB.sub("", name)
        stem, _, suffix = bare.rpartition(".")
        squashed = f"{stem.replace('/', '_').replace('.', '_')}.{suffix}"
        for candidate in (name, bare, squashed, bare.rpartition("/")[2]):
            if candidate in members:
                return members[candidate]
        raise ManifestError(
            f"{source}: {name!r} is not in the archive of shard {shard}", needed="its recording"
        )

    def _of(self, shard: object, source: str) -> dict[str, str]:
        if not isinstance(shard, int):
            raise ManifestError(f"{source}: shard_id is {shard!r}", needed="a whole number")
        if shard not in self._members:
            places = [
                folder / name.format(shard)
                for folder in (self._folder, self._folder.parent)
                for name in _NAMES
            ]
            archive = next((place for place in places if place.exists()), None)
            if archive is None:
                raise ManifestError(
                    f"{source}: there is no archive of shard {shard}",
                    needed=f"{places[0]}",
                    remedy="put the archives beside the manifest",
                )
            if len(self._members) >= _HELD:
                del self._members[next(iter(self._members))]
            self._members[shard] = {member.name: member.address for member in members_of(str(archive))}
        return self._members[shard]
