"""One recording, or a piece of one, as a manifest names it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any, TypeAlias

from audiogmm.errors import ManifestError
from audiogmm.escapes import ESCAPED
from audiogmm.reprs import short_repr
from audiogmm.timeline import Segment
from audiogmm.types import Seconds

Channel: TypeAlias = int | tuple[int, ...] | None
"""Channels of a recording, counted from 0: one, several whose mean is taken, or None for the mean of all."""

STANDARD_INPUT = "-"
"""The path that means a wav stream on standard input."""

BY_PATH = "<by path>"
"""The id, which none can have, that an entry without one is given before it is named by its path."""

_LONGEST_ID = 200  # bytes: leaves room in a 255-byte file name for a suffix and a temporary name
_UNSAFE = re.compile(r'[\x00-\x20\x7f<>:"|?*\\\s\ud800-\udfff]')
_SAFE = re.compile(
    r'[^\x00-\x20\x7f<>:"|?*\\\s\ud800-\udfff/.-][^\x00-\x20\x7f<>:"|?*\\\s\ud800-\udfff/]{0,49}'
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:://|::)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording, or a piece of one.

    Attributes
    ----------
    audio_filepath : str or None
        A local path (absolute where a manifest was read), a URL with its scheme, or ``-`` for a wav stream on
        standard input.
    features_filepath : str or None
        A feature matrix in place of audio, likewise resolved. Exactly one of the two is set.
    id : str
        Name of the entry, unique within a manifest and fit for a file name: no slash, no blank, no
        leading dot, at most 200 bytes. It may hold dots: append a suffix to it, never replace one. By default
        the file's name without its suffix, the channel and the offset.
    offset, duration : Seconds
        The piece to read, on the recording's clock; `duration` None reads to the end.
    channel : int, tuple of int or None
        Channel to read, counted from 0; of several, the mean; None takes the mean of all.
    speaker, label : str or None
        Who speaks; what the recording is.
    frame_rate : float or None
        Rows a second of a feature matrix; None if its rows have no time.
    sample_rate : int or None
        Samples a second that the recording is said to have, for `manifest check`.
    events : tuple of Segment
        Truth for `evaluate detect`, seconds on the recording's clock.
    time : Seconds or None
        When the entry (the piece, not its file) begins, as `audiogmm.wall_clock` has it:
        Unix time from 1e8 on, else seconds since a start without a name.
    extra : mapping
        Keys that audiogmm does not use, kept as they are. A key of ours appears here only where its field
        cannot hold all that the file said: an `id` unfit for a file name, a `speaker` given as a number,
        `events` with further keys such as `snr_db`, or an empty list of them (nothing happens is not nobody
        looked). The writers write that original for as long as the field still says the same.
    source : str
        Where the entry was read, as ``train.jsonl:17``; for messages, and no part of equality.

    Raises
    ------
    ManifestError
        If not exactly one of the two paths is set, or the id cannot name a file.

    Examples
    --------
    >>> entry = Entry(audio_filepath="/data/a.wav", id="a", offset=2.0, duration=1.5)
    >>> entry.path, entry.end
    ('/data/a.wav', 3.5)
    >>> Entry("day/a.wav").id, Entry("day/a.wav", offset=2.0).id
    ('a', 'a@2')
    """

    audio_filepath: str | None
    features_filepath: str | None = None
    id: str = BY_PATH
    offset: Seconds = 0.0
    duration: Seconds | None = None
    channel: Channel = None
    speaker: str | None = None
    label: str | None = None
    frame_rate: float | None = None
    sample_rate: int | None = None
    events: tuple[Segment, ...] = ()
    time: Seconds | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    source: str = field(default="", compare=False)

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for name in ("audio_filepath", "features_filepath"):
            if isinstance(path := getattr(self, name), os.PathLike):
                object.__setattr__(self, name, os.fspath(path))
        if bool(self.audio_filepath) is bool(self.features_filepath):
            raise ManifestError(
                f"{self.source or 'an entry'}: audio_filepath is {self.audio_filepath!r} and "
                f"features_filepath is {self.features_filepath!r}",
                needed="exactly one of the two",
                remedy="name the recording, or the feature matrix",
            )
        if self.id == BY_PATH:
            name = self.path.rstrip("/").rpartition("/")[2]
            object.__setattr__(self, "id", default_id(name, self.offset, self.channel))
        if not is_safe_id(self.id):
            raise ManifestError(
                f"{self.source or 'an entry'}: the id {self.id!r} cannot name a file",
                needed="no slash, no blank, no leading dot, 1 to 200 bytes",
                remedy=f"{safe_id(self.id)!r}",
            )

    @property
    def path(self) -> str:
        """The recording's path, or the feature matrix's."""
        return self.audio_filepath or self.features_filepath or ""

    @property
    def original_path(self) -> str:
        """The path, or ``-`` where it is a temporary copy of standard input."""
        return self.source if self.source == STANDARD_INPUT else self.path

    @property
    def end(self) -> Seconds | None:
        """Where the piece ends, seconds on the recording's clock; None if at the recording's end."""
        return None if self.duration is None else self.offset + self.duration


