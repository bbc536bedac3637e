"""Where a manifest lies: its paths made absolute, and relative again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audiogmm.manifest.entry import STANDARD_INPUT, is_url
from audiogmm.manifest.inside import resolved
from audiogmm.system import is_absolute, with_slashes


@dataclass(frozen=True)
class ManifestFolder:
    """Where a manifest lies: turns the paths written in it into absolute ones, and back.

    Parameters
    ----------
    path : str
        An absolute folder, or the URL of one.

    Examples
    --------
    >>> folder = ManifestFolder("/data/lists")
    >>> folder.resolve("a.wav"), folder.resolve("/b.wav"), folder.resolve("s3://c/d.wav")
    ('/data/lists/a.wav', '/b.wav', 's3://c/d.wav')
    >>> folder.resolve("tar://a.wav::x.tar"), folder.relative("tar://a.wav::/data/lists/x.tar")
    ('tar://a.wav::/data/lists/x.tar', 'tar://a.wav::x.tar')
    >>> folder.relative("/data/lists/x/a.wav"), folder.relative("/data/wav/b.wav"), folder.relative("/c.wav")
    ('x/a.wav', '../wav/b.wav', '/c.wav')
    """

    path: str

    @classmethod
    def of(cls, manifest: str | os.PathLike[str]) -> ManifestFolder:
        """Return the folder that a manifest lies in."""
        text = os.fspath(manifest)
        if is_url(text):
            return cls(text.rpartition("/")[0])
        return cls(with_slashes(str(Path(text).absolute().parent)))

    @cached_property
    def _prefix(self) -> str:
        return self.path.rstrip("/") + "/"

    @cached_property
    def _real(self) -> str:
        return with_slashes(os.path.realpath(self.path))

    def resolve(self, path: str) -> str:
        """Return an absolute path, or the URL or ``-`` as it is."""
        if path == STANDARD_INPUT:
            return path
        if is_url(path):
            return resolved(path, self.resolve)
        path = with_slashes(path)
        if is_absolute(path):
            return path
        # joined as it is: "link/../a.wav" lies beside what the link points to, which only the system knows
        return self._prefix + path.removeprefix("./")

    def relative(self, path: str) -> str:
        """Return a path as it is to be written: relative if below the folder, or at most two folders up."""
        if path == STANDARD_INPUT:
            return path
        if is_url(path):
            return resolved(path, self.relative)
        path = with_slashes(path)
        if "/../" in path or not is_absolute(path):
            path = with_slashes(os.path.realpath(path))
        for prefix in (self._prefix, self._real.rstrip("/") + "/"):
            if path.startswith(prefix):
                inside = path[len(prefix) :]
                return f"./{inside}" if inside == STANDARD_INPUT or is_url(inside) else inside
        if is_url(self.path):
            return path
        try:
            shared = with_slashes(os.path.commonpath([self._real, path]))
        except ValueError:  # on two drives of Windows
            return path
        ups = len(Path(self._real).parts) - len(Path(shared).parts)
        return with_slashes(os.path.relpath(path, self._real)) if ups <= 2 and shared != "/" else path
