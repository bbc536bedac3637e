"""A manifest from a folder: every recording below it."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from audiogmm.errors import AudioGMMError, ChoiceError, ManifestError
from audiogmm.manifest.entry import Entry, default_id, safe_id
from audiogmm.manifest.recording_info import Measure, measured
from audiogmm.manifest.sniff import AUDIO_SUFFIXES
from audiogmm.manifest.write import ManifestWarning
from audiogmm.reading import CHECK_DISK
from audiogmm.system import special_kind

ARCHIVES = (".tar", ".zip")
"""Suffixes of archives that are scanned where they are named."""


def find_recordings(
    folder: str | os.PathLike[str], speaker: str | None = None, *, measure: Measure | None = None
) -> Iterator[Entry]:
    """Find every recording below a folder, in the order of their paths, hidden files and pipes left out.

    Links to folders are followed, each folder once. Two recordings that differ in their suffix alone keep
    it in their ids.

    Parameters
    ----------
    folder : path-like
        Where to look; or a tar or zip archive, whose members are read where they are and named as files are.
    speaker : str, optional
        "parent" for the name of the folder that a recording lies in, or a regular expression to be searched
        in its path below `folder`: the group ``speaker`` is the speaker, else the first group, else the
        whole match.
    measure : callable, optional
        Opens a recording, so that its duration and rate get into the manifest. One that it refuses, with an
        error of audiogmm's, is listed without them: `manifest check` will name it.

    Yields
    ------
    Entry
        One a file; its id is the path below `folder` without the suffix.

    Raises
    ------
    ManifestError
        If there is no such folder, no recording in it, or a path in which the pattern is not found.
    ChoiceError
        If the pattern is not a regular expression.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "ann").mkdir(); (folder / "ann" / "1.wav").touch(); (folder / "notes.txt").touch()
    >>> [(entry.id, entry.speaker) for entry in find_recordings(folder, speaker="parent")]
    [('ann--1', 'ann')]
    """
    top = Path(folder)
    if top.is_file() and top.suffix.lower() in ARCHIVES:
        return _in_archive(top, speaker, _pattern(speaker), measure)
    if not top.is_dir():
        kind = "is a file" if top.exists() else "does not exist"
        raise ManifestError(f"{top} {kind}", needed="a folder of recordings", remedy="check the path")
    pattern = _pattern(speaker)
    return _scan(top, speaker, pattern, measure)


def _in_archive(
    archive: Path, speaker: str | None, pattern: re.Pattern[str] | None, measure: Measure | None
) -> Iterator[Entry]:
    """The recordings in a tar or zip archive, in the order of their names, hidden ones left out."""
    import fsspec

    kind = archive.suffix.lower()[1:]
    try:
        names = sorted(fsspec.filesystem(kind, fo=str(archive)).find(""))
    except Exception as error:  # those of tarfile and zipfile, and of what they read by
        raise ManifestError(
            f"{archive} cannot be read: {error}", needed="a whole archive", remedy="copy it again"
        ) from error
    recordings: dict[str, list[str]] = {}
    for name in names:
        below, _, last = name.rpartition("/")
        if Path(last).suffix.lower() in AUDIO_SUFFIXES and not re.search(r"(^|/)\.[^./]", name):
            recordings.setdefault(below, []).append(last)
    ids = {path: id for below, found in recordings.items() for path, id in _ids(found, below).items()}
    if not ids:
        raise _nothing_in(archive)
    for name in sorted(ids):
        who = None if pattern is None else _speaker(pattern, name, archive)
        who = Path(name).parent.name if speaker == "parent" else who
        url = f"{kind}://{name}::{archive.absolute()}"
        entry = Entry(audio_filepath=url, id=ids[name], speaker=who or None, source=url)
        yield entry if measure is None else _measured(entry, measure)


def _nothing_in(top: Path) -> ManifestError:
    return ManifestError(
        f"{top} holds no recording",
        needed="files such as .wav, .flac, .ogg or .mp3",
        remedy="another folder",
    )


def _scan(
    top: Path, speaker: str | None, pattern: re.Pattern[str] | None, measure: Measure | None
) -> Iterator[Entry]:
    empty = True
    for path, name in _files(str(top.absolute()), ""):
        empty = False
        full = str(top.absolute() / path)
        who = None
        if speaker == "parent":
            who = Path(full).parent.name
        elif pattern is not None:
            who = _speaker(pattern, path, top)
        entry = Entry(audio_filepath=full, id=name, speaker=who, source=full)
        yield entry if measure is None else _measured(entry, measure)
    if empty:
        raise _nothing_in(top)


def _files(top: str, below: str, seen: frozenset[tuple[int, int]] = frozenset()) -> Iterator[tuple[str, str]]:
    """Paths of recordings below `top`, and their ids."""
    here = Path(top, below)
    status = here.stat()
    mark = (status.st_dev, status.st_ino)
    if mark in seen:  # a link to a folder above
        return
    try:
        names = sorted(name for name in os.listdir(here) if not name.startswith("."))  # noqa: PTH208
    except OSError as error:
        raise ManifestError(
            f"{here} cannot be read: {error.strerror}", needed="a folder to list", remedy=CHECK_DISK
        ) from error
    ids = _ids([name for name in names if Path(name).suffix.lower() in AUDIO_SUFFIXES], below)
    for name in names:
        path = f"{below}/{name}" if below else name
        if name.lower().endswith(ARCHIVES):
            warnings.warn(
                f"{here / name} is not looked into; audiogmm manifest scan {here / name} does",
                ManifestWarning,
                stacklevel=2,
            )
        if (here / name).is_dir():
            yield from _files(top, path, seen | {mark})
        elif path in ids and not _is_special(here / name):
            yield path, ids[path]


def _ids(recordings: list[str], below: str) -> dict[str, str]:
    """The ids of the recordings in a folder, by path; those that differ in the suffix alone keep it."""
    short, long = Counter(map(default_id, recordings)), Counter(map(safe_id, recordings))
    ids: dict[str, str] = {}
    for name in recordings:
        path = f"{below}/{name}" if below else name
        if long[safe_id(name)] > 1:  # bytes that are not UTF-8, or blanks, have the same mark in an id
            digest = hashlib.blake2b(os.fsencode(name), digest_size=4).hexdigest()
            ids[path] = safe_id(f"{path}~{digest}")
        else:
            ids[path] = safe_id(path) if short[default_id(name)] > 1 else default_id(path)
    return ids


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device, which is left out with a warning."""
    try:
        kind = special_kind(path.stat().st_mode)
    except OSError:  # a link to nothing is listed, and `manifest check` names it
        return False
    if kind is not None:
        warnings.warn(f"{path} is {kind}, and is left out", ManifestWarning, stacklevel=2)
    return kind is not None


def _pattern(speaker: str | None) -> re.Pattern[str] | None:
    if speaker is None or speaker == "parent":
        return None
    try:
        return re.compile(speaker)
    except re.error as error:
        raise ChoiceError(
            f"the speaker pattern {speaker!r} is not a regular expression: {error}",
            needed='"parent" or a pattern',
            remedy=r"'(?P<speaker>\w+)_\d+\.wav'",
        ) from error


def _speaker(pattern: re.Pattern[str], path: str, top: Path) -> str:
    match = pattern.search(path)
    found = None
    if match is not None:
        found = match["speaker"] if "speaker" in pattern.groupindex else match[min(1, pattern.groups)]
    if not found:
        raise ManifestError(
            f"the speaker pattern {pattern.pattern!r} finds nothing in {path} (below {top})",
            needed="a speaker in every path",
            remedy="another pattern, or move that file away",
        )
    return found


def _measured(entry: Entry, measure: Measure) -> Entry:
    try:
        return measured(entry, measure)
    except AudioGMMError:
        return entry
