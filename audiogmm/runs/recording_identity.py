"""What tells a recording from others, and whether its file has changed since a run read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from audiogmm.blocks import Identifiable
from audiogmm.content_hash import hash_blocks
from audiogmm.escapes import ESCAPED
from audiogmm.manifest.entry import STANDARD_INPUT, is_url
from audiogmm.manifest.inside import outer_path

I = TypeVar("I", bound=Identifiable)  # noqa: E741
T = TypeVar("T")


def identity(shard: I) -> I:
    """Return a shard as it is."""
    return shard


@dataclass(frozen=True)
class Hashed(Generic[I, T]):
    """A task that also returns the content hash of the recording's file, which it has just read."""

    task: Callable[[I], T]
    of: Callable[[I], Identifiable] = identity

    def __call__(self, shard: I) -> tuple[str, T, str]:
        found = self.task(shard)
        return shard.id, found, content_of_shard(self.of(shard))


def signature_of_shard(shard: Identifiable) -> str:
    """Return what changes when a recording does: its file, size and time of change, and the piece of it."""
    from audiogmm.audio.frame_cache.index import signature_of

    if (pieces := getattr(shard, "pieces", None)) is not None:  # a stream
        text = "".join(map(signature_of_shard, pieces))
        return hashlib.sha256(text.encode(errors=ESCAPED)).hexdigest()
    entry = getattr(shard, "entry", None)
    if entry is None:
        return ""
    piece = [entry.path, entry.offset, entry.duration, entry.channel, signature_of(entry.path)]
    return json.dumps(piece)


def content_of_shard(shard: Identifiable) -> str:
    """Return the content hash of a recording's file, see `hash_blocks`; "" where there is no local one."""
    if (pieces := getattr(shard, "pieces", None)) is not None:  # a stream, perhaps of one file
        files = {piece.entry.path: piece for piece in pieces}
        return hashlib.sha256("".join(map(content_of_shard, files.values())).encode()).hexdigest()
    entry = getattr(shard, "entry", None)
    path = STANDARD_INPUT if entry is None else outer_path(entry.path)
    if path == STANDARD_INPUT or is_url(path):
        return ""
    return hash_blocks(path) or ""
