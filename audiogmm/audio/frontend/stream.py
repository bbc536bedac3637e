"""A recording into blocks of frames, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from audiogmm.audio.frontend.cmvn import GlobalCmvn, SlidingCmvn
from audiogmm.audio.frontend.context import Deltas, Stage
from audiogmm.audio.frontend.framing import Dither, Framer
from audiogmm.audio.frontend.mfcc import analyzer
from audiogmm.audio.frontend.resample import Resampler
from audiogmm.audio.frontend.settings import FrontEndSettings
from audiogmm.audio.frontend.vad import EnergyVad, SilenceVad
from audiogmm.audio.frontend.warping import FeatureWarping, warping_window
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioDataError, FrontEndError
from audiogmm.kernels.front_end.activity import first_non_finite, mark_silent
from audiogmm.types import BoolArray, Frames, Samples, Seconds

PIECE = 1 << 17
"""Samples of a chunk that go through the stages at once, which bounds the memory that a large chunk takes."""


class FrameStream:
    """Turns chunks of samples into blocks of frames; the same frames, bit for bit, whatever the chunks.

    It keeps the samples of the frame that is not complete yet, and what the stages need of their past: memory
    does not depend on the length of the recording.

    Parameters
    ----------
    frontend : FrontEndSettings
        The settings.
    sample_rate : int
        Of the samples it will get, hertz; resampled if the front end has a lower one.
    offset : Seconds
        Time of the first sample on the recording's clock.

    Raises
    ------
    MismatchError
        If `sample_rate` is below the front end's.
    FrontEndError
        If the front end normalizes over the whole recording, or by global statistics that it does not have.

    Examples
    --------
    >>> stream = FrameStream(FrontEndSettings.preset("librosa"), 22050)
    >>> [len(block) for block in stream.push(np.zeros(22050, np.float32)) + stream.flush()]
    [40]
    """

    def __init__(self, frontend: FrontEndSettings, sample_rate: int, offset: Seconds = 0.0) -> None:
        _refuse_two_passes(frontend)
        self.clock = frontend.clock(sample_rate, offset)
        rate = frontend.rate(sample_rate)
        self._sample_rate = sample_rate
        self._offset = offset
        self._n_read = 0
        self._flushed = False
        self._resampler = Resampler(sample_rate, rate) if rate != sample_rate else None
        self._dither = None
        if frontend.dither > 0:
            self._dither = Dither(frontend.dither / frontend.scale, frontend.dither_seed)
        self._analyzer = analyzer(frontend.without_global(), rate)
        self._workspace = self._analyzer.workspace()
        self._framer = Framer(self.clock)
        self._dithered = Framer(self.clock) if self._dither else self._framer
        self._stages = _feature_stages(frontend, self.clock.count)
        self._vad = _activity_stage(frontend, self.clock.count, self.clock.frame_rate)
        self._rows = np.empty((0, frontend.n_features()), np.float32)
        self._marks = np.empty(0, np.bool_)
        self._levels = np.empty(0, np.float32)
        self._n_emitted = 0

    def push(self, samples: Samples) -> list[FrameBlock]:
        """Take samples; return the blocks that can be computed now, maybe none.

        Parameters
        ----------
        samples : array_like of shape (n_samples,)
            The next samples, mono, full scale is 1.0; converted to float32.

        Raises
        ------
        AudioDataError
            If they are not a row of numbers, or one of them is NaN or infinite (its time is named).
        FrontEndError
            After `flush`.
        """
        if self._flushed:
            raise FrontEndError("samples pushed into a stream after its flush", remedy="make a new stream")
        if type(samples) is not np.ndarray or samples.dtype != np.float32 or samples.ndim != 1:
            samples = _as_samples(samples)
        if len(samples) <= PIECE:
            return self._push_piece(samples)
        blocks = []
        for start in range(0, len(samples), PIECE):
            blocks += self._push_piece(samples[start : start + PIECE])
        return blocks

    def flush(self) -> list[FrameBlock]:
        """Return the rest, at the end of the recording. A second flush gives nothing."""
        if self._flushed:
            return []
        self._flushed = True
        blocks = []
        if self._resampler is not None:
            rest = self._resampler.flush()
            for start in range(0, len(rest), PIECE):
                blocks += self._advance(rest[start : start + PIECE])
        rows = np.empty((0, self._analyzer.n_columns), np.float32)
        for stage in self._stages:
            rows = np.concatenate([stage.push(rows), stage.flush()])
        return blocks + self._join(rows, self._vad.flush(), np.empty(0, np.float32))

    def blocks(self, chunks: Iterable[Samples]) -> Iterator[FrameBlock]:
        """Yield all blocks of a recording, given its chunks: pushes each of them, and flushes."""
        for samples in chunks:
            yield from self.push(samples)
        yield from self.flush()

    def _push_piece(self, samples: Samples) -> list[FrameBlock]:
        if not samples.flags.c_contiguous:
            samples = np.ascontiguousarray(samples)
        bad = first_non_finite(samples)
        if bad >= 0:
            time = self._offset + (self._n_read + bad) / self._sample_rate
            raise AudioDataError(
                f"sample {self._n_read + bad} (at {time:.6f} s) is {samples[bad]}",
                needed="finite samples",
                remedy="find out what wrote it, or cut it out with offset and duration",
            )
        self._n_read += len(samples)
        if self._resampler is not None:
            samples = self._resampler.push(samples)
        return self._advance(samples)

    def _advance(self, samples: Samples) -> list[FrameBlock]:
        """Take samples at the analysis rate through all stages."""
        n = self._framer.push(samples)
        if self._dither is not None:
            self._dithered.push(self._dither.push(samples))
        if n <= 0:
            return []
        raw, raw_base = self._framer.frames()
        noisy, base = self._dithered.frames()
        rows, levels = self._analyzer.run(noisy, base, n, self._workspace)
        mark_silent(raw, raw_base, self.clock.hop, self.clock.length, levels)
        self._framer.advance(n)
        if self._dithered is not self._framer:
            self._dithered.advance(n)
        for stage in self._stages:
            rows = stage.push(rows)
        return self._join(rows, self._vad.push(levels), levels)

    def _join(self, rows: Frames, marks: BoolArray, levels: Samples) -> list[FrameBlock]:
        """A block of the frames that have both their features and their mark; levels wait for neither."""
        if len(self._rows):
            rows = np.concatenate([self._rows, rows])
        if len(self._marks):
            marks = np.concatenate([self._marks, marks])
        if len(self._levels):
            levels = np.concatenate([self._levels, levels])
        n = min(len(rows), len(marks))
        self._rows, self._marks, self._levels = rows[n:].copy(), marks[n:].copy(), levels[n:].copy()
        if n == 0:
            return []
        block = FrameBlock(rows[:n], marks[:n], self._n_emitted, self.clock, levels[:n])
        self._n_emitted += n
        return [block]


def _refuse_two_passes(frontend: FrontEndSettings) -> None:
    """What a stream cannot do in one pass, or not without statistics."""
    if frontend.cmvn == "utterance":
        raise FrontEndError(
            "a stream with cmvn = 'utterance'",
            needed="a normalization that does not need the end of the recording before its first frame",
            remedy="cmvn = 'sliding', 'warping' or 'online', or two_passes() over what can be read twice",
        )
    if frontend.cmvn == "global" and not frontend.cmvn_mean:
        raise FrontEndError(
            "a stream with cmvn = 'global' and no statistics",
            needed="cmvn_mean and cmvn_scale, which a trained model's front end has",
            remedy="with_global(mean, deviation), or without_global() for frames that are not normalized",
        )


def _feature_stages(frontend: FrontEndSettings, count: Callable[[Seconds], int]) -> list[Stage]:
    """The stages behind the cepstra."""
    stages: list[Stage] = []
    if frontend.cmvn == "warping":
        stages.append(FeatureWarping(frontend.n_static, warping_window(count(frontend.cmvn_window))))
    if frontend.deltas:
        stages.append(Deltas(frontend.n_static, frontend.deltas, frontend.delta_window))
    if frontend.cmvn in ("sliding", "online"):
        window = count(frontend.cmvn_window)
        causal = frontend.cmvn == "online"
        stages.append(SlidingCmvn(frontend.n_features(), window, frontend.cmvn_variance, causal))
    if frontend.cmvn == "global":
        stages.append(GlobalCmvn(frontend.cmvn_mean, frontend.cmvn_scale))
    return stages


def _activity_stage(
    frontend: FrontEndSettings, count: Callable[[Seconds], int], frame_rate: float
) -> EnergyVad | SilenceVad:
    """The detector of speech, or of sound."""
    if frontend.vad == "none":
        return SilenceVad()
    return EnergyVad(
        count(frontend.vad_window),
        frontend.vad_margin,
        frontend.vad_depth,
        round(frontend.vad_before * frame_rate),
        round(frontend.vad_after * frame_rate),
    )


def _as_samples(samples: object) -> Samples:
    """A row of float32 numbers, or a refusal."""
    array = np.asarray(samples)
    if array.ndim != 1 or array.dtype.kind != "f":
        raise AudioDataError(
            f"samples of type {array.dtype} and shape {array.shape}",
            needed="a row of floating-point numbers, full scale being 1.0",
            remedy="mix channels down first, and divide 16-bit integers by 32768",
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused as such
        return np.ascontiguousarray(array, np.float32)
