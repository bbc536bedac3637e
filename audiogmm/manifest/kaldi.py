"""Kaldi data directories: wav.scp or feats.scp, with segments, utt2spk, text and reco2file_and_channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, safe_id
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.lookup import Lookup
from audiogmm.manifest.text import open_text
from audiogmm.manifest.toolkits import PathBase, recording_id, refuse_command
from audiogmm.types import Json

_SEGMENTS = "segments"
_FILES = ("wav.scp", "feats.scp", _SEGMENTS, "utt2spk", "text", "reco2file_and_channel")


def read(path: str) -> Iterator[ManifestLine]:
    """Read a Kaldi data directory, or a lone ``.scp`` file.

    The line of an utterance is its line in segments or the ``.scp`` file. The files are read side by side, as
    Kaldi sorts them; a file in another order is held in memory. `toolkits.PathBase` says where relative paths
    are found. A speaker named like the utterance is unknown: Kaldi's convention. A command in place of a file
    is refused. See `ManifestFormat.read`.

    Raises
    ------
    ManifestError
        If there is neither wav.scp nor feats.scp, or a file cannot be read.
    """
    given = Path(path)
    folder = given if given.is_dir() else given.parent
    scp = next((folder / name for name in ("wav.scp", "feats.scp") if (folder / name).exists()), given)
    if not given.is_dir():
        scp = given
    if not scp.is_file():
        raise ManifestError(f"{path} has no wav.scp and no feats.scp", needed="a Kaldi data directory")
    speakers, texts, channels = (_lookup(folder / name) for name in ("utt2spk", "text", _FILES[-1]))
    base = PathBase(folder)
    if given.is_dir() and scp.name == "wav.scp" and (folder / _SEGMENTS).exists():
        rows = _pieces(folder / _SEGMENTS, _lookup(scp))
    else:
        rows = _whole(scp)
    for number, row in rows:
        if isinstance(row, ManifestError):
            yield number, row
            continue
        source, utterance, recording, location, offset, duration = row
        name = safe_id(utterance)
        speaker = speakers.get(utterance)
        extra: Json = {} if name == utterance else {"id": utterance}
        if recording != utterance:
            extra["recording_id"] = recording
        if (text := texts.get(utterance)) is not None:
            extra["text"] = text
        try:
            features = scp.name != "wav.scp" and ".ark" in location
            full = base.resolve(_file(location, source, audio=not features))
            yield (
                number,
                Entry(
                    audio_filepath=None if features else full,
                    features_filepath=full if features else None,
                    id=name,
                    offset=offset,
                    duration=duration,
                    channel=_channel(channels.get(recording), source),
                    speaker=None if speaker == utterance else speaker,
                    extra=extra,
                    source=source,
                ),
            )
        except ManifestError as error:
            yield number, error


def write(entries: Iterable[Entry], folder: Path, final: Path) -> int:
    """Write a Kaldi data directory; every path in it is absolute, every file is sorted as Kaldi wants it.

    What an earlier data directory at `final` had and this one lacks is removed. See `ManifestFormat.write`.

    Raises
    ------
    ManifestError
        If audio and features are mixed, a feature matrix is in no ark, or two recordings have one name.
    """
    folder.mkdir()
    count, kinds, pieces = 0, set(), False
    files = {name: (folder / name).open("w", encoding="utf-8") for name in _FILES}
    try:
        for entry in entries:
            count += 1
            kinds.add(entry.audio_filepath is None)
            if len(kinds) > 1 or (entry.features_filepath and ".ark" not in entry.features_filepath):
                raise ManifestError(
                    f"{entry.source or entry.id}: {entry.path} does not fit into this Kaldi data directory",
                    needed="recordings alone, or matrices in Kaldi arks alone",
                    remedy="another format",
                )
            pieces |= _write_one(entry, files)
    finally:
        for file in files.values():
            file.close()
    if not pieces:
        (folder / _SEGMENTS).unlink()
    absent = [name for name in _FILES if not _sort(folder / name)]
    for name in absent:  # last of all, when nothing is left to fail but the renaming
        (final / name).unlink(missing_ok=True)
    return count


def _write_one(entry: Entry, files: Mapping[str, TextIO]) -> bool:
    """Write the lines of one entry; says whether it is a piece of a recording."""
    piece = bool(entry.offset) or entry.duration is not None or entry.channel is not None
    speaker = entry.id if entry.speaker is None else safe_id(entry.speaker)

    def line(name: str, *words: str) -> None:
        files[name].write(" ".join(words) + "\n")

    if entry.features_filepath:
        line("feats.scp", entry.id, entry.features_filepath)
    else:
        recording = recording_id(entry) if piece else entry.id
        line("wav.scp", recording, entry.path)
        end = "-1" if entry.end is None else f"{entry.end:.15g}"
        line(_SEGMENTS, entry.id, recording, f"{entry.offset:.15g}", end)
        if entry.channel is not None:
            line(_FILES[-1], recording, entry.path, str(entry.channel + 1))
    line("utt2spk", entry.id, speaker)
    if entry.extra.get("text"):
        line("text", entry.id, " ".join(str(entry.extra["text"]).split()))
    return piece and not entry.features_filepath


def _sort(file: Path) -> bool:
    """Sort a file by bytes (LC_ALL=C), each line once; an empty one is removed. Says whether it is there."""
    lines = sorted(set(file.read_bytes().splitlines(keepends=True))) if file.exists() else []
    for line, following in pairwise(lines):
        key = line.split(b" ", 1)[0]
        if key == following.split(b" ", 1)[0]:
            raise ManifestError(
                f"{file.name} would name {key.decode(errors='replace')} twice, with different files",
                needed="one name for one recording",
                remedy='another "id" or "recording_id"',
            )
    if lines:
        file.write_bytes(b"".join(lines))
    else:
        file.unlink(missing_ok=True)
    return bool(lines)


_Row = tuple[str, str, str, str, float, float | None]
"""Source, utterance, recording, its location, offset, duration."""


def _whole(scp: Path) -> Iterator[tuple[int, _Row | ManifestError]]:
    """Each recording as an utterance of its own."""
    with open_text(str(scp)) as file:
        for number, line in enumerate(file, 1):
            words = line.split(maxsplit=1)
            source = f"{scp}:{number}"
            if len(words) == 2:
                yield number, (source, words[0], words[0], words[1].strip(), 0.0, None)
            elif words:
                yield number, _bad(source, line, "an id and a file")


def _pieces(segments: Path, recordings: Lookup[str]) -> Iterator[tuple[int, _Row | ManifestError]]:
    """Each segment of a recording as an utterance."""
    with open_text(str(segments)) as file:
        for number, line in enumerate(file, 1):
            words = line.split()
            source = f"{segments}:{number}"
            if not words:
                continue
            try:
                utterance, recording = words[:2]
                start, end = (float(word) for word in words[2:4])
                if not (0 <= start < float("inf") and (start < end < float("inf") or end == -1)):
                    raise ValueError
            except ValueError:
                yield number, _bad(source, line, "utterance, recording, start, and end (or -1), in seconds")
                continue
            location = recordings.get(recording)
            if location is None:
                yield (
                    number,
                    ManifestError(
                        f"{source}: the recording {recording} is not in wav.scp",
                        needed="a line of wav.scp for every recording in segments",
                        remedy="utils/fix_data_dir.sh",
                    ),
                )
            else:
                yield (
                    number,
                    (
                        source,
                        utterance,
                        recording,
                        location,
                        start,
                        None if end == -1 else round(end - start, 9),
                    ),
                )


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    """The first word of each line, and what follows it."""
    with open_text(str(file)) as lines:
        for line in lines:
            words = line.split(maxsplit=1)
            if words:
                yield words[0], words[1].strip() if len(words) == 2 else ""


def _lookup(file: Path) -> Lookup[str]:
    return Lookup(lambda: _pairs(file) if file.exists() else iter(()))


def _bad(source: str, line: str, needed: str) -> ManifestError:
    return ManifestError(f"{source} is {line.strip()[:80]!r}", needed=needed, remedy="correct the line")


def _file(location: str, source: str, *, audio: bool) -> str:
    """A location that is a file."""
    if location.endswith("|") or location.startswith("|"):
        refuse_command(location, source)
    if ".ark:" in location and audio:
        raise ManifestError(
            f"{source} is inside an archive: {location[:80]!r}",
            needed="the path of an audio file",
            remedy="wav-copy scp:wav.scp writes files",
        )
    return location


def _channel(line: str | None, source: str) -> int | None:
    """The channel in reco2file_and_channel: A, B or counted from 1."""
    if not line:
        return None
    word = line.split()[-1]
    if word in ("A", "B"):
        return "AB".index(word)
    if word.isdigit() and int(word) > 0:
        return int(word) - 1
    raise ManifestError(f"{source}: the channel {word!r}", needed="A, B, or a number from 1")
