"""The frame cache: frames computed once, found again by what the recording is and how they were made."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from audiogmm.audio.decoders.notices import Notices, Warn
from audiogmm.audio.frame_cache.frame_file import FrameWriter, open_frames
from audiogmm.audio.frame_cache.index import AGAIN, FRAMES, INDEX, CacheIndex, FileIdentity, signature_of
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioFileError, MismatchError
from audiogmm.files import replacing
from audiogmm.manifest.entry import STANDARD_INPUT, Entry
from audiogmm.manifest.in_memory import MemoryEntry
from audiogmm.reading import parsing

FRONT_END = "frontend.toml"
"""The file with the front end that a cache is for."""


@dataclass(frozen=True)
class FrameCache:
    """A folder of frames.

    Frames are found by the BLAKE2b hash of the recording's bytes, the piece, the channel, and the front end
    without the statistics of global normalization, which are applied on reading. A recording may move or be
    renamed. A hash is taken once for a file's path, size and time of change.

    The folder holds ``index.jsonl``, which is a manifest of the same recordings, so that the folder can be
    named in place of a manifest; ``frontend.toml``, the front end that it is for; ``ledger.sqlite``, its
    index; and ``frames/xx/KEY.frames``. Any number of processes and threads may fill and read it at once. If
    a recording is gone, its frames are still found by its path.

    Attributes
    ----------
    folder : Path

    Examples
    --------
    >>> import tempfile
    >>> cache = FrameCache(Path(tempfile.mkdtemp()))
    >>> is_frame_cache(cache.folder), cache.frontends()
    (False, [])
    """

    folder: Path

    @property
    def index(self) -> Path:
        """The manifest of what the cache has."""
        return self.folder / INDEX

    def identify(self, entry: Entry) -> FileIdentity:
        """Return the content hash and the sample rate of an entry's recording.

        Raises
        ------
        AudioFileError
            If it is missing, not audio, or in memory.
        OutputError
            If the folder cannot be written.
        """
        if isinstance(entry, MemoryEntry):
            raise AudioFileError(
                f"{entry.id} is in memory",
                needed="a recording in a file, by which the frame cache finds its frames again",
                remedy="soundfile.write(path, samples, sample_rate)",
            )
        return _identify(self.folder, entry.path, signature_of(entry.path))

    def blocks(
        self,
        entry: Entry,
        frontend: FrontEnd,
        compute: Callable[[Warn], Iterator[FrameBlock]],
        warn: Warn,
    ) -> Iterator[FrameBlock]:
        """Yield the frames of an entry: read if they are there, else computed, and kept once all are.

        Parameters
        ----------
        entry : Entry
            Of audio.
        frontend : FrontEnd
            Without global statistics; with the sample rate wanted, or None for the recording's own.
        compute : callable
            Returns the blocks; its argument takes notices.
        warn : callable
            Takes the notices, those of frames that are read as well.

        Yields
        ------
        FrameBlock

        Raises
        ------
        OutputError
            If the frames cannot be written: the disk is full, say.
        """
        if entry.path == STANDARD_INPUT:
            yield from compute(warn)
            return
        identity = self.identify(entry)
        made = dataclasses.replace(frontend, sample_rate=frontend.sample_rate or identity.sample_rate)
        path = self._path(entry, identity, made)
        found = open_frames(path)
        if found is not None:
            yield from found
            for notice in found.notices:
                warn(notice)
            return
        notices = Notices(then=warn)
        with replacing(path, force=True, durable=False) as temporary, temporary.open("wb") as file:
            writer = FrameWriter(cast(BinaryIO, file))
            for block in compute(notices):
                writer.write(block)
                yield block
            writer.finish(notices.messages)

    def declare(self, frontend: FrontEnd) -> None:
        """Store which front end the folder is for, before it is filled: see `declared_front_end`.

        Parameters
        ----------
        frontend : FrontEnd
            As the user chose it; statistics of global normalization are left out.

        Raises
        ------
        MismatchError
            If the folder is for another one already; the settings that differ are named.
        OutputError
            If it cannot be written.
        """
        bare = dataclasses.replace(frontend, cmvn_mean=(), cmvn_scale=())
        declared = declared_front_end(self.folder)
        if declared is not None:
            if differences := declared.as_open_as(bare).difference(bare):
                raise self._mismatch(differences)
            return
        with replacing(self.folder / FRONT_END, force=True) as temporary:
            temporary.write_text(bare.to_toml(), encoding="utf-8")

    def growing(self) -> AbstractContextManager[None]:
        """Let one run fill the folder inside a `with` block, at whose end all of it is on the disk.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        return CacheIndex(self.folder).growing()

    def add_entry(self, entry: Entry, frontend: FrontEnd) -> None:
        """List an entry in the index, once its frames are there.

        Entries are added in the manifest's order, so that the index, and a model trained on it, do not depend
        on which of several threads was ready first.

        Parameters
        ----------
        entry : Entry
            Of audio.
        frontend : FrontEnd
            As given to `blocks`.

        Raises
        ------
        OutputError
            If the index cannot be written, or lists another piece under the same id.
        """
        if entry.path == STANDARD_INPUT:
            return
        plain = frontend.without_global()
        made = dataclasses.replace(plain, sample_rate=plain.sample_rate or self.identify(entry).sample_rate)
        CacheIndex(self.folder).add(entry, made.fingerprint, made.to_dict())

    def frontends(self) -> list[FrontEnd]:
        """Return the front ends whose frames are there, each with the sample rate that it was used at."""
        index = CacheIndex(self.folder)
        with parsing(f"the index of {self.folder}", needed="an undamaged index", remedy=AGAIN):
            return [FrontEnd(**settings) for settings in index.frontends()]

    def require(self, frontend: FrontEnd) -> None:
        """Raise unless the cache has frames of this front end, for a folder that stands for a manifest.

        Parameters
        ----------
        frontend : FrontEnd
            Statistics of global normalization do not count, nor what it leaves open.

        Raises
        ------
        MismatchError
            With the settings in which the nearest front end of the cache differs.
        """
        wanted = frontend.without_global()
        stored = self.frontends()
        differences: list[list[str]] = []
        for other in stored:
            differences.append(other.as_open_as(wanted).difference(wanted))
        nearest = min(differences, key=lambda settings: len(settings), default=[])
        if nearest:
            raise self._mismatch(nearest)

    def _mismatch(self, differences: list[str]) -> MismatchError:
        return MismatchError(
            f"{self.folder} holds frames of another front end: {', '.join(differences)}",
            needed="the front end that the frames were made with",
            remedy="audiogmm features with this front end and another folder, or give the manifest",
        )

    def _path(self, entry: Entry, identity: FileIdentity, made: FrontEnd) -> Path:
        parts = [identity.content, entry.offset, entry.duration, entry.channel, made.fingerprint]
        key = hashlib.blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()
        return self.folder / FRAMES / key[:2] / f"{key[2:]}.frames"


