"""From the inputs that a user names to sources."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.errors import ChoiceError
from audiogmm.live.clock import Clock, WallClock
from audiogmm.live.file import File
from audiogmm.live.microphone import HELD, Microphone
from audiogmm.live.pcm import Pcm
from audiogmm.live.pipe import STANDARD_INPUT, Pipe
from audiogmm.live.source import Source
from audiogmm.manifest.entry import default_id, is_url, safe_id
from audiogmm.manifest.read import read_manifest
from audiogmm.types import Seconds


@dataclass(frozen=True)
class InputIdentity:
    """The name of an input in messages, and its id and path in events (None for a microphone)."""

    name: str
    id: str
    audio_filepath: str | None


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
    """

    names: tuple[str, ...] = (STANDARD_INPUT,)
    devices: tuple[str, ...] = ()
    raw: str | None = None
    channel: int | None = None
    held: Seconds = HELD
    exit_on_loss: bool = False
    clock: Clock = field(default_factory=WallClock)

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
            return Pipe(name, raw, self.channel), InputIdentity("standard input", default_id(name), name)
        id = default_id(name.rstrip("/").rpartition("/")[2])
        if raw is not None or _is_pipe(name):
            return Pipe(name, raw, self.channel), InputIdentity(name, id, str(Path(name).absolute()))
        manifest = read_manifest(name)
        if manifest.format != "audio":
            raise ChoiceError(
                f"{name} is not a recording ({manifest.format})",
                needed="a recording, a named pipe, or - for standard input",
                remedy=f"audiogmm detect MODEL {name} -o events.jsonl",
            )
        entry = next(iter(manifest))
        return File(name, self.channel), InputIdentity(name, entry.id, entry.path)

    def _microphone(self, device: str, sample_rate: int | None) -> tuple[Source, InputIdentity]:
        chosen: str | int | None = int(device) if device.isdecimal() else device
        if device == "default":
            chosen = None
        microphone = Microphone(
            chosen, sample_rate or 16000, self.channel, self.exit_on_loss, self.held, self.clock
        )
        return microphone, InputIdentity(microphone.name, safe_id(microphone.name), None)


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
