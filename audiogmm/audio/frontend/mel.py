"""Mel scales and the triangular filters on them."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import FrontEndError
from audiogmm.types import FloatArray

MEL_SCALES = ("htk", "slaney")
"""`htk`: 2595 log10(1 + f / 700); `slaney`: linear up to 1 kHz, logarithmic above (Auditory Toolbox,
librosa's default)."""

MEL_NORMS = ("none", "slaney")
"""`none`: filters of height 1; `slaney`: of equal area."""

MEL_TRIANGLES = ("hertz", "mel")
"""The axis on which the filters are triangles: hertz as in HTK's book and librosa, mel as in Kaldi."""


def hertz_to_mel(frequency: FloatArray, scale: str) -> FloatArray:
    """Convert frequencies in hertz to mel.

    Examples
    --------
    >>> hertz_to_mel(np.array([200.0, 1000.0]), "slaney").tolist()
    [3.0, 15.0]
    """
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + frequency / 700.0)
    return np.where(
        frequency < 1000.0,
        frequency * 3.0 / 200.0,
        15.0 + 27.0 * np.log(np.maximum(frequency, 1000.0) / 1000.0) / np.log(6.4),
    )


def mel_to_hertz(mel: FloatArray, scale: str) -> FloatArray:
    """Convert mel to frequencies in hertz.

    Examples
    --------
    >>> mel_to_hertz(hertz_to_mel(np.array([60.0, 4000.0]), "htk"), "htk").round(6).tolist()
    [60.0, 4000.0]
    """
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp(np.log(6.4) * (mel - 15.0) / 27.0))


def mel_filters(
    n_mels: int,
    n_fft: int,
    sample_rate: float,
    fmin: float,
    fmax: float,
    *,
    scale: str = "htk",
    norm: str = "none",
    triangles: str = "hertz",
) -> FloatArray:
    """Compute the weights of the FFT bins in each mel band.

    Parameters
    ----------
    n_mels, n_fft : int
        Bands, and samples of the transform.
    sample_rate, fmin, fmax : float
        Hertz; the bands are spaced evenly in mel from `fmin` to `fmax`.
    scale, norm, triangles : str
        One of `MEL_SCALES`, `MEL_NORMS`, `MEL_TRIANGLES`.

    Returns
    -------
    ndarray of shape (n_mels, n_fft // 2 + 1), float64

    Raises
    ------
    FrontEndError
        If a band is so narrow that it holds no bin.

    Examples
    --------
    >>> mel_filters(20, 512, 16000, 0.0, 8000.0).shape
    (20, 257)
    """
    limits = hertz_to_mel(np.array([fmin, fmax]), scale)
    edges = np.linspace(limits[0], limits[1], n_mels + 2)
    bins: FloatArray = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)
    hertz = mel_to_hertz(edges, scale)
    if triangles == "mel":
        bins = hertz_to_mel(bins, scale)
    else:
        edges = hertz
    widths: FloatArray = np.diff(edges)
    ramps = edges[:, None] - bins
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    weights: FloatArray = np.maximum(0.0, np.minimum(rising, falling))
    empty = np.flatnonzero(~weights.any(axis=1))
    if len(empty):
        band = int(empty[0])
        raise FrontEndError(
            f"mel band {band} of {n_mels}, {hertz[band]:.0f} to {hertz[band + 2]:.0f} Hz, holds none of the "
            f"bins of n_fft={n_fft} at {sample_rate:g} Hz",
            needed="a bin in every band",
            remedy="a larger n_fft, fewer n_mels, or a higher fmin",
        )
    if norm == "slaney":
        weights *= (2.0 / (hertz[2:] - hertz[:-2]))[:, None]
    return weights