def is_frame_cache(path: Path) -> bool:
    """Return whether a path is a folder that `FrameCache` has filled."""
    return (path / INDEX).is_file() and (path / FRAMES).is_dir()


def declared_front_end(path: str | os.PathLike[str]) -> FrontEnd | None:
    """Return the front end that a frame cache is for; None if it is not a cache, or for several.

    It has no statistics of global normalization. Where none was declared and all frames were made with one
    front end, it is that one, at the lowest of the sample rates.

    Parameters
    ----------
    path : path-like
        A frame cache, or something else.

    Raises
    ------
    FrontEndError
        If its ``frontend.toml`` is damaged.
    """
    folder = Path(path)
    if (folder / FRONT_END).is_file():
        return FrontEnd.from_toml(folder / FRONT_END)
    if not is_frame_cache(folder):
        return None
    stored = sorted(FrameCache(folder).frontends(), key=lambda frontend: frontend.sample_rate or 0)
    bare = {dataclasses.replace(frontend, sample_rate=None) for frontend in stored}
    return stored[0] if len(bare) == 1 else None


@functools.lru_cache(maxsize=1 << 16)
def _identify(folder: Path, path: str, signature: str | None) -> FileIdentity:
    """Ask the index once a process, not once a pass."""
    return CacheIndex(folder).identify(path, signature)