EntryDraft: Any = make_dataclass(
    "EntryDraft", [(attribute.name, Any) for attribute in fields(Entry)], slots=True
)
"""An entry before it is frozen: ``draft.__class__ = Entry`` makes it one, unchecked.

Millions of lines are read one by one, and a frozen dataclass sets each field through `object.__setattr__`:
this way takes a sixth of the time. The slots are the same, or Python refuses the assignment.
"""


def is_url(path: str) -> bool:
    """Return whether a path has a scheme, so that fsspec opens it.

    Examples
    --------
    >>> is_url("s3://bucket/a.wav"), is_url("zip://a.wav::b.zip"), is_url("a/b.wav"), is_url("C:/a.wav")
    (True, True, False, False)
    """
    return ":" in path and _URL.match(path) is not None


def display_name(path: str) -> str:
    """Return a path as messages name it.

    Examples
    --------
    >>> display_name("-"), display_name("/data/a.wav"), display_name("lhotse://mix-1/eJyrVspM")
    ('standard input', '/data/a.wav', 'lhotse://mix-1')
    """
    if path.startswith("lhotse://"):  # what follows is the whole record of a cut
        return path.rpartition("/")[0]
    return "standard input" if path == STANDARD_INPUT else path


def channels_of(channel: Channel) -> tuple[int, ...]:
    """Return the channels that an entry names, in order; none if it names none.

    Examples
    --------
    >>> channels_of(1), channels_of((0, 2)), channels_of(None)
    ((1,), (0, 2), ())
    """
    return () if channel is None else (channel,) if isinstance(channel, int) else channel


def one_or_several(channels: Any) -> Channel:
    """Return a channel or a list of them, as JSON has it, as an entry has it.

    Examples
    --------
    >>> one_or_several(1), one_or_several([1]), one_or_several([0, 2])
    (1, 1, (0, 2))
    """
    if isinstance(channels, list | tuple):
        return channels[0] if len(channels) == 1 else tuple(channels)
    found: Channel = channels
    return found


def is_safe_id(text: str) -> bool:
    """Return whether a text can be an id: the name of a file, in the folder where it is written.

    Examples
    --------
    >>> is_safe_id("a-1"), is_safe_id("../a"), is_safe_id("/etc/passwd")
    (True, False, False)
    """
    return _SAFE.fullmatch(text) is not None or text == safe_id(text)


def safe_id(text: str) -> str:
    """Make a text fit for a file name, the same always, and readable.

    Slashes become ``--``, blanks and what file systems refuse become ``_``, leading dots and dashes go,
    and beyond 200 bytes the tail is kept behind a hash of the whole.

    Examples
    --------
    >>> safe_id("id10001/1zcIwh/00001"), safe_id("../a b.c"), safe_id(".."), safe_id("a")
    ('id10001--1zcIwh--00001', 'a_b.c', 'recording', 'a')
    """
    if _SAFE.fullmatch(text):
        return text
    if "/." not in text and "//" not in text:  # no parts to leave out: the common case
        quick = text.strip("/").replace("/", "--")
        if _SAFE.fullmatch(quick):
            return quick
    parts = [part for part in text.replace("://", "/").split("/") if part not in ("", ".", "..")]
    text = _UNSAFE.sub("_", "--".join(parts)).lstrip(".-") or "recording"
    encoded = text.encode(errors=ESCAPED)
    if len(encoded) <= _LONGEST_ID:
        return text
    mark = hashlib.blake2b(encoded, digest_size=8).hexdigest()
    return f"{mark}~{encoded[len(mark) + 1 - _LONGEST_ID :].decode(errors='ignore')}"


def default_id(path: str, offset: Seconds = 0.0, channel: Channel = None) -> str:
    """Name an entry after its path without the suffix, its channel and its offset.

    Parameters
    ----------
    path : str
        As written in the manifest, so that the name does not depend on where the manifest lies.
    offset : Seconds
        Appended where there is one.
    channel : int, tuple of int or None
        Appended where there is one.

    Examples
    --------
    >>> default_id("fsdd/0_george_5.wav"), default_id("a.wav", 12.5), default_id("a.wav", 3.0, channel=1)
    ('fsdd--0_george_5', 'a@12.5', 'a-ch1@3')
    >>> default_id("s3://bucket/take.1.flac"), default_id("-")
    ('s3--bucket--take.1', 'stdin')
    """
    if path == STANDARD_INPUT:
        name = "stdin"
    else:
        stem, dot, suffix = path.rpartition(".")
        # what follows the last dot is a suffix if it looks like one: "take.1" and "x.y/z" have none
        name = stem if dot and stem and suffix.isalnum() and not suffix.isdigit() else path
    if channel is not None:
        name = f"{name}-ch{'+'.join(map(str, channels_of(channel)))}"
    if offset:
        name = f"{name}@{offset:.15g}"
    return safe_id(name)
