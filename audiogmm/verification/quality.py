"""Quality measures of recordings, by which a calibration weighs scores: length, signal-to-noise ratio."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiogmm.blocks import Shard
from audiogmm.training.frames.packing import Packer, voiced_frames
from audiogmm.types import BoolArray, FloatArray, Frames, Samples, Seconds

TESTED, ENROLLED = (0.2, 10.0), (1.0, 20.0)
"""Voiced seconds are clipped to these limits: a calibration is learned from pieces of such lengths, and is
not extrapolated beyond them."""

STEP = 0.25
"""Width of the bins in which levels are counted, decibels."""

LOWEST, N_BINS = -200.0, 1600
"""Lower edge of the first bin, decibels, and the number of bins: up to 200 dB."""

CLEAN, NOISIEST = 25.0, 3.0
"""Signal-to-noise ratios, decibels, to which they are clipped."""

FLOOR_SHARE = 0.03
"""Share of the frames that are taken for noise alone."""


def log_seconds(seconds: ArrayLike, limits: tuple[float, float]) -> FloatArray:
    """Return natural logarithms of voiced seconds, clipped to limits; NaN stays NaN.

    Examples
    --------
    >>> log_seconds([0.0, 1.0, 1000.0], (1.0, np.e)).tolist()
    [0.0, 0.0, 1.0]
    """
    logs: FloatArray = np.log(np.clip(np.asarray(seconds, dtype=np.float64), *limits))
    return logs


def noise(tested: ArrayLike, enrolled: ArrayLike) -> FloatArray:
    """Return how much noisier tests are than the speakers' enrollments, in tens of decibels.

    Ratios are clipped to `NOISIEST` and `CLEAN`. One that is not known counts as clean.

    Parameters
    ----------
    tested, enrolled : array-like of shape (n,), float64
        Signal-to-noise ratios, decibels; NaN where not known.

    Returns
    -------
    ndarray of shape (n,), float64
        At least 0.

    Examples
    --------
    >>> noise([35.0, 15.0, 15.0, np.nan], [30.0, 30.0, 12.0, 30.0]).tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    highest = np.minimum(np.nan_to_num(np.asarray(enrolled, np.float64), nan=CLEAN), CLEAN)
    lowest = np.maximum(np.nan_to_num(np.asarray(tested, np.float64), nan=CLEAN), NOISIEST)
    beyond: FloatArray = np.maximum(highest - lowest, 0.0) / 10
    return beyond


class SignalToNoise:
    """The signal-to-noise ratio of a recording, from the levels of its frames as they pass.

    The mean power of the voiced frames over the power of the noise floor, which is the level that
    `FLOOR_SHARE` of all frames with sound stay under: as in quantile based noise estimation (Stahl, Fischer
    and Bippus 2000), over the whole band. All but the shortest recordings have that many frames without
    speech; in those without a pause the ratio is that of loud and faint speech. Voiced frames hold noise,
    too, so noise alone has about 0 dB.

    Levels are counted in bins of `STEP`, so the result does not depend on how frames are cut into blocks.

    Examples
    --------
    >>> levels = np.array([-60.0] * 50 + [-20.0] * 50, np.float32)
    >>> ratio = SignalToNoise()
    >>> ratio.push(levels, levels > -40)
    >>> ratio.decibels
    40.0
    """

    def __init__(self) -> None:
        self._all: NDArray[np.int64] = np.zeros(N_BINS, np.int64)
        self._voiced: NDArray[np.int64] = np.zeros(N_BINS, np.int64)

    def push(self, levels: Samples | None, voiced: BoolArray) -> None:
        """Count the next frames.

        Parameters
        ----------
        levels : ndarray of shape (n,), float32, or None
            Decibels, minus infinity for exact silence; None where they are not known.
        voiced : ndarray of shape (n,), bool
        """
        if levels is None:
            return
        sound = levels > -np.inf
        places = ((levels[sound].astype(np.float64) - LOWEST) / STEP).astype(np.int64)
        places = np.clip(places, 0, N_BINS - 1)
        self._all += np.bincount(places, minlength=N_BINS)
        self._voiced += np.bincount(places[voiced[sound]], minlength=N_BINS)

    @property
    def decibels(self) -> float:
        """The ratio; NaN where no frame was voiced, or levels are not known."""
        n_voiced = int(self._voiced.sum())
        if not n_voiced:
            return float("nan")
        centers = LOWEST + STEP * (np.arange(N_BINS) + 0.5)
        speech = 10 * np.log10(self._voiced @ 10 ** (centers / 10) / n_voiced)
        rank = int(FLOOR_SHARE * (self._all.sum() - 1))
        floor = centers[np.searchsorted(np.cumsum(self._all), rank, side="right")]
        return float(speech - floor)


class MeasuredFrames:
    """The voiced frames of a recording, whose length and signal-to-noise ratio are measured as they pass.

    To be iterated once. Frames come in slices of a fixed number of rows, so that sums over them do not depend
    on how the recording is cut into blocks; each slice is good until the next.

    Parameters
    ----------
    shard : Shard
        The recording.
    n_features : int, optional
        Columns that frames must have; by default those of the first frames.

    Attributes
    ----------
    n_frames, n_voiced : int
        Frames that have passed, and the voiced ones among them.
    seconds, voiced_seconds : Seconds
        Their lengths.

    Raises
    ------
    FeatureError
        While iterating: if frames cannot be used; see `voiced_frames`.

    Examples
    --------
    >>> from audiogmm.blocks import FrameBlock
    >>> from audiogmm.timeline import FrameClock
    >>> class Recording:
    ...     id = "a"
    ...     def __iter__(self):
    ...         voiced = np.arange(10) < 4
    ...         yield FrameBlock(np.zeros((10, 1), np.float32), voiced, 0, FrameClock(8000, 80, 200))
    >>> frames = MeasuredFrames(Recording())
    >>> [slice.shape for slice in frames], frames.seconds, frames.voiced_seconds
    ([(4, 1)], 0.1, 0.04)
    """

    def __init__(self, shard: Shard, n_features: int | None = None) -> None:
        self.n_frames = self.n_voiced = 0
        self.seconds: Seconds = 0.0
        self.voiced_seconds: Seconds = 0.0
        self._shard = shard
        self._n_features = n_features
        self._ratio = SignalToNoise()

    @property
    def decibels(self) -> float:
        """The signal-to-noise ratio; NaN where it is not known."""
        return self._ratio.decibels

    def __iter__(self) -> Iterator[Frames]:
        packer = Packer()
        for block in self._shard:
            frames = voiced_frames(self._shard.id, block, self._n_features)
            self._n_features = frames.shape[1]
            self._ratio.push(block.levels, block.voiced)
            self.n_frames += len(block)
            self.n_voiced += len(frames)
            self.seconds += len(block) / block.clock.frame_rate
            self.voiced_seconds += len(frames) / block.clock.frame_rate
            yield from packer.push(frames)
        yield from packer.flush()
