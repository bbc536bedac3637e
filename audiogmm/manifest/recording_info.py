"""What opening a recording shows: added to its entry, or compared with what the entry says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from audiogmm.errors import AudioDataError, MismatchError
from audiogmm.manifest.entry import Entry, channels_of, display_name

TOLERANCE = 0.010
"""Seconds by which an entry may end past its recording: it is clipped."""


class RecordingInfo(Protocol):
    """What is measured of a recording; `audiogmm.audio.decoders.decoder.AudioInfo` is one."""

    @property
    def sample_rate(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def n_samples(self) -> int | None: ...


Measure = Callable[[Entry], RecordingInfo]
"""Opens the recording of an entry and says how long it is."""


def measured(entry: Entry, measure: Measure) -> Entry:
    """Add the sample rate, the number of channels and samples, and the duration that an entry lacks.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> info = SimpleNamespace(sample_rate=8000, channels=1, n_samples=12000)
    >>> full = measured(Entry(audio_filepath="/a.wav", id="a"), lambda entry: info)
    >>> full.sample_rate, full.duration, full.extra
    (8000, 1.5, {'channels': 1, 'num_samples': 12000})
    """
    known = entry.sample_rate and entry.duration and "num_samples" in entry.extra
    if known or entry.audio_filepath is None:
        return entry
    info = measure(entry)
    extra = {"channels": info.channels, **entry.extra}
    duration = entry.duration
    if info.n_samples is not None:
        extra.setdefault("num_samples", info.n_samples)
        if duration is None and info.n_samples > entry.offset * info.sample_rate:
            duration = info.n_samples / info.sample_rate - entry.offset
    return replace(entry, sample_rate=info.sample_rate, duration=duration, extra=extra)


def refuse_mismatch(entry: Entry, info: RecordingInfo) -> None:
    """Refuse an entry that states another sample rate or number of channels than its recording has.

    Raises
    ------
    MismatchError
        With both figures.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> info = SimpleNamespace(sample_rate=8000, channels=1, n_samples=8000)
    >>> refuse_mismatch(Entry(audio_filepath="/a.wav", id="a", sample_rate=16000), info)
    Traceback (most recent call last):
    ...
    audiogmm.errors.MismatchError: /a.wav has a sample rate of 8000 Hz; needed: 16000 Hz, as ...
    """
    if entry.sample_rate is not None and entry.sample_rate != info.sample_rate:
        raise MismatchError(
            f"{display_name(entry.path)} has a sample rate of {info.sample_rate} Hz",
            needed=f"{entry.sample_rate} Hz, as its entry says",
            remedy="correct sample_rate in the manifest, or the file",
        )
    channels = entry.extra.get("channels", entry.extra.get("num_channels"))
    if isinstance(channels, int) and channels != info.channels:
        raise MismatchError(
            f"{display_name(entry.path)} has {info.channels} channel{'s' * (info.channels != 1)}",
            needed=f"{channels}, as its entry says",
            remedy="correct channels in the manifest, or the file",
        )


def refuse_mixing(entry: Entry, info: RecordingInfo) -> None:
    """Refuse a recording of several channels where its entry says that there is one, and names none.

    Kaldi's segments of four columns say so; mixing two sides of a call would be silent.

    Raises
    ------
    MismatchError
        With what to write.
    """
    if entry.channel is None and entry.extra.get("channels") == 1 and info.channels > 1:
        raise MismatchError(
            f"{display_name(entry.path)} has {info.channels} channels, and its entry names none of them",
            needed="a channel, as the entry says that there is one",
            remedy="name it, counted from 0: a fifth column in Kaldi's segments, or channel in the manifest",
        )


def refuse_outside(entry: Entry, info: RecordingInfo) -> None:
    """Refuse an entry whose channel, offset or end lies outside its recording.

    Raises
    ------
    AudioDataError
        With what the entry asks for, and what the recording has.
    """
    name = display_name(entry.path)
    highest = max(channels_of(entry.channel), default=0)
    if highest >= info.channels:
        raise AudioDataError(
            f"{name} has {info.channels} channel{'s' * (info.channels != 1)}, "
            f"the entry names channel {highest}",
            needed=f"a channel from 0 to {info.channels - 1}",
        )
    if info.n_samples is None:  # a pipe
        return
    length = info.n_samples / info.sample_rate
    for what, time in (("offset", entry.offset), ("end (offset + duration)", entry.end)):
        if time is not None and time > length + TOLERANCE:
            raise AudioDataError(
                f"{name} is {length:.6g} s long, the entry's {what} is {time:.6g} s",
                needed="a piece that lies within the recording",
                remedy="correct offset and duration in the manifest",
            )
