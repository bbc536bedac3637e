"""The recordings of a manifest that wait to be enrolled, by speaker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from audiogmm.blocks import Shard
from audiogmm.errors import ManifestError
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.journal import signature_of_shard
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.speaker import Speaker


def mark_of(recording: Shard) -> str:
    """What tells a recording from all others, and from itself once changed; see `Speaker.marks`."""
    return hashlib.blake2b(signature_of_shard(recording).encode(), digest_size=16).hexdigest()


class EnrollmentData:
    """Recordings of a manifest that wait to be enrolled, by speaker."""

    def __init__(self, inputs: Inputs, gallery: Gallery, aside: Aside) -> None:
        self._inputs = inputs
        self._gallery = gallery
        self._aside = aside
        self._known: dict[str, Speaker | None] = {}
        self._left_out: set[tuple[str, str]] = set()
        self.enrolled_before: set[str] = set()

    @property
    def n_before(self) -> int:
        """Recordings that were enrolled before."""
        return len(self._left_out)

    def speakers(self) -> list[str]:
        """Who speaks, in the order in which each appears; entries that name nobody are set aside."""
        names: dict[str, None] = {}
        for entry in self._inputs.entries:
            if entry.speaker is None:
                self._aside.put(
                    entry.id,
                    entry.path,
                    ManifestError(
                        f"{entry.source or entry.id} names no speaker",
                        needed="a key `speaker`",
                        remedy="say who speaks, or leave it out",
                    ),
                )
            else:
                names[entry.speaker] = None
        return list(names)

    def known(self, name: str) -> Speaker | None:
        """What was heard of a speaker before this run."""
        if name not in self._known:
            self._known[name] = self._gallery.get(name)
        return self._known[name]

    def forget(self) -> None:
        """Free the memory of those who are done."""
        self._known.clear()

    def of(self, names: set[str]) -> Waiting:
        """The recordings of these speakers, but for those enrolled before; re-iterable."""
        return Waiting(self, frozenset(names))

    def recordings(self, names: frozenset[str]) -> Iterator[tuple[str, Shard, str]]:
        """As `of`, once."""
        for recording in self._inputs:
            name = recording.entry.speaker
            if name not in names:
                continue
            mark = mark_of(recording)
            before = self.known(name)
            if before is not None and mark in before.marks:
                self._left_out.add((name, mark))
                self.enrolled_before.add(name)
            else:
                yield name, recording, mark


@dataclass(frozen=True)
class Waiting:
    """The recordings of some speakers, re-iterable."""

    data: EnrollmentData
    names: frozenset[str]

    def __iter__(self) -> Iterator[tuple[str, Shard, str]]:
        return self.data.recordings(self.names)


def parts(names: list[str], size: int) -> Iterator[set[str]]:
    """Names in sets of `size`."""
    for first in range(0, len(names), size):
        yield set(names[first : first + size])
