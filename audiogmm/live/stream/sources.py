"""From the inputs that a user names to sources."""

from __future__ import annotations

import numbers
import os
import stat
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from audiogmm.audio.decode import open_audio
from audiogmm.audio.decoders.wave_times import read_wave_times
from audiogmm.errors import ChoiceError
from audiogmm.live.chunks import Chunks
from audiogmm.live.clock import Clock, WallClock
from audiogmm.live.file import BLOCK, File
from audiogmm.live.microphone import HELD, Microphone
from audiogmm.live.pcm import Pcm
from audiogmm.live.pipe import STANDARD_INPUT, Pipe
from audiogmm.live.source import Source
from audiogmm.live.stream.start_time import StartTime
from audiogmm.manifest.clock.starts import StartFinder
from audiogmm.manifest.entry import Entry, default_id, is_url, safe_id
from audiogmm.manifest.read import read_manifest
from audiogmm.runs.progress import say_nothing
from audiogmm.types import Samples, Seconds


@dataclass(frozen=True)
class InputIdentity:
    """The name of an input in messages, its id and path (None for a microphone), and when it began."""

    name: str
    id: str
    audio_filepath: str | None
    start: StartTime | None = None


class AnyInputs(Protocol):
    """The inputs of a stream, `StreamInputs` or `SampleInput`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Files that are read, which no output may replace."""
        ...

    @property
    def devices(self) -> tuple[str, ...]:
        """Microphones that are read."""
        ...

    @property
    def clock(self) -> Clock:
        """Gives the wall time."""
        ...

    def open(self, sample_rate: int | None) -> list[tuple[Source, InputIdentity]]:
        """Make the sources, each with its identity."""
        ...


@dataclass(frozen=True)
class StreamInputs:
    """The inputs of a stream, as the user names them.

    Parameters
    ----------
    names : tuple of str
        Recordings, URLs, named pipes, and ``-`` for standard input.
    devices : tuple of str
        Numbers or names of microphones; ``default`` is the system's.
    raw : str or None
        The format of raw samples, such as ``s16le:16000:1``, for all `names`.
    channel : int or None
        The channel to read, from 0; None: the mean of all.
    held : Seconds
        Sound of a microphone that may wait before some is dropped.
    exit_on_loss : bool
        End the stream when a microphone vanishes.
    clock : Clock
        Gives the wall time.
    began : str or None
        When all inputs began: ``now``, for live ones, or a time. By default microphones begin now, recordings
        when their name or their metadata says.
    time_zone : str or None
        Of names and BWF metadata; by default UTC.
    """

    names: tuple[str, ...] = (STANDARD_INPUT,)
    devices: tuple[str, ...] = ()
    raw: str | None = None
    channel: int | None = None
    held: Seconds = HELD
    exit_on_loss: bool = False
    clock: Clock = field(default_factory=WallClock)
    began: str | None = None
    time_zone: str | None = None

    def open(self, sample_rate: int | None) -> list[tuple[Source, InputIdentity]]:
        """Make the sources, each with its identity; microphones are opened at `sample_rate` where they can.

        Raises
        ------
        ChoiceError
            If there is no input, an input is named twice or is a table, or the raw format is wrong.
        ManifestError
            If a file does not exist.
        """
        everything = [*self.names, *(f"device:{device}" for device in self.devices)]
        if not everything:
            raise ChoiceError("no input", needed="a recording, a pipe, - or --device")
        for name in everything:
            if everything.count(name) > 1:
                raise ChoiceError(f"{name} is named twice", needed="each input once")
        raw = None if self.raw is None else Pcm.parse(self.raw)
        found = [self._named(name, raw) for name in self.names]
        return found + [self._microphone(device, sample_rate) for device in self.devices]

    def _named(self, name: str, raw: Pcm | None) -> tuple[Source, InputIdentity]:
        if name == STANDARD_INPUT:
            pipe = Pipe(name, raw, self.channel)
            return pipe, InputIdentity("standard input", default_id(name), name, self._start())
        id = default_id(name.rstrip("/").rpartition("/")[2])
        if raw is not None or _is_pipe(name):
            path = str(Path(name).absolute())
            return Pipe(name, raw, self.channel), InputIdentity(name, id, path, self._start())
        manifest = read_manifest(name)
        if manifest.format != "audio":
            raise ChoiceError(
                f"{name} is not a recording ({manifest.format})",
                needed="a recording, a named pipe, or - for standard input",
                remedy=f"audiogmm detect MODEL {name} -o events.jsonl",
            )
        entry = next(iter(manifest))
        return File(name, self.channel), InputIdentity(name, entry.id, entry.path, self._start(entry))

    def _start(self, entry: Entry | None = None) -> StartTime | None:
        if self.began is not None:
            return StartTime.parse(self.began)
        if entry is None:
            return None
        found = StartFinder.of(None, self.time_zone, read_wave_times).timed(entry)
        return StartTime(found.time)

    def _microphone(self, device: str, sample_rate: int | None) -> tuple[Source, InputIdentity]:
        chosen: str | int | None = int(device) if device.isdecimal() else device
        if device == "default":
            chosen = None
        microphone = Microphone(
            chosen, sample_rate or 16000, self.channel, self.exit_on_loss, self.held, self.clock
        )
        start = self._start() or StartTime(is_live=True)
        return microphone, InputIdentity(microphone.name, safe_id(microphone.name), None, start)


