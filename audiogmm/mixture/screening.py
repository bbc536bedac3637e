"""float32 bounds on scores, proven, so that the E-step may skip a component and still be exact."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep import FARTHEST, Screen
from audiogmm.kernels.microkernels import GROUP
from audiogmm.types import FloatArray

ROUNDOFF = 2.0**-24
"""Unit roundoff of float32."""

LARGEST = 1e15
"""A component with a coefficient beyond this is not screened: times `FARTHEST` squared, float32 could overflow."""

UNDERFLOW = 1e-12
"""More than all that gradual underflow of the terms can add up to."""

ALWAYS = np.float32(1e30)
"""The upper bound of a component that is not screened."""


def diagonal_screen(means: FloatArray, precisions: FloatArray, constants: FloatArray) -> Screen:
    """Bounds for scores ``s = C - 1/2 sum_d (x_d - m_d)^2 p_d`` by one float32 product.

    The product. With M = 1/2 sum_d m_d^2 p_d, the score is

        s = (C - M) + sum_d (m_d p_d) x_d + sum_d (-p_d / 2) x_d^2,

    a sum of a constant and F terms, F = 2 D; or F = D + 1 if p_d is the same for all d, with x_d^2 summed once.

    The bound. Let u = 2^-24. Coefficients and x are each rounded once, x^2 at most three times more than x (its sum over d
    is taken in float64), and a chain of F multiplications and additions rounds each term at most F + 1 times (Higham 2002,
    section 3.1). So the computed sum is off by at most e S, with e = (F + 8) u / (1 - (F + 8) u) and S the sum of the
    sizes,

        S = |C - M| + sum_d |m_d p_d x_d| + 1/2 sum_d p_d x_d^2.

    S need not be computed, as the score itself bounds it. Write q = C - s = 1/2 sum_d (x_d - m_d)^2 p_d >= 0. As
    x^2 <= 2 (x - m)^2 + 2 m^2, the last sum is at most 2 q + 2 M. As |m x| <= (m^2 + x^2) / 2, the middle one is at
    most M plus the last. With |C - M| <= |C| + M,

        S <= |C| + M + 5 M + 4 q = B - 4 s,    where B = |C| + 6 M + 4 C.

    Hence |computed - s| <= e (B - 4 s), which is linear in s, and

        (computed - e B) / (1 - 4 e) <= s <= (computed + e B) / (1 + 4 e).

    e B is put into the constant once, so a bound costs nothing a frame. The constant then is e |B| larger, which adds
    e^2 |B| to S, and its own roundings; both are within the four roundings that the 8 has to spare, and within `UNDERFLOW`.
    Where e B is large the component always survives and bounds nobody: that is what near-zero variances and means far
    from the origin cost, and all that they cost. A component with a coefficient over `LARGEST` is not screened at all.

    Parameters
    ----------
    means, precisions : ndarray of shape (K, D), float64
        About the origin; precisions of shape (K, 1) if they are the same for all features.
    constants : ndarray of shape (K,), float64
        C: log weight + half log determinant of the precision - D/2 log 2 pi.

    Returns
    -------
    Screen
        With K rounded up to a multiple of the group.
    """
    K, D = means.shape
    squares = precisions.shape[1] == D and D > 1
    half_norm = 0.5 * (means**2 * precisions).sum(axis=1)
    coefficients = np.concatenate([means * precisions, -0.5 * precisions], axis=1)
    n_terms = coefficients.shape[1]
    e = roundings(n_terms + 8)
    size = np.abs(constants) + 6 * half_norm + 4 * constants
    margin = e * (size + 8 * e * np.abs(size)) + UNDERFLOW
    start = constants - half_norm + margin
    hopeless = ~(np.abs(coefficients).max(axis=1) <= LARGEST) | ~(np.abs(start) + margin <= LARGEST)
    coefficients[hopeless] = 0
    return pack(
        coefficients,
        start=np.where(hopeless, ALWAYS, start),
        slack=np.where(hopeless, 2 * ALWAYS, 2 * margin),
        squares=squares,
        widen=1 / (1 - 4 * e),
    )


def roundings(n: int) -> float:
    """Relative error of n float32 roundings, Higham's gamma_n."""
    return n * ROUNDOFF / (1 - n * ROUNDOFF)


def pack(
    coefficients: FloatArray, *, start: FloatArray, slack: FloatArray, squares: bool, widen: float
) -> Screen:
    """Lay coefficients (K, F) out for `score_block`; components that fill up the last group never survive."""
    K, n_terms = coefficients.shape
    n_groups = -(-K // GROUP)
    table = np.zeros((n_groups * GROUP, n_terms), dtype=np.float32)
    table[:K] = coefficients
    table = np.ascontiguousarray(table.reshape(n_groups, GROUP, n_terms).swapaxes(1, 2))
    starts = np.full(n_groups * GROUP, -ALWAYS)
    slacks = np.zeros(n_groups * GROUP, dtype=np.float32)
    starts[:K], slacks[:K] = start, slack
    return Screen(table.ravel(), starts, slacks, n_terms, squares, widen)


__all__ = ["FARTHEST", "diagonal_screen", "pack", "roundings"]
