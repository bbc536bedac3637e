"""Kaldi data directories: wav.scp or feats.scp, with segments, utt2spk, text and reco2file_and_channel."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from audiogmm.errors import ManifestError
from audiogmm.manifest.commands import read_command
from audiogmm.manifest.entry import Channel, Entry, safe_id
from audiogmm.manifest.inside import ark_address, resolved
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.lookup import Lookup
from audiogmm.manifest.text import open_text
from audiogmm.manifest.toolkits import PathBase, recording_id, refuse_command
from audiogmm.types import Json, Seconds
from audiogmm.wall_clock import exact_time, parse_time

_SEGMENTS = "segments"
_FILES = (
    "wav.scp",
    "feats.scp",
    _SEGMENTS,
    "utt2spk",
    "spk2utt",
    "text",
    "utt2time",
    "reco2file_and_channel",
)

BYTES = "surrogateescape"
"""Kaldi opens files by their bytes, so its lists hold those: they alone need not be UTF-8."""


def read(path: str) -> Iterator[ManifestLine]:
    """Read a Kaldi data directory, or a lone ``.scp`` file.

    The line of an utterance is its line in segments or the ``.scp`` file. The files are read side by side, as
    Kaldi sorts them; a file in another order is held in memory. `toolkits.PathBase` says where relative paths
    are found. `utt2time`, a file of ours, has the time at which an utterance begins. A speaker named like the
    utterance is unknown: Kaldi's convention. Where utt2spk is missing, spk2utt is read. A segment's fifth
    word is a channel counted from 0; without one, and without reco2file_and_channel, its recording must have
    one channel, as in Kaldi. Of a command in place of a file, the file is read if `commands.read_command`
    knows it; it is never run. A recording in an archive (``wav.ark:1234``) gets the address
    ``ark://wav.ark:1234``. See `ManifestFormat.read`.

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
    texts, times, channels = (_lookup(folder / name) for name in ("text", "utt2time", _FILES[-1]))
    speakers = _speakers(folder)
    is_audio = scp.name == "wav.scp" or (scp.name != "feats.scp" and _holds_audio(scp, PathBase(folder)))
    base = PathBase(folder)
    if given.is_dir() and scp.name == "wav.scp" and (folder / _SEGMENTS).exists():
        rows = _pieces(folder / _SEGMENTS, _lookup(scp))
    else:
        rows = _whole(scp)
    for number, row in rows:
        if isinstance(row, ManifestError):
            yield number, row
            continue
        source, utterance, recording, location, offset, duration, track = row
        name = safe_id(utterance)
        speaker = speakers.get(utterance)
        extra: Json = {} if name == utterance else {"id": utterance}
        if recording != utterance:
            extra["recording_id"] = recording
        if (text := texts.get(utterance)) is not None:
            extra["text"] = text
        try:
            features = not is_audio and ".ark" in location
            if features:
                _refuse_features(location, source)
                full, channel = base.resolve(location), None
            else:
                track = _channel(channels.get(recording), source) if track is None else track
                full, channel, is_mono = _recording(location, track, base, source)
                if track is None and channel is None and not is_mono and recording != utterance:
                    extra["channels"] = 1  # Kaldi refuses a segment of several channels that names none
            yield (
                number,
                Entry(
                    audio_filepath=None if features else full,
                    features_filepath=full if features else None,
                    id=name,
                    offset=offset,
                    duration=duration,
                    channel=channel,
                    speaker=None if speaker == utterance else speaker,
                    time=_time(times.get(utterance), source),
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
    files = {name: (folder / name).open("w", encoding="utf-8", errors=BYTES) for name in _FILES}
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
    if "utt2spk" not in absent:
        _write_spk2utt(folder)
        absent.remove("spk2utt")
    for name in absent:  # last of all, when nothing is left to fail but the renaming
        (final / name).unlink(missing_ok=True)
    return count


def _write_one(entry: Entry, files: Mapping[str, TextIO]) -> bool:
    """Write the lines of one entry; says whether it is a piece of a recording."""
    piece = bool(entry.offset) or entry.duration is not None or entry.channel is not None
    speaker = entry.id if entry.speaker is None else safe_id(entry.speaker)

    def line(name: str, *words: str) -> None:
        text = " ".join(words)
        place = words[-1]  # Kaldi runs "command |", and takes "-" for standard input
        if text.splitlines() != [text] or (
            name.endswith(".scp") and (place != place.strip(" |") or place == "-")
        ):
            raise ManifestError(
                f"{entry.source or entry.id}: {place!r} in a Kaldi data directory is no file to Kaldi",
                needed="a path without line breaks, and without blanks or | at its ends",
                remedy="rename the file",
            )
        files[name].write(text + "\n")

    if entry.features_filepath:
        line("feats.scp", entry.id, entry.features_filepath)
    else:
        recording = recording_id(entry) if piece else entry.id
        line("wav.scp", recording, entry.path.removeprefix("ark://"))
        end = "-1" if entry.end is None else f"{entry.end:.15g}"
        if isinstance(entry.channel, tuple):
            raise ManifestError(
                f"{entry.source or entry.id}: {entry.path} is the mean of the channels {entry.channel}",
                needed="one channel, or all of them, in a Kaldi data directory",
                remedy="another format",
            )
        track = () if entry.channel is None else (str(entry.channel),)
        line(_SEGMENTS, entry.id, recording, f"{entry.offset:.15g}", end, *track)
    line("utt2spk", entry.id, speaker)
    if entry.time is not None:
        line("utt2time", entry.id, str(exact_time(entry.time)))
    if entry.extra.get("text"):
        line("text", entry.id, " ".join(str(entry.extra["text"]).split()))
    return piece and not entry.features_filepath


def _time(text: str | None, source: str) -> Seconds | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        what, _, needed = str(error).partition("; needed: ")
        raise ManifestError(f"{source}: utt2time: {what}", needed=needed) from error


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


def _write_spk2utt(folder: Path) -> None:
    """Write the utterances of each speaker, as utils/utt2spk_to_spk2utt.pl does, sorted."""
    utterances: dict[str, list[str]] = {}
    for utterance, speaker in _pairs(folder / "utt2spk"):
        utterances.setdefault(speaker, []).append(utterance)
    with (folder / "spk2utt").open("w", encoding="utf-8", errors=BYTES) as file:
        for speaker in sorted(utterances, key=os.fsencode):
            file.write(" ".join([speaker, *utterances[speaker]]) + "\n")


_SEGMENT_LINE = (
    "utterance, recording, start, and end (or -1), in seconds, and perhaps a channel counted from 0"
)

_Row = tuple[str, str, str, str, float, float | None, int | None]
"""Source, utterance, recording, its location, offset, duration, channel."""


def _whole(scp: Path) -> Iterator[tuple[int, _Row | ManifestError]]:
    """Each recording as an utterance of its own."""
    with open_text(str(scp), errors=BYTES) as file:
        for number, line in enumerate(file, 1):
            words = line.split(maxsplit=1)
            source = f"{scp}:{number}"
            if len(words) == 2:
                yield number, (source, words[0], words[0], words[1].strip(), 0.0, None, None)
            elif words:
                yield number, _bad(source, line, "an id and a file")


def _pieces(segments: Path, recordings: Lookup[str]) -> Iterator[tuple[int, _Row | ManifestError]]:
    """Each segment of a recording as an utterance."""
    with open_text(str(segments), errors=BYTES) as file:
        for number, line in enumerate(file, 1):
            words = line.split()
            source = f"{segments}:{number}"
            if not words:
                continue
            try:
                utterance, recording, *numbers = words
                start, end = (float(word) for word in numbers[:2])
                channel = int(numbers[2]) if len(numbers) == 3 else None
                if len(numbers) > 3 or (channel or 0) < 0:
                    raise ValueError
                if not (0 <= start < float("inf") and (start < end < float("inf") or end == -1)):
                    raise ValueError
            except ValueError:
                yield number, _bad(source, line, _SEGMENT_LINE)
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
                        channel,
                    ),
                )


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    """The first word of each line, and what follows it."""
    with open_text(str(file), errors=BYTES) as lines:
        for line in lines:
            words = line.split(maxsplit=1)
            if words:
                yield words[0], words[1].strip() if len(words) == 2 else ""


