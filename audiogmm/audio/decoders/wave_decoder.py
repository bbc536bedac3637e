"""Wav of plain formats, from files, URLs and pipes alike."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING, AudioInfo, skip
from audiogmm.audio.decoders.source import ByteSource, GuardedFile
from audiogmm.audio.decoders.wave import WaveHeader, begins_wav, locate_bits, read_header
from audiogmm.audio.decoders.wave_tail import GOES_ON, ROUND, TAIL, cut_at_header, find_following
from audiogmm.errors import AudioFileError

_PIECE = 1 << 20
"""Bytes in which a header is looked for at once."""

_SEARCH = 1 << 24
"""Bytes in which 24 bits are looked for in 4 bytes."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Bytes of samples that follow one another; `joined`: they continue the sample where the last ended."""

    size: int
    promised: bool
    joined: bool = False


class WaveDecoder:
    """A wav stream, decoded as it arrives; the length of one that cannot seek is known at its end.

    Samples behind the end that the header states are read where they are more than chunks: another wav
    stream of the same format; sound of a file whose size is stated too small (over 4 GiB, or left behind by a
    crash). `notes` says so, and what is not read.

    Parameters
    ----------
    stream : binary file
        At the first sample, where `read_header` left it.
    header : WaveHeader
        With a `subtype` that is not "".
    size : int or None
        Bytes of the whole file, if it can seek.
    opened : ExitStack
        Closed with the decoder.
    name : str
        For messages.

    Examples
    --------
    >>> import io
    >>> header = WaveHeader(1, 8000, channels=1, width=2, data_start=0, data_size=None, stated=1 << 31)
    >>> WaveDecoder(io.BytesIO(bytes([1, 0, 255, 255])), header, None, ExitStack()).read(100)
    array([[ 1],
           [-1]], dtype=int16)
    """

    def __init__(
        self,
        stream: ByteSource,
        header: WaveHeader,
        size: int | None,
        opened: ExitStack,
        name: str = "the recording",
    ) -> None:
        self._opened = opened
        self._guard = stream if isinstance(stream, GuardedFile) else None
        self._name = name
        self._bytes = _Bytes(stream, header.data_start, size)
        if size is not None:
            self._bytes.seek(header.data_start)
        self._notes: dict[str, None] = {}
        self._header, certain = self._bytes.locate_bits(header) if header.padded else (header, True)
        if not certain:
            end = "low" if self._header.low else "high"
            self._note(f"does not show where its 24 bits are in 4 bytes: the {end} end is taken")
        self._size = size
        self._begin()
        n_samples = None if size is None else self._measure()
        self._whole = None if size is None else self._promised
        self._begin()
        self.info = AudioInfo(header.sample_rate, header.channels, n_samples, f"WAV {self._header.subtype}")
        self.ceiling: float = CEILINGS.get(self._header.subtype, FLOAT_CEILING)

    @property
    def promised(self) -> int | None:
        """Samples of each channel that the headers met so far promise; None if they leave it open."""
        promised = self._promised if self._size is None else self._whole
        return self.info.n_samples if promised is None else promised

    @property
    def notes(self) -> tuple[str, ...]:
        """What follows the stated end."""
        return tuple(self._notes)

    def seek(self, sample: int) -> None:
        """Go to a sample; in a pipe, read up to it."""
        if self._size is None:
            skip(self, sample)
            return
        self._begin()
        unit = self._header.unit
        left, before = sample * unit, 0  # bytes from the first that `joined` spans continue; how many passed
        for span in self._spans:
            if not span.joined:
                left, before = left - before // unit * unit, 0
            here = min(span.size, self._bytes.left)
            if left < before + here:
                straddling = max(0, before - left)
                self._bytes.skip(left - before if not straddling else -straddling)
                self._remainder = self._bytes.peek(straddling)
                self._bytes.skip(straddling)
                self._left = span.size - max(0, left - before)
                return
            self._bytes.skip(span.size)
            before += here

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next samples, at least one and at most `n_samples` of each channel; none at the end.

        Returns
        -------
        ndarray of shape (n, n_channels), int16 or float32
            As of `decode_samples`.
        """
        unit = self._header.unit
        while len(self._remainder) < unit:
            if self._left == 0:
                span = next(self._spans, None)
                if span is None:
                    self._remainder = b""
                    break
                self._left = span.size
                self._remainder = self._remainder if span.joined else b""
            piece = self._bytes.read(min(n_samples * unit - len(self._remainder), self._left))
            self._left = self._left - len(piece) if piece else 0
            self._remainder += piece
        if self._guard is not None:
            self._guard.refuse_failed(self._name)
        whole = len(self._remainder) // unit * unit
        data, self._remainder = self._remainder[:whole], self._remainder[whole:]
        return self._header.decode(data)

    def close(self) -> None:
        """Close the stream, unless it is standard input."""
        self._opened.close()

    def _begin(self) -> None:
        if self._size is not None:
            self._bytes.seek(self._header.data_start)
        self._spans = self._find_spans()
        self._left = 0
        self._remainder = b""
        self._promised: int | None = self._header.n_samples

    def _measure(self) -> int:
        """Samples of each channel in a file that can seek."""
        n_samples, n_bytes = 0, 0
        for span in self._spans:
            if not span.joined:
                n_samples, n_bytes = n_samples + n_bytes // self._header.unit, 0
            n_bytes += min(span.size, self._bytes.left)
            self._bytes.skip(span.size)
        return n_samples + n_bytes // self._header.unit

    def _find_spans(self) -> Iterator[_Span]:
        """Yield one span after the other; the bytes of each must be taken before the next is asked for."""
        header = self._header
        while True:
            size, promised = header.stated, header.data_size is not None
            size = self._bytes.begin_span(size if header.data_size is None else header.data_size, header)
            yield _Span(size, promised)
            self._bytes.scans = False
            while True:
                following, note = find_following(self._bytes, header, size)
                if note is not None:
                    self._note(note)
                if following != "sound":
                    break
                if promised:
                    self._note(GOES_ON)
                promised, size = False, self._bytes.begin_span(ROUND, header)
                yield _Span(size, promised=False, joined=True)
                self._bytes.scans = False
            next_header = self._next_header() if following == "wav" else None
            if next_header is None:
                return
            header = next_header

    def _next_header(self) -> WaveHeader | None:
        """Read the header of a wav stream that follows; None if it has another format."""
        try:
            header = read_header(self._bytes, self._name)
        except AudioFileError as error:
            self._note(f"is followed by a second wav that cannot be read: {error}")
            return None
        assert header is not None
        if not self._header.continues(header):
            self._note(
                f"is followed by a second wav of another format ({header.subtype or hex(header.tag)}, "
                f"{header.channels} channels, {header.sample_rate} Hz), which is not read"
            )
            return None
        if self._promised is not None:
            self._promised = None if header.n_samples is None else self._promised + header.n_samples
        return dataclasses.replace(header, low=self._header.low)

    def _note(self, text: str) -> None:
        self._notes[f"{self._name} {text}"] = None


def _identity(stream: ByteSource) -> tuple[int, ...] | None:
    """What tells a local file, as it is now, from all others."""
    try:
        found = os.fstat(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=256)
def _kept_spans(identity: tuple[int, ...]) -> dict[tuple[int, int], int]:
    """Sizes of spans of a file by their position and limit: entries of one file search it once."""
    return {}


def _known_spans(identity: tuple[int, ...] | None) -> dict[tuple[int, int], int]:
    return {} if identity is None else _kept_spans(identity)


class _Bytes:
    """A stream of which the next bytes can be seen before they are taken."""

    def __init__(self, stream: ByteSource, position: int, size: int | None) -> None:
        self._stream = stream
        self._read = getattr(stream, "read1", stream.read)  # what is there now, not all that was asked for
        self._held = b""
        self._position = position  # of the first byte that is not taken
        self._size = size
        self._known = _known_spans(_identity(stream))
        self.scans = False  # a read ends before a header

    def begin_span(self, size: int, header: WaveHeader) -> int:
        """Return how many of `size` bytes are samples: another wav may follow an open end."""
        if header.data_size is not None:
            return size
        if self._size is None:
            self.scans = True
            return size
        begin, known = self._position, self._known
        if (begin, size) not in known:
            found = self._find_wav(min(size, self.left))
            known[begin, size] = size if found is None else found
            self.seek(begin)
        return known[begin, size]

    def _find_wav(self, size: int) -> int | None:
        """How many of the next bytes come before a header."""
        taken, unseen = 0, b""
        while taken < size and (piece := self.read(min(_PIECE, size - taken))):
            taken += len(piece)
            _, unseen, found = cut_at_header(unseen + piece)
            if found:
                return taken - len(unseen)
        return None

    @property
    def left(self) -> int:
        """Bytes up to the end of a file that can seek."""
        assert self._size is not None
        return max(0, self._size - self._position)

    def read(self, size: int = -1) -> bytes:
        """Return 1 to `size` bytes; none at the end."""
        if self._held:
            data, self._held = self._held[:size], self._held[size:]
        else:
            data = self._read(size)
        if self.scans and data:
            data, rest, at_header = cut_at_header(data)
            self._held = rest + self._held
            if not data and not at_header and not begins_wav(self.peek(12)):
                data, self._held = self._held[:1], self._held[1:]
        self._position += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """Return the next bytes, fewer than `size` at the end only."""
        while len(self._held) < size and (piece := self._read(size - len(self._held))):
            self._held += piece
        return self._held[:size]

    def skip(self, size: int) -> None:
        """Drop bytes."""
        if self._size is not None:
            self.seek(min(self._position + size, self._size))
        while self._size is None and size > 0 and (piece := self.read(min(size, TAIL))):
            size -= len(piece)

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a byte of a file that can seek."""
        self._held = b""
        self._position = self._stream.seek(position, whence)
        return self._position

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Do nothing: who opened the stream closes it."""

    def locate_bits(self, header: WaveHeader) -> tuple[WaveHeader, bool]:
        """Look at the samples until they show where the 24 bits are."""
        size = TAIL
        while True:
            data = self.peek(size if header.data_size is None else min(size, header.data_size))
            located, certain = locate_bits(header, data)
            if certain or len(data) < size or size >= _SEARCH:
                return located, certain or not any(data)
            size *= 4
