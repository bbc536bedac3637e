"""Well-known commands in place of files, as Kaldi's recipes write them: read, and never run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Channel
from audiogmm.manifest.inside import gzip_address


@dataclass(frozen=True, slots=True)
class CommandInput:
    """What a command would have read.

    Attributes
    ----------
    path : str
        Its file, as written.
    channel : int, tuple of int or None
        What it takes of it; None leaves all.
    is_mono : bool
        Its output has one channel, so that nothing more may be chosen of it.
    """

    path: str
    channel: Channel = None
    is_mono: bool = False


class _UnknownPartError(Exception):
    """A part of a command that is not known; its text says which."""


def read_command(location: str, source: str) -> CommandInput:
    """Find the file and the channel that a command names, without running it.

    `flac`, `sph2pipe`, `ffmpeg`, `sox`, `gunzip` (`zcat`) and `cat` are known, alone or one behind another,
    as far as they only decode, choose or average channels, and set the sample rate or format. A rate is
    left to the front end, which resamples by itself.

    Parameters
    ----------
    location : str
        With the bar at its end.
    source : str
        ``wav.scp:17``, for messages.

    Raises
    ------
    ManifestError
        For any other command, or an option that changes the sound.

    Examples
    --------
    >>> read_command("sph2pipe -f wav -p -c 2 a.sph |", "wav.scp:1")
    CommandInput(path='a.sph', channel=1, is_mono=True)
    >>> read_command("ffmpeg -i b.m4a -ac 1 -ar 16000 -f wav - |", "wav.scp:2").path
    'b.m4a'
    """
    try:
        found: CommandInput | None = None
        for words in _stages(location.strip().removesuffix("|")):
            name = PurePosixPath(words[0]).name
            if name not in _PROGRAMS:
                raise _UnknownPartError(f"the program {words[0]!r}")
            here = _PROGRAMS[name](_Words(words[1:]))
            if (here.path == "-") is (found is None):
                raise _UnknownPartError("what it reads")
            found = here if found is None else _behind(found, here)
        if found is None:
            raise _UnknownPartError("nothing in it")
    except (_UnknownPartError, ValueError) as error:
        raise ManifestError(
            f"{source} is a command: {location[:80]!r}, of which {error} is not known",
            needed="the path of a file, or one of flac, sph2pipe, ffmpeg, sox, gunzip and cat, which are "
            "read and not run: commands from a manifest are never run",
            remedy="run it once, keep its output as a file, and name that",
        ) from None
    return found


def _behind(first: CommandInput, second: CommandInput) -> CommandInput:
    """A command that reads the output of another."""
    if second.channel is None:
        return replace(first, is_mono=first.is_mono or second.is_mono)
    if first.is_mono:
        if second.channel != 0:
            raise _UnknownPartError("a channel of one channel")
        return first
    return replace(first, channel=second.channel, is_mono=True)


def _stages(command: str) -> Iterator[list[str]]:
    """The words of each command, bars between them."""
    if any(mark in command for mark in "$`\n"):
        raise _UnknownPartError("what a shell would put in")
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in lexer:
        if word == "|":
            yield words
            words = []
        elif word and set(word) <= set("();<>|&"):
            raise _UnknownPartError(repr(word))
        else:
            words.append(word)
    if not words:
        raise _UnknownPartError("nothing behind a bar")
    yield words


class _Words:
    """The words behind a program's name, taken from the front."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __iter__(self) -> Iterator[str]:
        while self._words:
            yield self._words.pop(0)

    def value(self, option: str) -> str:
        """Return the word behind an option."""
        if not self._words:
            raise _UnknownPartError(f"{option} without a value")
        return self._words.pop(0)

    def number(self, option: str, least: int = 1) -> int:
        """Return the whole number behind an option."""
        word = self.value(option)
        if not word.isdigit() or int(word) < least:
            raise _UnknownPartError(f"{option} {word}")
        return int(word)


def _one(files: list[str]) -> str:
    if len(files) != 1 or (files[0].startswith("-") and files[0] != "-"):
        raise _UnknownPartError("which file it reads")
    return files[0]


def _flac(words: _Words) -> CommandInput:
    files, seen = [], set()
    for word in words:
        if word == "-" or not word.startswith("-"):
            files.append(word)
        elif word.startswith("--"):
            seen.add(
                {"--stdout": "c", "--decode": "d", "--silent": "s", "--totally-silent": "s"}.get(word, word)
            )
        else:
            seen.update(word[1:])
    if strange := sorted(seen - set("cds")):
        raise _UnknownPartError(f"the option {strange[0]!r}")
    if not {"c", "d"} <= seen:
        raise _UnknownPartError("flac without -c -d")
    return CommandInput(_one(files))


