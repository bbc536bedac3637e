"""What Kaldi's and Lhotse's formats share: recordings with names, found from the working folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, default_id, safe_id
from audiogmm.manifest.folder import ManifestFolder


class PathBase:
    """Where relative paths count from, decided by the first of them.

    Kaldi and Lhotse look from the working folder, audiogmm beside the manifest: so it is the working folder
    if the first path is found there and not beside the manifest.

    Parameters
    ----------
    folder : Path
        Where the manifest lies.

    Examples
    --------
    >>> PathBase(Path("/data/lists")).resolve("no-such.wav")
    '/data/lists/no-such.wav'
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._base: ManifestFolder | None = None

    def resolve(self, path: str) -> str:
        """Return an absolute path, or the URL or ``-`` as it is."""
        if self._base is None:
            beside = ManifestFolder(str(self._folder))
            if beside.resolve(path) == path:
                return path
            bare = path.partition(".ark:")[0] + ".ark" if ".ark:" in path else path
            # of `os`: a name that no file can have is not there, where `Path.exists` raises
            here = not os.path.exists(self._folder / bare) and os.path.exists(bare)  # noqa: PTH110
            self._base = ManifestFolder(str(Path.cwd())) if here else beside
        return self._base.resolve(path)


def recording_id(entry: Entry) -> str:
    """Name the recording that an entry is a piece of: as it was named, or by the piece or by the path.

    Examples
    --------
    >>> recording_id(Entry(audio_filepath="/x/a.wav", id="u1"))
    'u1'
    >>> recording_id(Entry(audio_filepath="/x/a.wav", id="u1", offset=2.0))
    'a-15635fe1'
    """
    if entry.extra.get("recording_id"):
        return safe_id(str(entry.extra["recording_id"]))
    if not entry.offset and entry.channel is None:
        return entry.id
    whole = f"{entry.path}\0{entry.channel}".encode(errors="surrogateescape")
    mark = hashlib.blake2b(whole, digest_size=4).hexdigest()
    return f"{default_id(entry.path.rpartition('/')[2], channel=entry.channel)}-{mark}"


def refuse_command(location: str, source: str) -> None:
    """Refuse a command in place of a file.

    Raises
    ------
    ManifestError
        With the command: it is not run, since a manifest may come from anywhere.
    """
    raise ManifestError(
        f"{source} is a command: {location[:80]!r}",
        needed="the path of a file: commands from a manifest are never run",
        remedy="run it once, keep its output as a file, and name that",
    )