@dataclass(frozen=True)
class SampleInput:
    """One input of samples that the caller has, as an array or in chunks.

    Parameters
    ----------
    chunks : iterable of array-like
        See `Chunks`.
    sample_rate : int
        Hertz.
    channel : int or None
        The channel to read, from 0; None: the mean of all.
    raw : Pcm or None
        The format of chunks that are bytes.
    identity : InputIdentity
        The id and path in events.
    at : Seconds
        Time of the first sample, on the input's clock.
    """

    chunks: Iterable[Any]
    sample_rate: int
    channel: int | None = None
    raw: Pcm | None = None
    identity: InputIdentity = InputIdentity("samples", "samples", None)
    at: Seconds = 0.0
    names: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    clock: Clock = field(default_factory=WallClock)

    def open(self, sample_rate: int | None) -> list[tuple[Source, InputIdentity]]:
        """Make the source, with its identity."""
        name = self.identity.name
        source = Chunks(self.chunks, self.sample_rate, self.channel, self.raw, name, self.at)
        return [(source, self.identity)]


def inputs_of(
    source: Any,
    sample_rate: int | None = None,
    device: str | int | None = None,
    *,
    raw: str | None = None,
    channel: int | None = None,
    held: Seconds = HELD,
    exit_on_loss: bool = False,
) -> AnyInputs:
    """Return the input that a Python caller names.

    Parameters
    ----------
    source : path-like, Entry, array-like, iterable of array-like, (samples, sample_rate) or None
        A recording, a named pipe, ``-`` for standard input; an entry; samples, or chunks of them (see
        `Chunks`), alone or with their sample rate; None with `device`.
    sample_rate : int, optional
        Of samples that come alone, hertz.
    device : str or int, optional
        A microphone: its number, a part of its name, or ``default``.
    raw, channel, held, exit_on_loss
        See `StreamInputs`; `raw` is also the format of chunks of bytes.

    Raises
    ------
    ChoiceError
        If there is no source, or two, or samples without a rate; if the raw format is wrong.

    Examples
    --------
    >>> inputs_of((np.zeros(160), 16000)).open(None)[0][0].sample_rate
    16000
    >>> inputs_of("a.wav").names, inputs_of(None, device=2).devices
    (('a.wav',), ('2',))
    >>> inputs_of([np.zeros(160)])
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: samples without a sample rate; needed: hertz; try: sample_rate=16000
    """
    if (source is None) == (device is None):
        raise ChoiceError(
            "no source" if source is None else "a source and a device",
            needed="a path, samples, or chunks of samples; or device='default'",
        )
    if source is None or isinstance(source, (str, os.PathLike)):
        names = () if source is None else (os.fspath(source),)
        devices = () if device is None else (str(device),)
        return StreamInputs(names, devices, raw, channel, held, exit_on_loss)
    if isinstance(source, Entry):
        rate, chunks = read_entry(source)
        start = None if source.time is None else StartTime(source.time - source.offset)
        identity = InputIdentity(source.path, source.id, source.original_path, start)
        return SampleInput(chunks, rate, identity=identity, at=source.offset)
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[1], numbers.Real):
        source, sample_rate = source[0], int(source[1])
    form = None if raw is None else Pcm.parse(raw)
    rate_of_all = sample_rate if form is None else form.sample_rate
    if rate_of_all is None:
        raise ChoiceError("samples without a sample rate", needed="hertz", remedy="sample_rate=16000")
    if isinstance(source, (bytes, bytearray, np.ndarray)):
        whole = source
        source = (whole[first : first + BLOCK] for first in range(0, len(whole), BLOCK))
    return SampleInput(source, rate_of_all, channel, form)


def read_entry(entry: Entry) -> tuple[int, Generator[Samples, None, None]]:
    """Return the sample rate of an entry, hertz, and its samples in chunks, shape (n_samples,), float32.

    The generator has the recording open until it ends or is closed.

    Raises
    ------
    AudioFileError, AudioDataError
        If it cannot be opened; while iterating, if it cannot be read.
    """
    chunks = _opened(entry)
    rate = next(chunks)  # begun: closing the generator now closes the recording
    return rate, chunks


def _opened(entry: Entry) -> Generator[Any, None, None]:
    """Yield the sample rate of an entry, then its samples."""
    with open_audio(entry, warn=say_nothing) as stream:  # levels are checked behind it
        yield stream.info.sample_rate
        yield from stream


def _is_pipe(name: str) -> bool:
    """Return whether a path is something that can be read only once: a pipe, a socket, a terminal."""
    if is_url(name):
        return False
    try:
        mode = Path(name).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def as_names(inputs: Sequence[str], devices: Sequence[str]) -> tuple[str, ...]:
    """Return the inputs that a command line names; standard input where it names none and no device.

    Examples
    --------
    >>> as_names([], []), as_names([], ["3"]), as_names(["a.wav"], [])
    (('-',), (), ('a.wav',))
    """
    return tuple(inputs) or (() if devices else (STANDARD_INPUT,))
