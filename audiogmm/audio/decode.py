"""From a manifest's entry to mono samples, in blocks, whatever the recording's format and length."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from audiogmm.audio.decoders.decoder import AudioInfo, Decoder
from audiogmm.audio.decoders.in_memory import ArrayDecoder
from audiogmm.audio.decoders.notices import Warn, warn_user
from audiogmm.audio.decoders.opening import open_decoder
from audiogmm.audio.decoders.partial import second_note
from audiogmm.audio.decoders.wave_decoder import WaveDecoder
from audiogmm.audio.matrix.columns import ALL, ColumnChoice
from audiogmm.audio.mixdown import Mixdown
from audiogmm.errors import AudioDataError, AudioFileError, ChoiceError
from audiogmm.manifest.entry import STANDARD_INPUT, Entry, display_name, is_url
from audiogmm.manifest.in_memory import MemoryEntry
from audiogmm.manifest.recording_info import refuse_mismatch, refuse_mixing
from audiogmm.reading import reading
from audiogmm.types import Samples, Seconds

LONGEST: Seconds = 1e12
"""No recording is longer: what an entry asks for beyond is cut to it, and then past the end."""

SLACK: Seconds = 0.010
"""A piece may end this much past the end of its recording, and is clipped there: manifests round."""


def open_audio(entry: Entry, block: int = 65536, warn: Warn = warn_user) -> AudioStream:
    """Open the piece of a recording that an entry names.

    wav (8, 16, 24, 32 bit, float, A-law, mu-law, extensible, RF64), FLAC, Ogg, MP3 and what else libsndfile
    knows, from a file, a URL (by fsspec), or, as ``-``, from standard input; what libsndfile cannot open is
    decoded by ffmpeg, if it is installed. A wav on standard input is decoded as it arrives; any other format
    is kept in a temporary file first. docs/recordings.md says what is read, what warns and what is refused.

    Parameters
    ----------
    entry : Entry
        Its `offset`, `duration` and `channel` say what is read; the mean of several channels is taken,
        and of all where none is named.
    block : int
        Samples of each channel to read at once.
    warn : callable
        Takes a text, when the recording has passed, if it is clipped (a thousandth of its samples lies in
        runs of three or more at full scale) or holds nothing but zeros. By default a Python warning of the
        category `AudioWarning`; a command gives a `Notices` to collect them.

    Returns
    -------
    AudioStream

    Raises
    ------
    AudioFileError
        If the file is missing, empty, truncated or not audio, or has no such channel.
    AudioDataError
        If the recording has no samples, or the piece does not lie in it (10 ms are allowed).
    """
    if block < 1:
        raise ChoiceError(f"blocks of {block} samples", needed="at least 1")
    return AudioStream(entry, block, warn)


class AudioStream:
    """An open recording: a context manager, to be iterated once.

    Iterating gives mono arrays of shape (n_samples,), float32, full scale 1.0, 1 to `block` samples each,
    every one a new array. Samples of 16 bits and less are exactly their integer / 32768. The average of the
    channels is taken in float32, in the order of the channels.

    Attributes
    ----------
    info : AudioInfo
        Of the whole recording.

    Raises
    ------
    AudioFileError
        While iterating: the file is damaged, or holds less than its header promises.
    AudioDataError
        While iterating: a sample is NaN or infinite; there are no samples; or the piece ends past the end
        of a recording whose length was not known before.
    """

    def __init__(self, entry: Entry, block: int, warn: Warn) -> None:
        if entry.audio_filepath is None:
            raise AudioFileError(
                f"{entry.path} is a feature matrix", needed="audio", remedy="read it with read_matrix_blocks"
            )
        self._path = entry.audio_filepath
        self._name = display_name(self._path)
        self._block = block
        self._warn = warn
        self._decoder: Decoder = (
            ArrayDecoder(entry) if isinstance(entry, MemoryEntry) else open_decoder(self._path)
        )
        self.info = self._decoder.info
        path = entry.audio_filepath
        elsewhere = path == STANDARD_INPUT or is_url(path) or isinstance(entry, MemoryEntry)
        is_local = not elsewhere and not isinstance(self._decoder, WaveDecoder)
        self._local = path if is_local and not entry.offset and entry.duration is None else None  # all of it
        try:
            self._refuse_truncated()
            self._first, self._wanted = self._cut(entry)
            refuse_mixing(entry, self.info)
            own = self.info.sample_rate, self.info.channels
            self._mixdown = Mixdown(self._name, *own, entry.channel, self._decoder.ceiling, self._first)
        except BaseException:
            self._decoder.close()
            raise

    def __enter__(self) -> AudioStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file (never standard input)."""
        self._decoder.close()

    def __iter__(self) -> Iterator[Samples]:
        with reading(display_name(self._path)):
            if self._first:
                self._decoder.seek(self._first)
            while (left := self._left()) > 0 and len(interleaved := self._decoder.read(left)):
                yield self._mixdown.mono(interleaved)
        self._refuse_short(self._mixdown.n_samples)
        with reading(display_name(self._path)):
            second = second_note(self._local) if self._local is not None else ()
        for note in (*self._decoder.notes, *second, *self._mixdown.notes):
            self._warn(note)

    def _left(self) -> int:
        """How many samples to read next."""
        if self._wanted is None:
            return self._block
        return min(self._block, self._wanted - self._mixdown.n_samples)

    def _cut(self, entry: Entry) -> tuple[int, int | None]:
        """First sample and number of samples of the piece; None reads to the end."""
        rate, total = self.info.sample_rate, self.info.n_samples
        first = round(min(entry.offset, LONGEST) * rate)
        wanted = None if entry.duration is None else round(min(entry.duration, LONGEST) * rate)
        if wanted == 0:
            raise AudioDataError(
                f"{self._name}: a piece of {entry.duration} s is less than one sample",
                needed="a longer duration",
            )
        if total is None or self._decoder.promised is None:  # known at the end, if ever
            return first, wanted
        if total == 0:
            raise self._no_samples()
        if first >= total:
            raise self._past_the_end(entry.offset, total)
        if wanted is None:
            return first, total - first
        if first + wanted - total >= SLACK * rate:
            raise self._past_the_end((first + wanted) / rate, total)
        return first, min(wanted, total - first)

    def _refuse_truncated(self) -> None:
        """Refuse a file whose header promises more than it holds, where that is known beforehand."""
        found, promised = self.info.n_samples, self._decoder.promised
        if found is not None and promised is not None and found < promised:
            raise self._truncated(found, promised)

    def _refuse_short(self, got: int) -> None:
        """Refuse a recording that ended before its entry or its header said."""
        rate, promised = self.info.sample_rate, self._decoder.promised
        end = self._first + got
        if self._wanted is None and promised is not None and end < promised:
            raise self._truncated(end, promised)
        if self._wanted is not None and got < self._wanted:
            if promised is not None and promised >= self._first + self._wanted:
                raise self._truncated(end, promised)
            if self._wanted - got >= SLACK * rate:
                raise self._past_the_end((self._first + self._wanted) / rate, end)
        if got == 0:
            raise self._past_the_end(self._first / rate, end) if self._first else self._no_samples()
        said = self.info.n_samples
        if self._wanted is None and said is not None and said - end >= 0.1 * rate:  # an MP3's guess
            self._warn(f"{self._name} holds {end / rate:.3f} s, and its header says {said / rate:.3f} s")

    def _truncated(self, found: int, promised: int) -> AudioFileError:
        rate = self.info.sample_rate
        return AudioFileError(
            f"{self._name} is truncated: it holds {found / rate:.3f} s ({found} samples) of the "
            f"{promised / rate:.3f} s ({promised} samples) that its header promises",
            needed="a whole file",
            remedy="copy or record it again",
        )

    def _no_samples(self) -> AudioDataError:
        return AudioDataError(
            f"{self._name} has zero length: a header and no samples",
            needed="at least one frame of samples",
            remedy="record it again, or take it out of the manifest",
        )

    def _past_the_end(self, end: Seconds, total: int) -> AudioDataError:
        return AudioDataError(
            f"{self._name}: its entry reaches to {end:.3f} s, "
            f"and the recording ends at {total / self.info.sample_rate:.3f} s",
            needed=f"offset and duration inside the recording, to {SLACK * 1000:.0f} ms",
            remedy="correct the offset or the duration in the manifest",
        )


