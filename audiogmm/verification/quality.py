"""Quality measures: what tells how far a score can be trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiogmm.types import BoolArray, FloatArray, Samples

TESTED, ENROLLED = (0.2, 10.0), (1.0, 20.0)
"""Voiced seconds, from which and up to which they count: a calibration is learned from pieces of such
lengths, and is not to be drawn out beyond them."""

STEP = 0.25
"""Width of the bins in which levels are counted, decibels."""

LOWEST, N_BINS = -200.0, 1600
"""Lower edge of the first bin, decibels, and how many there are: up to 200 dB."""

CLEAN, NOISIEST = 25.0, 3.0
"""Signal-to-noise ratios, decibels, above and below which speech is as good, or as bad."""

FLOOR_SHARE = 0.03
"""Share of the frames that are taken to be no louder than the noise."""


def log_seconds(seconds: ArrayLike, limits: tuple[float, float]) -> FloatArray:
    """Natural logarithms of voiced seconds, within limits; NaN stays NaN.

    Examples
    --------
    >>> log_seconds([0.0, 1.0, 1000.0], (1.0, np.e)).tolist()
    [0.0, 0.0, 1.0]
    """
    logs: FloatArray = np.log(np.clip(np.asarray(seconds, dtype=np.float64), *limits))
    return logs


def noise(tested: ArrayLike, enrolled: ArrayLike) -> FloatArray:
    """How much noisier a test is than the speaker's enrollment, in tens of decibels.

    Beyond `CLEAN` nothing is the noisier, and under `NOISIEST` nothing is told apart. Where a ratio is not
    known, nothing is held against the test.

    Parameters
    ----------
    tested, enrolled : array-like of shape (n,), float64
        Signal-to-noise ratios, decibels; NaN where not known.

    Returns
    -------
    ndarray of shape (n,), float64
        0 or more.

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
    and Bippus 2000), over the whole band. Speech leaves that many frames to the noise in all but the shortest
    recordings; of those without a pause the ratio is that of loud and faint speech. Voiced frames hold noise
    too, so noise alone gives about 0 dB.

    Levels are counted, in bins of `STEP`, and counts add up to the same however frames are cut into blocks.

    Examples
    --------
    >>> levels = np.array([-60.0] * 50 + [-20.0] * 50, np.float32)
    >>> heard = SignalToNoise()
    >>> heard.push(levels, levels > -40)
    >>> heard.decibels
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
            Decibels, minus infinity for exact silence; of frames that have none nothing is learned.
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
        centres = LOWEST + STEP * (np.arange(N_BINS) + 0.5)
        speech = 10 * np.log10(self._voiced @ 10 ** (centres / 10) / n_voiced)
        rank = int(FLOOR_SHARE * (self._all.sum() - 1))
        floor = centres[np.searchsorted(np.cumsum(self._all), rank, side="right")]
        return float(speech - floor)
