"""Open every recording of a manifest, and name each that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from audiogmm.errors import AudioDataError, AudioGMMError, ManifestError, MismatchError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.write import RecordingInfo

Probe = Callable[[Entry], RecordingInfo | None]
"""Opens an entry, raises an `AudioGMMError` if it is bad, and says what it found, if it knows."""

TOLERANCE = 0.010
"""Seconds by which an entry may end past its recording: it is clipped."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an entry, or with a line that is none.

    Attributes
    ----------
    error : AudioGMMError
        What is wrong, what was needed, what to try.
    entry : Entry or None
        The entry; None where a line gave none.
    """

    error: AudioGMMError
    entry: Entry | None = None

    def __str__(self) -> str:
        """The message, with the manifest's line before it unless it is there already."""
        text = str(self.error)
        source = self.entry.source if self.entry else ""
        return text if not source or source in text else f"{source}: {text}"


def check(entries: Iterable[Entry], probe: Probe) -> Iterator[Problem]:
    """Name each bad entry: missing, empty, truncated, no audio, too short, past the end, not what it says.

    Bad lines and doubled ids of a `Manifest` are among the problems; what is no manifest at all is raised.

    Parameters
    ----------
    entries : iterable of Entry
        A `Manifest`, or any entries.
    probe : callable
        Opens the recording of an entry and raises an `AudioGMMError` for what it finds wrong, as
        `audiogmm.audio.decode.probe` does. What it returns is held against what the entry says:
        `sample_rate`, `channels` (a further key), `channel`, `offset` and `duration`.

    Yields
    ------
    Problem
        One for each bad line, as it is found.

    Examples
    --------
    >>> from audiogmm.errors import AudioFileError
    >>> def probe(entry):
    ...     raise AudioFileError(f"{entry.path} is missing")
    >>> print(*check([Entry(audio_filepath="/a.wav", id="a", source="all.jsonl:1")], probe))
    all.jsonl:1: /a.wav is missing
    """
    if isinstance(entries, Manifest):
        bad_lines: list[ManifestError] = []
        for entry in Manifest(entries.path, entries.format, bad_lines.append):
            yield from _drain(bad_lines)
            yield from check_entry(entry, probe)
        yield from _drain(bad_lines)
    else:
        for entry in entries:
            yield from check_entry(entry, probe)


def check_entry(entry: Entry, probe: Probe) -> Iterator[Problem]:
    """Name what is wrong with one entry; nothing if it is good."""
    try:
        info = probe(entry)
        if info is not None and entry.audio_filepath is not None:
            compare(entry, info)
    except AudioGMMError as error:
        yield Problem(error, entry)


def compare(entry: Entry, info: RecordingInfo) -> None:
    """Hold what an entry says against what its recording is.

    Parameters
    ----------
    entry : Entry
        What is said.
    info : RecordingInfo
        What was found.

    Raises
    ------
    MismatchError
        If the sample rate or the number of channels is another.
    AudioDataError
        If the offset, the end or the channel lies outside the recording.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> info = SimpleNamespace(sample_rate=8000, channels=1, n_samples=8000)
    >>> compare(Entry(audio_filepath="/a.wav", id="a", sample_rate=16000), info)
    Traceback (most recent call last):
    ...
    audiogmm.errors.MismatchError: /a.wav has a sample rate of 8000 Hz; needed: 16000 Hz, as ...
    """
    if entry.sample_rate is not None and entry.sample_rate != info.sample_rate:
        raise MismatchError(
            f"{entry.path} has a sample rate of {info.sample_rate} Hz",
            needed=f"{entry.sample_rate} Hz, as its entry says",
            remedy="correct sample_rate in the manifest, or the file",
        )
    channels = entry.extra.get("channels")
    if isinstance(channels, int) and channels != info.channels:
        raise MismatchError(
            f"{entry.path} has {info.channels} channel{'s' * (info.channels != 1)}",
            needed=f"{channels}, as its entry says",
            remedy="correct channels in the manifest, or the file",
        )
    if entry.channel is not None and entry.channel >= info.channels:
        raise AudioDataError(
            f"{entry.path} has {info.channels} channel{'s' * (info.channels != 1)}, the entry names channel "
            f"{entry.channel}",
            needed=f"a channel from 0 to {info.channels - 1}",
        )
    if info.n_samples is None:  # a pipe
        return
    length = info.n_samples / info.sample_rate
    for name, time in (("offset", entry.offset), ("end (offset + duration)", entry.end)):
        if time is not None and time > length + TOLERANCE:
            raise AudioDataError(
                f"{entry.path} is {length:.6g} s long, the entry's {name} is {time:.6g} s",
                needed="a piece that lies within the recording",
                remedy="correct offset and duration in the manifest",
            )


def _drain(errors: list[ManifestError]) -> Iterator[Problem]:
    while errors:
        yield Problem(errors.pop(0))
