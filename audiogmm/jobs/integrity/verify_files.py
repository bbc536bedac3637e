"""Verify files: every checksum in a file, or in all files of a folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.anomaly.kinds.kinds_file import FILE as KINDS
from audiogmm.anomaly.kinds.kinds_file import load_kinds
from audiogmm.audio.frame_cache.cache import FrameCache
from audiogmm.audio.frame_cache.frame_file import open_frames
from audiogmm.audio.frame_cache.index import DATABASE
from audiogmm.errors import AudioGMMError, ModelFileError
from audiogmm.mixture import container
from audiogmm.mixture.store import load
from audiogmm.reporting.run.record import SUFFIX, RunRecord
from audiogmm.reprs import lines_repr
from audiogmm.runs.journal_lines import JOURNAL, LEDGER, find_damage
from audiogmm.runs.run_manifest import RunManifest
from audiogmm.scoring.track_file import is_whole
from audiogmm.training.ledger import INDEX, Ledger
from audiogmm.types import Json
from audiogmm.verification.calibration import GalleryCalibration
from audiogmm.verification.gallery import CALIBRATION, SETTINGS, Gallery
from audiogmm.words import amount

_NEEDED = "the bytes that audiogmm wrote"


@dataclass(frozen=True)
class FilesVerified:
    """What was found of files and their checksums.

    Attributes
    ----------
    path : Path
        The file or the folder.
    intact : dict
        Numbers of files without damage, by kind.
    damaged : tuple of str
        What is wrong, for each damaged file.
    other : int
        Files that are not of a kind that has checksums.
    """

    path: Path
    intact: dict[str, int]
    damaged: tuple[str, ...]
    other: int

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "path": str(self.path),
            "intact": self.intact,
            "damaged": list(self.damaged),
            "other": self.other,
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        yield from self.damaged
        for kind, n in self.intact.items():
            yield f"{kind}: {amount(n, 'file')} intact"
        yield (
            f"{self.path}: {amount(len(self.damaged), 'file')} damaged, {sum(self.intact.values())} intact, "
            f"{self.other} without checksums of audiogmm"
        )


def verify_files(path: str | os.PathLike[str]) -> FilesVerified:
    """Compare everything in a file, or in all files below a folder, with its checksums.

    Parameters
    ----------
    path : path-like
        A model, gallery, ledger, checkpoint, frame cache, track or record of a run, or a folder of them.

    Raises
    ------
    ModelFileError
        If there is no such file, or a single file is of no kind that has checksums.

    Examples
    --------
    >>> import tempfile
    >>> from audiogmm.mixture.gaussian import Mixture
    >>> from audiogmm.mixture.store import Model
    >>> folder = Path(tempfile.mkdtemp())
    >>> Model(Mixture([1.0], [[0.0]], [1.0], "spherical")).save(folder / "room.agmm")
    >>> verify_files(folder).intact
    {'model': 1}
    """
    path = Path(path)
    if not path.exists():
        raise ModelFileError(f"{path} does not exist", needed="a file or a folder", remedy="check the name")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    intact: Counter[str] = Counter()
    damaged, other = [], 0
    for file in files:
        kind = _kind_of(file)
        if kind is None:
            other += 1
            continue
        try:
            _CHECKS[kind](file)
            intact[kind] += 1
        except (AudioGMMError, OSError) as error:
            damaged.append(str(error))
    if path.is_file() and other:
        raise ModelFileError(
            f"{path} is no file with checksums of audiogmm",
            needed=f"one of these: {', '.join(_CHECKS)}; or a folder",
        )
    return FilesVerified(path, dict(sorted(intact.items())), tuple(damaged), other)


def _kind_of(file: Path) -> str | None:
    """Return the kind of a file, by its name or its first bytes."""
    for end, kind in _NAMES.items():
        if file.name.endswith(end):
            return kind
    with file.open("rb") as opened:
        is_safetensors = opened.read(10)[8:] == b'{"'
    return "checkpoint, speaker or ledger entry" if is_safetensors else None


def _frames(file: Path) -> None:
    found = open_frames(file)
    if found is None:
        raise ModelFileError(f"{file} is damaged", needed=_NEEDED, remedy="features, which computes it again")
    for _ in found:
        pass


def _track(file: Path) -> None:
    if not is_whole(file):
        raise ModelFileError(f"{file} is damaged", needed=_NEEDED, remedy="score again with --force")


def _journal(file: Path) -> None:
    if (line := find_damage(file)) is not None:
        raise ModelFileError(
            f"{file} is damaged in line {line}", needed=_NEEDED, remedy="--resume, which does the rest again"
        )


_NAMES = {
    KINDS: "kinds of sound",
    ".agmm": "model",
    ".frames": "frames",
    ".npz": "track",
    JOURNAL: "journal",
    LEDGER: "ledger of inputs",
    SUFFIX: "record of a run",
    DATABASE: "index of a frame cache",
    INDEX: "ledger",
    SETTINGS: "gallery",
    CALIBRATION: "calibration",
}

_CHECKS: dict[str, Callable[[Path], object]] = {
    "kinds of sound": lambda file: load_kinds(file.parent),
    "model": load,
    "frames": _frames,
    "track": _track,
    "journal": _journal,
    "ledger of inputs": _journal,
    "record of a run": lambda file: (RunRecord if RunRecord.is_at(file) else RunManifest).read(file),
    "index of a frame cache": lambda file: FrameCache(file.parent).frontends(),
    "ledger": lambda file: Ledger(file.parent),
    "gallery": lambda file: Gallery(file.parent),
    "calibration": GalleryCalibration.read,
    "checkpoint, speaker or ledger entry": lambda file: container.read(file, "make it again"),
}
