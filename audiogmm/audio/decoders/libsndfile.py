"""Files by libsndfile: wav, FLAC, Ogg, MP3, AIFF, NIST and twenty more."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING, AudioInfo, skip
from audiogmm.audio.decoders.source import GuardedFile
from audiogmm.audio.decoders.wave import WaveHeader
from audiogmm.errors import AudioFileError
from audiogmm.system import native_name

_INEXACT = {"VORBIS", "OPUS"} | {f"MPEG_LAYER_{layer}" for layer in ("I", "II", "III")}
"""Formats whose decoders depend on what came before: after a seek libsndfile's samples differ, and those of
Vorbis may lie elsewhere (https://github.com/libsndfile/libsndfile/issues/885). They are decoded up to a
piece's first sample, so that a piece is exactly that piece of the whole."""

_VORBIS_ORDER = {
    3: [0, 2, 1],
    5: [0, 2, 1, 3, 4],
    6: [0, 2, 1, 5, 3, 4],
    7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}
"""Vorbis and Opus put the center second and the low frequencies last (Vorbis I, section 4.3.9; RFC 7845,
section 5.1.1.2), and libsndfile leaves it so. These columns are in the order of wav: front left, right,
center, low frequencies, back or side."""

_OPEN_AIFF = 0x7F000000
"""Bytes that sox states in AIFF that it writes to a pipe."""

_UNKNOWN_LENGTH = (1 << 63) - 1  # libsndfile's SF_COUNT_MAX: a FLAC stream whose header has no length

_WIDTHS = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
    "ULAW": 1,
}
_WIDTHS["ALAW"] = 1


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A `SoundFile` that reads on without seeking after every read.

    The seek makes MP3 samples depend on how many were read at once, and hides where a damaged FLAC ends.
    """

    def seekable(self) -> bool:
        return False


class LibsndfileDecoder:
    """Files and seekable URLs, by libsndfile, which does not hold the interpreter lock."""

    notes: tuple[str, ...] = ()

    def __init__(
        self, file: str | GuardedFile, name: str, header: WaveHeader | None, size: int, opened: ExitStack
    ) -> None:
        self._name = name
        self._opened = opened
        self._guard = file if isinstance(file, GuardedFile) else None
        self._head = _read_head(file)
        try:
            self._file = _Sequential(native_name(file) if isinstance(file, str) else file)
        except (soundfile.LibsndfileError, TypeError) as error:
            self._opened.close()
            if self._guard is not None:
                self._guard.refuse_failed(name)
            reason = _reason(error)
            raise AudioFileError(
                f"{name} is not audio that can be read (libsndfile: {reason})",
                needed="wav, FLAC, Ogg, MP3, AIFF, or another format of libsndfile or ffmpeg",
                remedy="open it in a player; convert it to wav or FLAC, or take it out of the manifest",
            ) from error
        self._opened.callback(self._file.close)
        subtype = self._file.subtype
        n_samples: int | None = self._file.frames
        if n_samples == _UNKNOWN_LENGTH:
            n_samples = None
        self.info = AudioInfo(
            self._file.samplerate, self._file.channels, n_samples, f"{self._file.format} {subtype}"
        )
        self.ceiling: float = CEILINGS.get(subtype, FLOAT_CEILING)
        self._dtype = np.int16 if subtype in CEILINGS else np.float32
        self._order = None
        if subtype == "VORBIS" or (
            subtype == "OPUS" and re.search(rb"OpusHead.{10}\x01", self._head, re.DOTALL)
        ):
            self._order = _VORBIS_ORDER.get(self.info.channels)
        self._buffer: NDArray[Any] = np.empty((0, self.info.channels), self._dtype)
        self.promised = None if n_samples is None else self._promised(header, size, n_samples)

    def seek(self, sample: int) -> None:
        """Go to a sample, counted from the recording's first; call it before any `read`."""
        if self._file.subtype in _INEXACT:
            skip(self, sample)
            return
        try:
            self._file.seek(sample)
        except soundfile.LibsndfileError as error:
            raise self._damaged(error, sample) from error

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next samples, in a buffer that the next call overwrites."""
        if len(self._buffer) < n_samples:
            self._buffer = np.empty((n_samples, self.info.channels), self._dtype)
        try:
            samples: NDArray[Any] = self._file.read(out=self._buffer[:n_samples])
        except soundfile.LibsndfileError as error:
            raise self._damaged(error, self._file.tell()) from error
        if self._guard is not None:
            self._guard.refuse_failed(self._name)
        return samples if self._order is None else samples[:, self._order]

    def closes(self, opened: ExitStack) -> None:
        """Close this too, after the file."""
        inner, self._opened = self._opened, ExitStack()
        self._opened.callback(opened.close)
        self._opened.callback(inner.close)

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def _promised(self, header: WaveHeader | None, size: int, n_samples: int) -> int | None:
        """Samples that the header promises, by container; libsndfile itself counts what is there."""
        container, _, subtype = self.info.format.partition(" ")
        if header is not None and header.data_size is not None:
            found = max(1, min(header.data_size, size - header.data_start))
            if "MPEG" in subtype and found == header.data_size:
                return None  # its length is a guess
            return round(n_samples * header.data_size / found)
        log = self._file.extra_info
        if container == "NIST" and (count := re.search(rb"\nsample_count -i (\d+)", self._head)):
            return int(count[1])
        if container == "MP3":
            return None  # its header is a guess more often than not
        if subtype in _WIDTHS and (sizes := re.search(r": (\d+) \(should be (\d+)\)", log)):
            missing = max(0, int(sizes[1]) - int(sizes[2]))
            if int(sizes[1]) - _OPEN_AIFF in range(1 << 16):
                return n_samples
            return n_samples - -missing // (_WIDTHS[subtype] * self.info.channels)
        stated = re.findall(r"(?:Frames|Cols|Data length)\s*:? (\d+)", log)
        return max([n_samples, *map(int, stated)])

    def _damaged(self, error: soundfile.LibsndfileError, position: int) -> AudioFileError:
        promised = "an unknown length" if self.info.duration is None else f"{self.info.duration:.3f} s"
        return AudioFileError(
            f"{self._name} is truncated or damaged: it decodes up to about "
            f"{position / self.info.sample_rate:.3f} s, and promises {promised} "
            f"(libsndfile: {_reason(error)})",
            needed="a whole file",
            remedy="copy or record it again",
        )


def _read_head(file: str | GuardedFile) -> bytes:
    """The first kilobyte: the header of NIST SPHERE, and of Opus, whose mapping family 1 has an order."""
    if isinstance(file, str):
        with Path(file).open("rb") as opened:
            return opened.read(1024)
    head = file.read(1024)
    file.seek(0)
    return head


def _reason(error: Exception) -> str:
    """Return libsndfile's message, in other words where it misleads."""
    words = str(getattr(error, "error_string", error)).removeprefix("Error : ").rstrip(".")
    return "Format not recognized" if words.startswith("File does not exist") else words
