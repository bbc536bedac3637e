"""A manifest's entry as a source of frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audiogmm.audio.added_noise import AddedNoise, NoiseStream
from audiogmm.audio.decode import open_audio
from audiogmm.audio.decoders.notices import Warn, warn_user
from audiogmm.audio.frame_cache.cache import FrameCache
from audiogmm.audio.frontend.cmvn import GlobalCmvn
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.matrix.columns import ALL, ColumnChoice
from audiogmm.audio.matrix.matrix import read_cells, read_matrix_blocks
from audiogmm.audio.sample_rates import check_rate, upsampled
from audiogmm.blocks import FrameBlock, StreamPiece
from audiogmm.errors import AudioDataError, ChoiceError, FrontEndError
from audiogmm.manifest.entry import STANDARD_INPUT, Entry, display_name
from audiogmm.telemetry.meter import count_done
from audiogmm.timeline import FrameClock
from audiogmm.types import Samples

COUNTED_AT_ONCE = 8192
"""Frames between two counts: one for each block would cost a hundredth of the time of the front end."""


def about_of(entry: Entry) -> Mapping[str, object]:
    """Return what an entry says of itself, by keys of the manifest: by these, normal audio can be divided."""
    named = {"speaker": entry.speaker, "label": entry.label, "channel": entry.channel}
    return {**entry.extra, **{key: value for key, value in named.items() if value is not None}}


@dataclass(frozen=True)
class Recording:
    """The frames of one entry: a `Shard`. Each iteration decodes again, in bounded memory.

    Audio is decoded, mixed down or its channel chosen, resampled, and taken through the front end. Rows of a
    feature matrix are frames as they are, all of them voiced, on a clock of `frame_rate` rows a second.

    Attributes
    ----------
    entry : Entry
    frontend : FrontEnd or None
        None for feature matrices only.
    sample_rate : int or None
        Hertz to resample to, where the front end does not say; None takes the recording's own.
    upsample : bool
        Allow recordings of a lower rate.
    cache : Path or None
        Folder of a `FrameCache` that is read and filled. Not for feature matrices and standard input.
    warn : callable
        Gets what should be known of a recording that is used all the same: clipped, all zeros, resampled (the
        same text for all recordings of one rate). It must be picklable if the
        recording is to be.
    choice : ColumnChoice
        The columns of a feature matrix that are read.
    noise : AddedNoise or None
        Added to the samples before the front end; the recording is then read twice, and no cache is used.

    Raises
    ------
    AudioFileError, AudioDataError
        While iterating: as `open_audio`; and if the recording is shorter than a frame.
    FeatureError
        While iterating: as `read_matrix_blocks`.
    MismatchError
        While iterating: if the recording's rate is lower than needed, and not `upsample`.
    OutputError
        While iterating: if the cache cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile, soundfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.wav"
    >>> soundfile.write(path, np.sin(np.arange(16000.0)) / 2, 16000)
    >>> recording = Recording(Entry(str(path), id="a"), FrontEnd.preset("kaldi"))
    >>> sum(len(block) for block in recording)
    98
    """

    entry: Entry
    frontend: FrontEnd | None = None
    sample_rate: int | None = None
    upsample: bool = False
    cache: Path | None = None
    warn: Warn = field(default=warn_user, compare=False)
    noise: AddedNoise | None = None
    choice: ColumnChoice = ALL

    @property
    def id(self) -> str:
        """The entry's id."""
        return self.entry.id

    def __iter__(self) -> Iterator[FrameBlock]:
        is_audio, entry = self.entry.features_filepath is None, self.entry
        piece: StreamPiece | None = None
        if entry.time is not None or entry.extra:
            piece = StreamPiece(entry.id, entry.original_path, 0, entry.offset, entry.time, about_of(entry))
        for block in _counted(self._frames(), True) if is_audio else _counted(self._rows(), False):
            yield block if piece is None else dataclasses.replace(block, piece=piece)

    def row_names(self) -> tuple[str, Iterator[str]] | None:
        """Return the column that names the rows of a table, and its cells; None where none does."""
        if self.entry.features_filepath is None or self.choice.id_column is None:
            return None
        return self.choice.id_column, read_cells(self.entry, self.choice.id_column)

    def _rows(self) -> Iterator[FrameBlock]:
        """A feature matrix."""
        clock = FrameClock.for_rows(self.entry.frame_rate)
        clock = dataclasses.replace(clock, offset=self.entry.offset)
        start = 0
        for rows in read_matrix_blocks(self.entry, choice=self.choice, warn=self.warn):
            yield FrameBlock(rows, np.ones(len(rows), np.bool_), start, clock)
            start += len(rows)

    def _frames(self) -> Iterator[FrameBlock]:
        """Audio, through the cache if there is one."""
        frontend = self._front_end()
        plain = frontend.without_global()
        if frontend.cmvn == "global" and not frontend.cmvn_mean:
            frontend.stream(frontend.sample_rate or 16000)  # raises, with what to do
        if self.cache is None or self.noise is not None:
            blocks = self._computed(plain, self.warn)
        else:
            cache = FrameCache(self.cache)
            if self.entry.path != STANDARD_INPUT:
                self._check_rate(cache.identify(self.entry).sample_rate, frontend.sample_rate)
            blocks = cache.blocks(self.entry, plain, lambda warn: self._computed(plain, warn), self.warn)
        if frontend.cmvn != "global":
            yield from blocks
            return
        normalize = GlobalCmvn(frontend.cmvn_mean, frontend.cmvn_scale)
        for block in blocks:
            yield dataclasses.replace(block, frames=normalize.push(block.frames))

    def _computed(self, frontend: FrontEnd, warn: Warn) -> Iterator[FrameBlock]:
        """Decode and analyze; a recording without a frame is an error."""
        n_frames = 0
        for block in self._analyzed(frontend, warn):
            n_frames += len(block)
            yield block
        if n_frames == 0:
            raise AudioDataError(
                f"{display_name(self.entry.path)} is shorter than a frame",
                needed=f"at least {frontend.frame_length:g} {frontend.length_unit}",
                remedy="take it out of the manifest",
            )

    def _analyzed(self, frontend: FrontEnd, warn: Warn) -> Iterator[FrameBlock]:
        with open_audio(self.entry, warn=warn) as audio:
            own = audio.info.sample_rate
            self._check_rate(own, frontend.sample_rate)
            rate = max(own, frontend.sample_rate or own)
            if frontend.cmvn != "utterance":
                stream = frontend.stream(rate, self.entry.offset)
                yield from stream.blocks(self._noisy(upsampled(audio, own, rate), own, rate))
                return
        if self.entry.path == STANDARD_INPUT:
            raise FrontEndError(
                "cmvn = 'utterance' on standard input",
                needed="a recording that can be read twice",
                remedy="cmvn = 'sliding', 'warping' or 'online', or save it to a file",
            )
        yield from frontend.two_passes(lambda: self._chunks(own, rate, warn), rate, self.entry.offset)

    def _chunks(self, own: int, rate: int, warn: Warn) -> Iterator[Samples]:
        with open_audio(self.entry, warn=warn) as audio:
            yield from self._noisy(upsampled(audio, own, rate), own, rate)

    def _noisy(self, chunks: Iterable[Samples], own: int, rate: int) -> Iterable[Samples]:
        """The samples, with noise where it was asked for."""
        if self.noise is None:
            return chunks
        total, n = 0.0, 0
        with open_audio(self.entry, warn=lambda _: None) as audio:
            for samples in upsampled(audio, own, rate):
                total += float(np.sum(np.square(samples, dtype=np.float64)))
                n += len(samples)
        stream = NoiseStream(self.noise, total / max(n, 1))
        return (stream.push(samples) for samples in chunks)

    def _check_rate(self, own: int, wanted: int | None) -> None:
        check_rate(display_name(self.entry.path), own, wanted, self.upsample, self.warn)

    def _front_end(self) -> FrontEnd:
        """The front end, at the sample rate wanted."""
        if self.frontend is None:
            raise FrontEndError(
                f"{display_name(self.entry.path)} is audio, and there is no front end",
                needed="a front end",
                remedy="FrontEnd.preset('speech'), or --preset speech",
            )
        theirs = self.frontend.sample_rate
        if self.sample_rate is None or self.sample_rate == theirs:
            return self.frontend
        if theirs is not None:
            raise ChoiceError(
                f"a sample rate of {self.sample_rate} Hz, and a front end at {theirs} Hz", needed="the same"
            )
        return dataclasses.replace(self.frontend, sample_rate=self.sample_rate)


def _counted(blocks: Iterator[FrameBlock], is_audio: bool) -> Iterator[FrameBlock]:
    """Yield the blocks of a recording, and count their frames; at the end the recording."""
    frames, rate = 0, 1.0
    try:
        for block in blocks:
            frames, rate = frames + len(block), block.clock.frame_rate
            if frames >= COUNTED_AT_ONCE:
                count_done(frames=frames, audio_seconds=frames / rate * is_audio)
                frames = 0
            yield block
        count_done(recordings=1)
    finally:
        count_done(frames=frames, audio_seconds=frames / rate * is_audio)
