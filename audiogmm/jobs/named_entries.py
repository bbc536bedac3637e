"""Entries of a manifest, found by the ids that a list of trials names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from audiogmm.errors import ManifestError
from audiogmm.jobs.aside import Aside

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


class NamedEntries:
    """The entries of a manifest, some of them at a time: it is read again for each, and never held.

    Parameters
    ----------
    manifest : str
        In any format.
    aside : Aside
        Takes its bad lines, once.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "test.jsonl"
    >>> _ = path.write_text('{"audio_filepath": "x/a.wav", "id": "id1/a"}')
    >>> entries = NamedEntries(str(path), Aside(strict=True))
    >>> found = entries.of(["id1/a", "a.wav"])
    >>> found.entries["id1/a"].path.endswith("x/a.wav"), found.alike
    (True, {'a.wav': 'id1/a'})
    """

    def __init__(self, manifest: str, aside: Aside) -> None:
        self.manifest = manifest
        self._aside = aside
        self._read = False

    def of(self, ids: Collection[str]) -> Found:
        """The entries of these ids, as the manifest gives them or as they are made fit for file names.

        Raises
        ------
        ManifestError
            If the manifest cannot be read; its first bad line's, if the run is strict.
        """
        from audiogmm.manifest import read_manifest

        found: dict[str, Entry] = {}
        alike: dict[str, str] = {}
        bare: dict[str, list[str]] = {}
        wanted = set(ids)
        for id in wanted:
            bare.setdefault(_bare(id), []).append(id)

        def refuse(error: ManifestError) -> None:
            if not self._read:
                self._aside.put("", self.manifest, error)

        for entry in read_manifest(self.manifest, on_error=refuse):
            given = str(entry.extra.get("id", entry.id))
            for name in wanted.intersection((entry.id, given)):
                found.setdefault(name, entry)
            for name in bare.get(_bare(given), ()):
                alike.setdefault(name, given)
        self._read = True
        return Found(found, {name: other for name, other in alike.items() if name not in found})


@dataclass(frozen=True)
class Found:
    """What a manifest has of some ids.

    Attributes
    ----------
    entries : mapping of str to Entry
    alike : mapping of str to str
        Of those that it has not, an id there that differs in folders or suffix alone.
    """

    entries: dict[str, Entry]
    alike: dict[str, str]


def _bare(id: str) -> str:
    """An id without folders and suffix."""
    return PurePosixPath(id).stem
