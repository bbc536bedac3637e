"""Files that libsndfile cannot open, through audioread."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.decoder import AudioInfo, skip
from audiogmm.errors import AudioFileError
from audiogmm.manifest.entry import display_name


def open_audioread(path: str, refusal: AudioFileError) -> AudioreadDecoder:
    """Open with audioread.

    Raises
    ------
    AudioFileError
        The refusal of libsndfile, if audioread cannot open it either. (ffmpeg opens anything, and then finds
        no channel in it.)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports deprecated parts of the standard library
            import audioread

            source = audioread.audio_open(path)
    except Exception:  # noqa: BLE001 - no back end, or none that knows it; its messages say less than libsndfile's
        raise refusal from None
    if source.channels < 1 or source.samplerate < 1:
        source.close()
        raise refusal
    return AudioreadDecoder(source, display_name(path))


class AudioreadDecoder:
    """A file that ffmpeg, GStreamer or the system decodes, if one of them is installed."""

    ceiling: float = 32767
    promised: int | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, source: Any, name: str) -> None:
        self._source = source
        self._name = name
        self._blocks: Iterator[bytes] = iter(source)
        self._remainder = b""
        self.info = AudioInfo(int(source.samplerate), int(source.channels), None, "audioread PCM_16")

    def seek(self, sample: int) -> None:
        """Decode up to a sample."""
        skip(self, sample)

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next samples."""
        unit = 2 * self.info.channels
        try:
            while len(self._remainder) < unit:
                self._remainder += next(self._blocks)
        except StopIteration:
            self._remainder = b""
        except Exception as error:
            raise AudioFileError(
                f"{self._name} cannot be decoded to its end (audioread: {type(error).__name__}: {error})",
                needed="a whole file",
                remedy="convert it to wav or FLAC",
            ) from error
        size = min(n_samples * unit, len(self._remainder) // unit * unit)
        data, self._remainder = self._remainder[:size], self._remainder[size:]
        return np.frombuffer(data, "<i2").reshape(-1, self.info.channels)

    def close(self) -> None:
        """End the program that decodes."""
        self._source.close()
