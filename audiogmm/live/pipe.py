"""Standard input and named pipes as sources: wav streams one after another, or raw samples."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from audiogmm.audio.decoders.wave import WaveHeader, begins_wav, locate_bits, read_header
from audiogmm.audio.decoders.wave_tail import GOES_ON, ROUND, cut_at_header, find_following
from audiogmm.audio.mixdown import Mixdown
from audiogmm.errors import AudioFileError
from audiogmm.live.arrival import Arrival, Ended, Opened, Sound
from audiogmm.live.descriptor import Descriptor
from audiogmm.live.pcm import Pcm
from audiogmm.live.source import WaitPolicy
from audiogmm.reading import CHECK_DISK
from audiogmm.types import Seconds

STANDARD_INPUT = "-"

PIECE = 1 << 16
"""Most bytes in a read: what a pipe holds."""


@dataclass
class Pipe:
    """A stream that cannot seek. None of it is lost: the program that writes it waits until it is read.

    The header of a wav stream may state a length, or leave it open (0, or all ones, as ffmpeg and sox do).
    Another wav stream may follow, as when a recorder begins a new file: if it has the same format, its
    samples continue those before; if not, an `Opened` comes first. What else follows a stated length is
    treated as in a file: chunks are skipped, more samples are read.

    Parameters
    ----------
    name : str
        As the user typed it: a path, or ``-``.
    raw : Pcm or None
        The format of samples without a header; None for wav.
    channel : int or None
        The channel to read, from 0; None: the mean of all.

    Raises
    ------
    AudioFileError
        While iterating: if there is no such pipe, it is empty, not wav, of a format that cannot be decoded
        as it arrives, or has no such channel.
    AudioDataError
        While iterating: if a sample is NaN or infinite.
    """

    name: str
    raw: Pcm | None = None
    channel: int | None = None
    drops: bool = False

    @property
    def queued(self) -> Seconds:
        """0: what has arrived is read at once."""
        return 0.0

    @property
    def called(self) -> str:
        """Name of the source in messages."""
        return "standard input" if self.name == STANDARD_INPUT else self.name

    def arrivals(self, waiting: WaitPolicy) -> Iterator[Arrival]:
        """See `Source`."""
        with ExitStack() as opened:
            stream = Descriptor(self._open(opened), waiting)
            try:
                yield from _Reading(self, stream, waiting).arrivals()
            except OSError as error:
                if isinstance(error, AudioFileError):
                    raise
                raise AudioFileError(
                    f"{self.called} cannot be read: {error.strerror or error}",
                    needed="a stream of sound",
                    remedy=CHECK_DISK,
                ) from error

    def _open(self, opened: ExitStack) -> object:
        if self.name == STANDARD_INPUT:
            if sys.stdin is None or sys.stdin.closed:
                raise AudioFileError("standard input is closed", needed="a stream of sound")
            if getattr(sys.stdin, "isatty", bool)():
                raise AudioFileError(
                    "standard input is a terminal, not a stream of sound",
                    needed="a pipe, a recording, or a microphone",
                    remedy="arecord -f S16_LE -r 16000 | audiogmm stream ..., or --device default",
                )
            return sys.stdin.buffer
        try:  # opening would wait for the program that writes
            number = os.open(
                self.name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            )
        except OSError as error:
            raise AudioFileError(
                f"{self.name} cannot be opened: {error.strerror}",
                needed="a named pipe or a recording",
                remedy="create a pipe with mkfifo",
            ) from error
        return opened.enter_context(os.fdopen(number, "rb", buffering=0))


class _Reading:
    """One reading of a pipe."""

    def __init__(self, pipe: Pipe, stream: Descriptor, waiting: WaitPolicy) -> None:
        self._pipe = pipe
        self._stream = stream
        self._stop = waiting.stop
        self._mixdown: Mixdown | None = None
        self._form: Pcm | None = None
        self._seconds: Seconds = 0.0  # of the formats before this one
        self._held = b""  # the beginning of a sample
        self._notes: list[str] = []
        self._reason = "the input ended"

    def arrivals(self) -> Iterator[Arrival]:
        """Yield all of it."""
        if self._pipe.raw is not None:
            yield self._begin(self._pipe.raw)
            yield from self._sounds(None)
            self._refuse_empty()
        else:
            header = self._first_header()
            while header is not None:
                form = Pcm.of(header)
                if form != self._form:
                    yield self._begin(form)
                yield from self._sounds(header.data_size, scan=header.data_size is None, promised=True)
                header = yield from self._next_header(header)
            if not self._stop.is_set:
                self._refuse_empty()
        self._note_left_over()
        if self._mixdown is not None:
            self._notes += self._mixdown.notes
        reason = self._stop.reason if self._stop.is_set else self._reason
        yield Ended(reason, len(self._held), tuple(self._notes))

    def _begin(self, form: Pcm) -> Opened:
        """Begin a format."""
        if self._mixdown is not None and self._form is not None:
            self._notes += self._mixdown.notes
            self._seconds += self._mixdown.n_samples / self._form.sample_rate
        self._form = form
        self._held = b""
        self._mixdown = Mixdown(
            self._pipe.called, form.sample_rate, form.channels, self._pipe.channel, form.ceiling
        )
        return Opened(self._seconds, form.sample_rate, form.channels, form.name)

    def _sounds(self, left: int | None, scan: bool = False, promised: bool = False) -> Iterator[Sound]:
        """Yield samples of the current format: `left` bytes of them, or up to the end or a header."""
        assert self._form is not None and self._mixdown is not None
        size, unseen, at_header = left, b"", False
        while left != 0 and not at_header:
            piece = self._stream.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                if left is not None and promised and not self._stop.is_set:
                    assert size is not None
                    self._reason = (
                        f"the input ended after {size - left} of the {size} bytes of samples that "
                        "its header states"
                    )
                break
            left = None if left is None else left - len(piece)
            data, unseen = unseen + piece, b""
            if scan:
                data, unseen, at_header = cut_at_header(data)
                if at_header:
                    self._stream.unread(unseen)
                    unseen = b""
            yield from self._decoded(data)
        yield from self._decoded(unseen)

    def _decoded(self, data: bytes) -> Iterator[Sound]:
        """Yield the samples that more bytes make whole."""
        assert self._form is not None and self._mixdown is not None
        data = self._held + data
        whole = len(data) // self._form.unit * self._form.unit
        self._held = data[whole:]
        if whole:
            yield Sound(self._mixdown.mono(self._form.decode(data[:whole])))

    def _first_header(self) -> WaveHeader | None:
        """Read the header at the beginning of a wav stream; return None if a stop came first."""
        head = self._stream.peek(12)
        if self._stop.is_set:
            return None
        called = self._pipe.called
        if not head:
            raise AudioFileError(
                f"{called} is empty: no byte arrived",
                needed="a wav stream",
                remedy="check the messages of the program that writes to it",
            )
        if not begins_wav(head):
            raise AudioFileError(
                f"{called} is not a wav stream: it begins with {head!r}",
                needed="RIFF, RIFX, RF64 or BW64, and WAVE",
                remedy="ffmpeg -i INPUT -f wav - | audiogmm stream ..., or --raw s16le:16000:1 for samples "
                "without a header",
            )
        return self._header()

    def _next_header(self, header: WaveHeader) -> Generator[Sound, None, WaveHeader | None]:
        """Read the header of the next wav stream, if one follows; before it, sound behind the stated end."""
        size, promised = header.data_size, True
        while not self._stop.is_set:
            if size is None:
                following: str = "wav" if begins_wav(self._stream.peek(12)) else "end"
            else:
                following, note = find_following(self._stream, header, size)
                if note is not None and not self._stop.is_set:
                    self._notes.append(f"{self._pipe.called} {note}")
            if following == "wav":
                self._note_left_over()
                self._held = b""
                return self._header()
            if following == "end" or self._stop.is_set:
                break
            if promised:
                self._notes.append(f"{self._pipe.called} {GOES_ON}")
            promised, size = False, ROUND
            yield from self._sounds(size)
        return None

    def _note_left_over(self) -> None:
        if self._held:
            assert self._form is not None
            self._notes.append(
                f"{self._pipe.called} ends in the middle of a sample, after {len(self._held)} of its "
                f"{self._form.unit} bytes; all samples before it were used"
            )

    def _header(self) -> WaveHeader | None:
        try:
            header = read_header(self._stream, self._pipe.called)
        except AudioFileError:
            if self._stop.is_set:
                return None
            raise
        assert header is not None
        if not header.subtype:
            raise AudioFileError(
                f"{self._pipe.called} is a wav stream of format {header.tag:#06x} with {header.width} bytes "
                "per sample",
                needed="PCM of 8 to 32 bits, float, A-law or mu-law, which can be decoded as they arrive",
                remedy="ffmpeg -i INPUT -f wav -c:a pcm_s16le - | audiogmm stream ...",
            )
        return locate_bits(header, self._stream.peek(PIECE))[0] if header.padded else header

    def _refuse_empty(self) -> None:
        if self._stop.is_set or (self._mixdown is not None and self._mixdown.n_samples) or self._seconds:
            return
        what = "a header and no samples" if self._pipe.raw is None else f"{len(self._held)} bytes"
        raise AudioFileError(
            f"{self._pipe.called} holds no sound: {what}",
            needed="at least one sample",
            remedy="check the messages of the program that writes to it",
        )
