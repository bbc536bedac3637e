"""From samples to log-mel energies or cepstra, eight frames at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.front_end.lanes import (
    WIDTH,
    Lanes,
    broadcast,
    exponent,
    fma,
    load,
    mantissa,
    maximum,
    store,
)
from audiogmm.kernels.front_end.spectrum import SpectrumPlan, load_tile, power_tile
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray, Frames, Samples

BLOCK = 4
"""Rows of the cosine matrix that are taken together; it is padded to a multiple of them."""


class CepstrumPlan(NamedTuple):
    """How a power spectrum becomes features.

    Attributes
    ----------
    first : ndarray of shape (n_mels,), int64
        First FFT bin of each mel band.
    offsets : ndarray of shape (n_mels + 1,), int64
        Where each band's weights begin in `weights`.
    weights : ndarray of shape (offsets[-1],), float64
        Weights of consecutive bins, band after band.
    log_floor : float
        Smallest band energy.
    log_factor : float
        1 for natural logarithms, 10 / ln 10 for decibels.
    matrix : ndarray of shape (rows, n_mels), float64
        Cosine transform and lifter; rows a multiple of BLOCK; none for log-mel features.
    energy : int
        0: none; 1: raw; 2: of the windowed frame.
    energy_scale : float
        Turns the sum of squares into the units of the scaled samples.
    """

    first: NDArray[np.int64]
    offsets: NDArray[np.int64]
    weights: FloatArray
    log_floor: float
    log_factor: float
    matrix: FloatArray
    energy: int
    energy_scale: float


@kernel
def logarithm(x: Lanes) -> Lanes:
    """Compute the natural logarithm of every lane, within 1 ulp; for positive normal numbers.

    x = 2^k m, f = m - 1, s = f / (2 + f): log(m) = f - (f^2/2 - s (f^2/2 + R)), R a polynomial in s^2 (the
    coefficients are those of FreeBSD's e_log.c).
    """
    f = mantissa(x) - broadcast(1.0)
    k = exponent(x)
    s = f / (f + broadcast(2.0))
    z = s * s
    r = broadcast(1.479819860511658591e-01)
    r = fma(r, z, broadcast(1.531383769920937332e-01))
    r = fma(r, z, broadcast(1.818357216161805012e-01))
    r = fma(r, z, broadcast(2.222219843214978396e-01))
    r = fma(r, z, broadcast(2.857142874366239149e-01))
    r = fma(r, z, broadcast(3.999999999940941908e-01))
    r = fma(r, z, broadcast(6.666666666666735130e-01)) * z
    half = broadcast(0.5) * f * f
    low = fma(k, broadcast(1.90821492927058770002e-10), s * (half + r))
    return fma(k, broadcast(6.93147180369123816490e-01), f - (half - low))


@kernel
def analyze(
    samples: Samples,
    base: int,
    hop: int,
    spectrum: SpectrumPlan,
    cepstrum: CepstrumPlan,
    workspace: FloatArray,
    features: Frames,
    levels: Samples,
) -> None:
    """Compute the features and the level of consecutive frames.

    samples : IN, float32 (n,), readable WIDTH samples past the last frame's end.
    base : IN, int, first sample of the first frame.
    hop : IN, int, samples from frame to frame.
    spectrum : IN, SpectrumPlan.
    cepstrum : IN, CepstrumPlan.
    workspace : OUT, float64 (workspace_size,).
    features : OUT, float32 (n_frames, n_columns), C-contiguous.
    levels : OUT, float32 (n_frames,), power of the bins that the mel bands cover, decibels of unit power.
    """
    n_mels = len(cepstrum.first)
    n_bins = spectrum.fourier.n + 1 if spectrum.packed else spectrum.fourier.n // 2 + 1
    n_rows = len(cepstrum.matrix)
    n_tile = 2 * spectrum.fourier.n * WIDTH
    tile = workspace[:n_tile]
    power = workspace[n_tile : n_tile + n_bins * WIDTH]
    mel_begin = n_tile + n_bins * WIDTH
    mel = workspace[mel_begin : mel_begin + n_mels * WIDTH]
    row_begin = mel_begin + n_mels * WIDTH
    rows = workspace[row_begin : row_begin + n_rows * WIDTH]
    level_begin = row_begin + n_rows * WIDTH
    level = workspace[level_begin : level_begin + WIDTH]
    energies = workspace[level_begin + WIDTH : level_begin + 3 * WIDTH]
    scratch = workspace[level_begin + 3 * WIDTH :]
    starts = np.empty(WIDTH, dtype=np.int64)
    n_frames = len(features)
    for frame in range(0, n_frames, WIDTH):
        for lane in range(WIDTH):
            starts[lane] = base + min(frame + lane, n_frames - 1) * hop
        load_tile(samples, starts, spectrum, tile, scratch, energies)
        power_tile(tile, spectrum, scratch, power)
        _mel_bands(power, cepstrum, mel, level)
        _log_energy(energies, cepstrum)
        if n_rows:
            _cosine_transform(mel, cepstrum.matrix, rows)
            _spread(rows, energies, level, frame, cepstrum.energy, features, levels)
        else:
            _spread(mel, energies, level, frame, cepstrum.energy, features, levels)


@kernel
def workspace_size(spectrum: SpectrumPlan, cepstrum: CepstrumPlan) -> int:
    """Return the size of the workspace that `analyze` needs, in numbers."""
    bins = 2 * spectrum.fourier.n + spectrum.fourier.n + 1
    scratch = max(WIDTH * WIDTH, spectrum.fourier.scratch)
    return WIDTH * (bins + len(cepstrum.first) + len(cepstrum.matrix) + 3) + scratch


@kernel
def _mel_bands(power: FloatArray, plan: CepstrumPlan, mel: FloatArray, level: FloatArray) -> None:
    """Log energies of the mel bands, and the level in decibels of all bins that they cover."""
    floor = broadcast(plan.log_floor)
    factor = broadcast(plan.log_factor)
    n_mels = len(plan.first)
    for band in range(n_mels):
        begin = plan.offsets[band]
        at = WIDTH * plan.first[band]
        total = broadcast(0.0)
        for i in range(plan.offsets[band + 1] - begin):
            total = fma(broadcast(plan.weights[begin + i]), load(power, at + WIDTH * i), total)
        store(mel, WIDTH * band, logarithm(maximum(total, floor)) * factor)
    last = plan.first[n_mels - 1] + plan.offsets[n_mels] - plan.offsets[n_mels - 1]
    total = broadcast(1e-200)
    for k in range(plan.first[0], last):
        total = total + load(power, WIDTH * k)
    store(level, 0, logarithm(total) * broadcast(4.342944819032518))


@kernel
def _log_energy(energies: FloatArray, plan: CepstrumPlan) -> None:
    """Replace the energies of the frames, raw and windowed, by their logarithms."""
    for i in range(0, 2 * WIDTH, WIDTH):
        energy = load(energies, i) * broadcast(plan.energy_scale)
        energy = logarithm(maximum(energy, broadcast(plan.log_floor)))
        store(energies, i, energy * broadcast(plan.log_factor))


@kernel
def _cosine_transform(mel: FloatArray, matrix: FloatArray, rows: FloatArray) -> None:
    """Multiply by the cosine matrix, BLOCK rows at a time so that sums need not wait for each other."""
    n_mels = matrix.shape[1]
    for row in range(0, len(matrix), BLOCK):
        a = broadcast(0.0)
        b = broadcast(0.0)
        c = broadcast(0.0)
        d = broadcast(0.0)
        for band in range(n_mels):
            x = load(mel, WIDTH * band)
            a = fma(broadcast(matrix[row, band]), x, a)
            b = fma(broadcast(matrix[row + 1, band]), x, b)
            c = fma(broadcast(matrix[row + 2, band]), x, c)
            d = fma(broadcast(matrix[row + 3, band]), x, d)
        store(rows, WIDTH * row, a)
        store(rows, WIDTH * (row + 1), b)
        store(rows, WIDTH * (row + 2), c)
        store(rows, WIDTH * (row + 3), d)


@kernel
def _spread(
    rows: FloatArray,
    energies: FloatArray,
    level: FloatArray,
    frame: int,
    energy: int,
    features: Frames,
    levels: Samples,
) -> None:
    """Write the lanes that are frames into their rows; a log energy goes in front."""
    n_columns = features.shape[1]
    shift = 1 if energy else 0
    for lane in range(min(WIDTH, len(features) - frame)):
        for column in range(shift, n_columns):
            features[frame + lane, column] = rows[WIDTH * (column - shift) + lane]
        if energy:
            features[frame + lane, 0] = energies[WIDTH * (energy - 1) + lane]
        levels[frame + lane] = level[lane]