def _lookup(file: Path) -> Lookup[str]:
    return Lookup(lambda: _pairs(file) if file.exists() else iter(()))


def _bad(source: str, line: str, needed: str) -> ManifestError:
    return ManifestError(f"{source} is {line.strip()[:80]!r}", needed=needed, remedy="correct the line")


def _recording(location: str, track: int | None, base: PathBase, source: str) -> tuple[str, Channel, bool]:
    """Find the path of a recording, the channel, and whether it has been made mono."""
    channel: Channel = track
    is_mono = False
    if location.startswith("|"):
        refuse_command(location, source)
    if location.endswith("|"):
        found = read_command(location, source)
        location, is_mono = found.path, found.is_mono
        if found.is_mono:
            if track not in (None, 0):
                raise ManifestError(
                    f"{source}: channel {track} of a command that gives one channel",
                    needed="channel 0, or none",
                )
            channel = found.channel
    if _IN_ARK.search(location):
        location = ark_address(location)
    return resolved(location, base.resolve), channel, is_mono


_IN_ARK = re.compile(r"\.ark:\d+$")


def _refuse_features(location: str, source: str) -> None:
    if location.endswith("|") or location.startswith("|"):
        refuse_command(location, source)


def _speakers(folder: Path) -> Lookup[str]:
    """The speaker of each utterance, from utt2spk, or from spk2utt turned round."""
    if (folder / "utt2spk").exists() or not (folder / "spk2utt").exists():
        return _lookup(folder / "utt2spk")
    return Lookup(
        lambda: (
            (utterance, speaker)
            for speaker, utterances in _pairs(folder / "spk2utt")
            for utterance in utterances.split()
        )
    )


def _holds_audio(scp: Path, base: PathBase) -> bool:
    """Whether the first archive that a script file names holds recordings, not matrices."""
    location = next((value for _, value in _pairs(scp)), "")
    if not _IN_ARK.search(location):
        return ".ark" not in location
    path, _, offset = base.resolve(location).rpartition(":")
    try:
        with Path(path).open("rb") as file:
            file.seek(int(offset))
            return file.read(5).startswith((b"RIFF", b"fLaC", b"AUDIO", b"OggS"))
    except OSError:
        return False


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