def probe(
    entry: Entry,
    frame_length_seconds: Seconds = 0.025,
    full: bool = True,
    warn: Warn = warn_user,
    choice: ColumnChoice = ALL,
) -> AudioInfo:
    """Check that an entry can be used, for `manifest check`.

    Parameters
    ----------
    entry : Entry
        Of audio; of a feature matrix, the rows are read and counted instead.
    frame_length_seconds : Seconds
        The shortest piece that makes a frame.
    full : bool
        Decode all of it, which finds damage in the middle, NaN and infinities; otherwise look at the header.
    warn : callable
        As in `open_audio`.
    choice : ColumnChoice
        The columns of a feature matrix.

    Returns
    -------
    AudioInfo
        Its `n_samples` is what was counted, if the whole recording was read.

    Raises
    ------
    AudioFileError, AudioDataError
        As `open_audio` and its stream do; also if the piece is shorter than a frame.
    MismatchError
        If the entry states another sample rate, or another number of channels (`channels` or
        `num_channels` among its further keys), than the recording has.
    FeatureError
        If a feature matrix cannot be used.
    """
    if entry.features_filepath is not None:
        return _probe_matrix(entry, full, choice, warn)
    with open_audio(entry, warn=warn) as stream:
        info = stream.info
        refuse_mismatch(entry, info)
        length = stream._wanted  # None where it is known only at the end
        if full:
            length = sum(len(samples) for samples in stream)
        needed = max(1, int(frame_length_seconds * info.sample_rate))
        if length is not None and length < needed:
            raise AudioDataError(
                f"{display_name(entry.path)}: {length} samples ({length / info.sample_rate:.4f} s) "
                "are shorter than a frame",
                needed=f"at least {needed} samples ({frame_length_seconds:g} s)",
                remedy="take it out of the manifest",
            )
        if full and length is not None and entry.duration is None:
            return AudioInfo(info.sample_rate, info.channels, stream._first + length, info.format)
        return info


def _probe_matrix(entry: Entry, full: bool, choice: ColumnChoice, warn: Warn) -> AudioInfo:
    from audiogmm.audio.matrix.matrix import read_matrix_blocks

    n_rows = n_columns = 0
    for rows in read_matrix_blocks(entry, choice=choice, warn=warn):
        n_rows, n_columns = n_rows + len(rows), rows.shape[1]
        if not full:
            break
    return AudioInfo(round(entry.frame_rate or 1), n_columns, n_rows if full else None, "feature matrix")