def _cat(words: _Words) -> CommandInput:
    return CommandInput(_one([word for word in words if word not in ("-u", "--")]))


def _gunzip(words: _Words) -> CommandInput:
    files = [
        word for word in words if word not in ("-c", "-d", "-q", "-cd", "-dc", "--stdout", "--decompress")
    ]
    path = _one(files)
    return CommandInput(path if path == "-" else gzip_address(path))


def _sph2pipe(words: _Words) -> CommandInput:
    files: list[str] = []
    channel: int | None = None
    for word in words:
        if word == "-f":
            if words.value(word) not in ("wav", "rif", "riff", "sph", "au"):
                raise _UnknownPartError("a format without a header")
        elif word == "-c":
            channel = words.number(word) - 1
        elif word not in ("-p", "-u", "-a"):
            files.append(word)
    return CommandInput(_one(files), channel, channel is not None)


def _ffmpeg(words: _Words) -> CommandInput:
    """ffmpeg, whose options are those that leave the sound as it is."""
    inputs, outputs = [], []
    channels = 0
    for word in words:
        if word == "-i":
            inputs.append(words.value(word).removeprefix("file:"))
        elif word == "-ac":
            channels = words.number(word)
        elif word in (
            "-ar",
            "-f",
            "-acodec",
            "-c:a",
            "-codec:a",
            "-loglevel",
            "-v",
            "-threads",
            "-sample_fmt",
        ):
            words.value(word)
        elif word == "-map":
            if (chosen := words.value(word)) not in ("0:a", "0:a:0", "0:0", "a:0", "0"):
                raise _UnknownPartError(f"-map {chosen}")
        elif word in ("-", "pipe:1", "pipe:", "/dev/stdout"):
            outputs.append(word)
        elif word not in (
            "-y",
            "-n",
            "-nostdin",
            "-hide_banner",
            "-vn",
            "-sn",
            "-dn",
            "-nostats",
            "-bitexact",
        ):
            raise _UnknownPartError(f"the option {word}")
    if len(outputs) != 1:
        raise _UnknownPartError("where its output goes")
    if channels > 1:
        raise _UnknownPartError(f"-ac {channels}")
    path = _one(["-" if path in ("pipe:", "pipe:0", "/dev/stdin") else path for path in inputs])
    return CommandInput(path, None, channels == 1)


def _sox(words: _Words) -> CommandInput:
    """sox: an input, an output of ``-``, then effects; those that only choose channels or set the rate."""
    files: list[str] = []
    mono, channel = False, None
    for word in words:
        if word in ("-t", "-r", "-b", "-e", "-L", "-B") or word in (
            "--bits",
            "--encoding",
            "--rate",
            "--type",
        ):
            if word not in ("-L", "-B"):
                words.value(word)
        elif word in ("-c", "--channels"):
            # before the input it says what that has, before the output what is made of it
            mono = words.number(word) == 1 or mono
        elif word.startswith("-V") or word in ("-q", "-D", "-G", "-R", "--no-dither", "-S"):
            if word == "-G":
                raise _UnknownPartError("the option -G")
        elif word in ("-s", "-u", "-2", "-1", "-4", "-3"):  # formats of older versions
            continue
        elif len(files) == 1 and word != "-":
            raise _UnknownPartError("where its output goes")
        elif len(files) < 2 and (word == "-" or not word.startswith("-")):
            files.append(word)
        elif word == "remix":
            mono, channel = True, _remix(words.value(word))
        elif word == "channels":
            if words.number(word) != 1:
                raise _UnknownPartError("the effect channels, of several")
            mono = True
        elif word == "rate":
            rate = words.value(word)
            while rate.startswith("-"):
                rate = words.value(word)
        elif word == "dither" or (word == "-s" and len(files) == 2):
            continue
        else:
            raise _UnknownPartError(f"{'the effect' if len(files) == 2 else 'the option'} {word}")
    if len(files) != 2 or files[1] != "-":
        raise _UnknownPartError("where its output goes")
    return CommandInput(files[0], channel, mono)


def _remix(word: str) -> Channel:
    """The channels that sox mixes into one, from 1 there and from 0 here."""
    if word == "-":
        return None
    numbers = word.split(",")
    if not all(number.isdigit() and int(number) > 0 for number in numbers) or len(set(numbers)) < len(
        numbers
    ):
        raise _UnknownPartError(f"remix {word}")
    found = tuple(int(number) - 1 for number in numbers)
    return found[0] if len(found) == 1 else found


_PROGRAMS: dict[str, Callable[[_Words], CommandInput]] = {
    "flac": _flac,
    "cat": _cat,
    "gunzip": _gunzip,
    "zcat": _gunzip,
    "gzip": _gunzip,
    "sph2pipe": _sph2pipe,
    "ffmpeg": _ffmpeg,
    "sox": _sox,
}
