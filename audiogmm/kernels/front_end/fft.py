"""Discrete Fourier transforms of any length, of eight signals at once, one in each lane.

Decimation in frequency, in place: stage by stage a transform of length r*m becomes r of length m (Cooley &
Tukey 1965). The outputs lie in digit-reversed order; with whole registers for elements, reading them through
a table costs nothing. Complex element `i` of a tile is the lanes at `2 * i * WIDTH` (real) and `(2 * i + 1) *
WIDTH`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.front_end.lanes import WIDTH, Lanes, broadcast, fma, load, store
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


class FourierPlan(NamedTuple):
    """What a transform of `n` complex elements needs.

    Attributes
    ----------
    n : int
        Complex elements.
    factors : ndarray of shape (n_stages,), int64
        Radix of each stage; their product is `n`.
    twiddles : ndarray, float64
        For each stage, for each j below m, for p = 1 .. r-1: cos and sin of -2 pi j p / (r m); then, for
        radices other than 2 and 4, cos and sin of -2 pi p q / r for all p and q.
    order : ndarray of shape (n,), int64
        Element in which frequency k is found.
    scratch : int
        Numbers of workspace that `transform` needs.
    """

    n: int
    factors: NDArray[np.int64]
    twiddles: FloatArray
    order: NDArray[np.int64]
    scratch: int


def plan_transform(n: int) -> FourierPlan:
    """Prepare transforms of `n` complex elements.

    Examples
    --------
    >>> plan_transform(200).factors.tolist()
    [4, 2, 5, 5]
    """
    factors: list[int] = []
    rest = n
    for radix in (4, 2, 3, 5):
        while rest % radix == 0:
            factors.append(radix)
            rest //= radix
    radix = 7
    while rest > 1:
        radix = radix if radix * radix <= rest else rest
        if rest % radix == 0:
            factors.append(radix)
            rest //= radix
        else:
            radix += 2

    tables = []
    order = np.zeros(n, dtype=np.int64)
    digits = np.arange(n)
    length = n
    for radix in factors:
        m = length // radix
        angles = np.outer(np.arange(m), np.arange(1, radix)) / length
        tables.append(_unit_circle(angles))
        if radix not in (2, 4):
            tables.append(_unit_circle(np.outer(np.arange(radix), np.arange(radix)) / radix))
        order += digits % radix * m
        digits //= radix
        length = m
    twiddles = np.concatenate(tables) if tables else np.zeros(0)
    return FourierPlan(
        n, np.array(factors, dtype=np.int64), twiddles, order, 2 * WIDTH * max(factors, default=1)
    )


def _unit_circle(turns: FloatArray) -> FloatArray:
    """Cosines and sines of minus so many turns, interleaved and flat."""
    angles = -2 * np.pi * (turns % 1.0)
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).ravel()


@kernel
def transform(tile: FloatArray, plan: FourierPlan, scratch: FloatArray) -> None:
    """Transform every lane of a tile.

    tile : INOUT, float64 (2 * n * WIDTH,), the signals; then the spectra, frequency k at element `order[k]`.
    plan : IN, FourierPlan.
    scratch : OUT, float64 (plan.scratch,).
    """
    length = plan.n
    at = 0
    for stage in range(len(plan.factors)):
        radix = plan.factors[stage]
        m = length // radix
        if radix == 4:
            _radix4(tile, plan.n, m, plan.twiddles[at:])
        elif radix == 2:
            _radix2(tile, plan.n, m, plan.twiddles[at:])
        else:
            _any_radix(tile, plan.n, m, radix, plan.twiddles[at:], scratch)
            at += 2 * radix * radix
        at += 2 * (radix - 1) * m
        length = m


@kernel
def _turn(tile: FloatArray, at: int, real: Lanes, imaginary: Lanes, cosine: float, sine: float) -> None:
    """Multiply by a twiddle factor and store."""
    c = broadcast(cosine)
    s = broadcast(sine)
    store(tile, at, fma(real, c, broadcast(0.0) - imaginary * s))
    store(tile, at + WIDTH, fma(real, s, imaginary * c))


@kernel
def _radix4(tile: FloatArray, n: int, m: int, twiddles: FloatArray) -> None:
    """One stage of radix 4: blocks of 4 m elements become four blocks of m."""
    step = 2 * WIDTH * m
    for block in range(0, n, 4 * m):
        for j in range(m):
            i0 = 2 * WIDTH * (block + j)
            i1 = i0 + step
            i2 = i1 + step
            i3 = i2 + step
            a_re, a_im = load(tile, i0), load(tile, i0 + WIDTH)
            b_re, b_im = load(tile, i1), load(tile, i1 + WIDTH)
            c_re, c_im = load(tile, i2), load(tile, i2 + WIDTH)
            d_re, d_im = load(tile, i3), load(tile, i3 + WIDTH)
            even_re, even_im = a_re + c_re, a_im + c_im
            skew_re, skew_im = a_re - c_re, a_im - c_im
            odd_re, odd_im = b_re + d_re, b_im + d_im
            twist_re, twist_im = b_re - d_re, b_im - d_im
            store(tile, i0, even_re + odd_re)
            store(tile, i0 + WIDTH, even_im + odd_im)
            if m == 1:
                store(tile, i1, skew_re + twist_im)
                store(tile, i1 + WIDTH, skew_im - twist_re)
                store(tile, i2, even_re - odd_re)
                store(tile, i2 + WIDTH, even_im - odd_im)
                store(tile, i3, skew_re - twist_im)
                store(tile, i3 + WIDTH, skew_im + twist_re)
            else:
                w = 6 * j
                _turn(tile, i1, skew_re + twist_im, skew_im - twist_re, twiddles[w], twiddles[w + 1])
                _turn(tile, i2, even_re - odd_re, even_im - odd_im, twiddles[w + 2], twiddles[w + 3])
                _turn(tile, i3, skew_re - twist_im, skew_im + twist_re, twiddles[w + 4], twiddles[w + 5])


@kernel
def _radix2(tile: FloatArray, n: int, m: int, twiddles: FloatArray) -> None:
    """One stage of radix 2."""
    step = 2 * WIDTH * m
    for block in range(0, n, 2 * m):
        for j in range(m):
            i0 = 2 * WIDTH * (block + j)
            i1 = i0 + step
            a_re, a_im = load(tile, i0), load(tile, i0 + WIDTH)
            b_re, b_im = load(tile, i1), load(tile, i1 + WIDTH)
            store(tile, i0, a_re + b_re)
            store(tile, i0 + WIDTH, a_im + b_im)
            _turn(tile, i1, a_re - b_re, a_im - b_im, twiddles[2 * j], twiddles[2 * j + 1])


@kernel
def _any_radix(
    tile: FloatArray, n: int, m: int, radix: int, twiddles: FloatArray, scratch: FloatArray
) -> None:
    """One stage of any radix, by the defining sum: meant for small ones, right for all."""
    step = 2 * WIDTH * m
    roots = twiddles[2 * (radix - 1) * m :]
    for block in range(0, n, radix * m):
        for j in range(m):
            i0 = 2 * WIDTH * (block + j)
            for q in range(radix):
                store(scratch, 2 * WIDTH * q, load(tile, i0 + q * step))
                store(scratch, 2 * WIDTH * q + WIDTH, load(tile, i0 + q * step + WIDTH))
            for p in range(radix):
                re = load(scratch, 0)
                im = load(scratch, WIDTH)
                for q in range(1, radix):
                    x_re = load(scratch, 2 * WIDTH * q)
                    x_im = load(scratch, 2 * WIDTH * q + WIDTH)
                    c = broadcast(roots[2 * (p * radix + q)])
                    s = broadcast(roots[2 * (p * radix + q) + 1])
                    re = fma(x_re, c, re) - x_im * s
                    im = fma(x_re, s, im) + x_im * c
                if p == 0:
                    store(tile, i0, re)
                    store(tile, i0 + WIDTH, im)
                else:
                    w = 2 * (j * (radix - 1) + p - 1)
                    _turn(tile, i0 + p * step, re, im, twiddles[w], twiddles[w + 1])
