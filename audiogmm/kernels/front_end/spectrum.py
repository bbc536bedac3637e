"""From samples to power spectra, eight frames at once, one in each lane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.front_end.fft import FourierPlan, transform
from audiogmm.kernels.front_end.lanes import (
    WIDTH,
    broadcast,
    fma,
    load,
    load_float32,
    square_root,
    store,
    transpose,
)
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray, Samples


class SpectrumPlan(NamedTuple):
    """How a frame of samples becomes a power spectrum.

    Attributes
    ----------
    window : ndarray of shape (length,), float64
        The window times the scale of the samples; halved if `packed` (see `_unpack`).
    remove_dc : bool
        Subtract the frame's mean.
    preemphasis : float
        x[n] - preemphasis * x[n-1]; the first sample stands in for the one before it.
    magnitude : bool
        Take the square root of the power.
    packed : bool
        An even transform length: sample pairs are the complex numbers of a transform of half the length.
    fourier : FourierPlan
        The complex transform.
    unpack : ndarray of shape (2 * (n // 2 + 1),), float64
        cos and sin of -pi k / n, by which a packed transform is unpacked.
    """

    window: FloatArray
    remove_dc: bool
    preemphasis: float
    magnitude: bool
    packed: bool
    fourier: FourierPlan
    unpack: FloatArray


@kernel
def load_tile(
    samples: Samples,
    starts: NDArray[np.int64],
    plan: SpectrumPlan,
    tile: FloatArray,
    scratch: FloatArray,
    energies: FloatArray,
) -> None:
    """Fill a tile with windowed frames, zeros behind them.

    samples : IN, float32 (n,), readable WIDTH samples past the last frame's end.
    starts : IN, int64 (WIDTH,), first sample of each lane's frame.
    plan : IN, SpectrumPlan.
    tile : OUT, float64 (2 * fourier.n * WIDTH,).
    scratch : OUT, float64 (WIDTH * WIDTH,).
    energies : OUT, float64 (2 * WIDTH,), sums of squares: without the mean, before pre-emphasis and window;
    after.
    """
    length = len(plan.window)
    mean = broadcast(0.0)
    if plan.remove_dc:
        _means(samples, starts, length, scratch)
        mean = load(scratch, 0)
    emphasis = broadcast(-plan.preemphasis)
    before = broadcast(0.0)
    raw_energy = broadcast(0.0)
    energy = broadcast(0.0)
    stride = WIDTH if plan.packed else 2 * WIDTH
    for n in range(0, length, WIDTH):
        transpose(samples, starts, n, scratch)
        if n == 0:
            before = load(scratch, 0) - mean
        for i in range(min(WIDTH, length - n)):
            x = load(scratch, WIDTH * i) - mean
            raw_energy = fma(x, x, raw_energy)
            y = fma(before, emphasis, x) * broadcast(plan.window[n + i])
            energy = fma(y, y, energy)
            before = x
            store(tile, (n + i) * stride, y)
    store(energies, 0, raw_energy)
    store(energies, WIDTH, energy)
    zero = broadcast(0.0)
    for i in range(length * stride, len(tile), WIDTH):
        store(tile, i, zero)
    if not plan.packed:
        for n in range(length):
            store(tile, n * stride + WIDTH, zero)


@kernel
def _means(samples: Samples, starts: NDArray[np.int64], length: int, scratch: FloatArray) -> None:
    """Compute the mean of each lane's frame into scratch[:WIDTH]: eight partial sums, added in one order."""
    whole = length - length % WIDTH
    for lane in range(WIDTH):
        start = starts[lane]
        sums = broadcast(0.0)
        for n in range(0, whole, WIDTH):
            sums = sums + load_float32(samples, start + n)
        store(scratch, WIDTH, sums)
        total = 0.0
        for i in range(WIDTH):
            total += scratch[WIDTH + i]
        for n in range(whole, length):
            total += samples[start + n]
        scratch[lane] = total / length


@kernel
def power_tile(tile: FloatArray, plan: SpectrumPlan, scratch: FloatArray, power: FloatArray) -> None:
    """Transform a tile and write the power (or magnitude) of each bin from 0 Hz to the Nyquist frequency.

    tile : INOUT, float64 (2 * fourier.n * WIDTH,), as `load_tile` leaves it; then spectra.
    plan : IN, SpectrumPlan.
    scratch : OUT, float64 (fourier.scratch,).
    power : OUT, float64 (n_bins * WIDTH,).
    """
    transform(tile, plan.fourier, scratch)
    if plan.packed:
        _unpack(tile, plan, power)
    else:
        for k in range(len(power) // WIDTH):
            at = 2 * WIDTH * plan.fourier.order[k]
            re, im = load(tile, at), load(tile, at + WIDTH)
            store(power, WIDTH * k, fma(re, re, im * im))
    if plan.magnitude:
        for i in range(0, len(power), WIDTH):
            store(power, i, square_root(load(power, i)))


@kernel
def _unpack(tile: FloatArray, plan: SpectrumPlan, power: FloatArray) -> None:
    """Compute the power of a real signal of 2 n samples from the transform Z of its halved sample pairs.

    With E[k] = Z[k] + conj(Z[n-k]) and O[k] = -i (Z[k] - conj(Z[n-k])), the spectrum is X[k] = E[k] + w^k
    O[k] and X[n-k] = conj(E[k] - w^k O[k]), w = exp(-i pi / n) (Press et al., Numerical Recipes, 12.3).
    """
    order = plan.fourier.order
    n = plan.fourier.n
    for k in range(n // 2 + 1):
        at = 2 * WIDTH * order[k]
        mirrored = 2 * WIDTH * order[(n - k) % n]
        z_re, z_im = load(tile, at), load(tile, at + WIDTH)
        m_re, m_im = load(tile, mirrored), load(tile, mirrored + WIDTH)
        even_re, even_im = z_re + m_re, z_im - m_im
        odd_re, odd_im = z_im + m_im, m_re - z_re
        c = broadcast(plan.unpack[2 * k])
        s = broadcast(plan.unpack[2 * k + 1])
        turned_re = fma(odd_re, c, broadcast(0.0) - odd_im * s)
        turned_im = fma(odd_re, s, odd_im * c)
        re, im = even_re + turned_re, even_im + turned_im
        store(power, WIDTH * k, fma(re, re, im * im))
        re, im = even_re - turned_re, even_im - turned_im
        store(power, WIDTH * (n - k), fma(re, re, im * im))


def spectrum_plan(
    window: FloatArray,
    n_fft: int,
    fourier: FourierPlan,
    *,
    remove_dc: bool = False,
    preemphasis: float = 0.0,
    magnitude: bool = False,
) -> SpectrumPlan:
    """Prepare `load_tile` and `power_tile` for frames of `len(window)` samples, padded to `n_fft`."""
    packed = n_fft % 2 == 0
    angles = -np.pi * np.arange(fourier.n // 2 + 1) / fourier.n
    unpack = np.stack([np.cos(angles), np.sin(angles)], axis=1).ravel()
    halved = window * 0.5 if packed else window * 1.0
    return SpectrumPlan(halved, remove_dc, preemphasis, magnitude, packed, fourier, unpack)
