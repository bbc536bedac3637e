"""Open every recording of a manifest, and name each that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.recording_info import RecordingInfo, refuse_mismatch, refuse_outside

Probe = Callable[[Entry], RecordingInfo | None]
"""Opens an entry, raises an `AudioGMMError` if it is bad, and says what it found, if it knows."""


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


def find_problems(entries: Iterable[Entry], probe: Probe) -> Iterator[Problem]:
    """Name each bad entry: missing, empty, truncated, not audio, too short, past its end, or misstated.

    Bad lines and repeated ids of a `Manifest` are among the problems; a file that is not a manifest raises.

    Parameters
    ----------
    entries : iterable of Entry
        A `Manifest`, or any entries.
    probe : callable
        Opens the recording of an entry and raises an `AudioGMMError` for what it finds wrong, as
        `audiogmm.audio.decode.probe` does. What it returns is compared with what the entry says:
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
    >>> print(*find_problems([Entry(audio_filepath="/a.wav", id="a", source="all.jsonl:1")], probe))
    all.jsonl:1: /a.wav is missing
    """
    if isinstance(entries, Manifest):
        bad_lines: list[ManifestError] = []
        for entry in replace(entries, on_error=bad_lines.append):
            yield from _drain(bad_lines)
            yield from _problems_of(entry, probe)
        yield from _drain(bad_lines)
    else:
        for entry in entries:
            yield from _problems_of(entry, probe)


def _problems_of(entry: Entry, probe: Probe) -> Iterator[Problem]:
    try:
        info = probe(entry)
        if info is not None and entry.audio_filepath is not None:
            refuse_mismatch(entry, info)
            refuse_outside(entry, info)
    except AudioGMMError as error:
        yield Problem(error, entry)


def _drain(errors: list[ManifestError]) -> Iterator[Problem]:
    while errors:
        yield Problem(errors.pop(0))
