"""One segment of sound as one vector: spectrum, its changes, and its envelope, without level and length."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.fft import dct

from audiogmm.types import FloatArray, Frames, Seconds

SHORTEST: Seconds = 0.25
"""A shorter segment is described with what is before it."""

LONGEST: Seconds = 60.0
"""Of a longer segment the beginning is described."""

N_BANDS = 64
"""Of the mel energies."""

N_CEPSTRA = 19
"""Cepstra whose mean, deviation and change are taken; c0, the level, is not."""

LOUD = 20.0
"""Decibels below the loudest: frames above are described; the rest is pause."""

ACTIVE = 30.0
"""Decibels below the loudest: pieces are cut between the first and last frame above."""

DEPTH = 60.0
"""Decibels below the loudest band of the loudest frames; what is weaker counts as that."""

LAGS = (2, 5, 10, 20, 40)
"""Frames, at which the autocorrelation of the envelope is taken."""

N_VALUES = 3 * N_CEPSTRA + 25
"""Of a description."""

N_PIECES = 4
"""Pieces of a segment, at most."""

PIECE = 20
"""Frames of a piece, at least."""

_BAND_SHARES = (0.0, 0.19, 0.44, 0.72, 1.0)  # edges of four groups of mel bands, shares of their number
_LONGEST_LAG = 512  # frames of the envelope whose autocorrelation is taken


@dataclass(frozen=True, slots=True)
class Description:
    """What a segment sounds like.

    Attributes
    ----------
    vector : ndarray of shape (n_values,), float64
        Its statistics.
    pieces : ndarray of shape (n_pieces, n_values), float64
        Those of its pieces, which say how much a sound of this kind varies.
    """

    vector: FloatArray
    pieces: FloatArray


def described_span(start: Seconds, end: Seconds) -> tuple[Seconds, Seconds]:
    """Return where the sound lies by which a segment is described.

    Examples
    --------
    >>> described_span(3.0, 4.0), described_span(0.1, 0.2), described_span(5.0, 900.0)
    ((3.0, 4.0), (0.0, 0.25), (5.0, 65.0))
    """
    start = max(0.0, min(start, end - SHORTEST))
    return start, min(max(end, start + SHORTEST), start + LONGEST)


def describe_segment(frames: Frames) -> Description:
    """Describe a segment by its log mel energies.

    Loudness is left out: cepstra begin at c1, and envelopes are relative to their own quantiles. Mean and
    deviation of cepstra, and the deviation of their changes, are those of the loud frames; envelopes of all
    bands together and of four groups of bands give their depth, and how fast and how unevenly they move.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, n_mels), float32
        Log mel energies, decibels.

    Returns
    -------
    Description
        Of `N_VALUES` values.

    Examples
    --------
    >>> frames = np.random.default_rng(0).normal(-30, 3, (100, 64)).astype(np.float32)
    >>> described = describe_segment(frames)
    >>> described.vector.shape, described.pieces.shape
    ((82,), (4, 82))
    >>> bool(np.allclose(describe_segment(frames - 12).vector, described.vector, atol=1e-3))
    True
    """
    loudest = np.percentile(frames.max(axis=1), 98)
    energies = np.power(10.0, np.maximum(frames.astype(np.float64) - loudest, -DEPTH) / 10)
    pieces = np.array([_statistics(piece) for piece in _pieces(energies)])
    return Description(_statistics(energies), pieces)


def _pieces(energies: FloatArray) -> list[FloatArray]:
    """Cut what is between the first and the last loud frame into equal pieces."""
    active = np.flatnonzero(_loud(energies, ACTIVE))
    first, last = int(active[0]), int(active[-1]) + 1
    n = min(max(len(energies) // PIECE, 1), N_PIECES)
    if last - first < n * PIECE:  # so short a sound: with what is around it
        last = min(len(energies), first + n * PIECE)
        first = max(0, last - n * PIECE)
    edges = np.linspace(first, last, n + 1).astype(int)
    return [energies[a:b] for a, b in pairwise(edges)]


def _loud(energies: FloatArray, below: float) -> np.ndarray:
    """Which frames are at most so many decibels below the loudest; eight at least, where there are."""
    level = _decibels(energies.sum(axis=1))
    loud = level >= min(np.percentile(level, 98) - below, np.sort(level)[-min(8, len(level))])
    return np.asarray(loud)


def _decibels(energy: FloatArray) -> FloatArray:
    return np.asarray(10 * np.log10(energy))


def _statistics(energies: FloatArray) -> FloatArray:
    cepstra = dct(_decibels(energies), norm="ortho", axis=1)[:, 1 : N_CEPSTRA + 1]
    changes = np.gradient(cepstra, axis=0) if len(cepstra) > 1 else np.zeros_like(cepstra)
    loud = _loud(energies, LOUD)
    values = [cepstra[loud].mean(axis=0), cepstra[loud].std(axis=0), changes[loud].std(axis=0)]
    n = energies.shape[1]
    edges = [round(share * n) for share in _BAND_SHARES]
    values.append(_envelope(energies, with_rhythm=True))
    for low, high in pairwise(edges):
        values.append(_envelope(energies[:, low:high], with_rhythm=False))
    return np.concatenate(values)


def _envelope(energies: FloatArray, *, with_rhythm: bool) -> FloatArray:
    """Describe how a level moves: its depth, its speed and skewness, and where it repeats."""
    level = _decibels(energies.sum(axis=1))
    low, middle, high = np.percentile(level, [10, 50, 90])
    steps = np.diff(level) if len(level) > 1 else np.zeros(1)
    spread = steps.std() + 0.1
    skewness = np.mean((steps - steps.mean()) ** 3) / spread**3
    values = [high - middle, middle - low, np.log(spread), skewness]
    if with_rhythm:
        centered = (level - level.mean())[:_LONGEST_LAG]
        power = centered @ centered + 1e-9
        values += [centered[lag:] @ centered[: max(len(centered) - lag, 0)] / power for lag in LAGS]
    return np.array(values)
