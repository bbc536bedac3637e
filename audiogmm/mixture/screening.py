"""float32 bounds on scores, proven, so that the E-step may skip a component and still be exact."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep.diagonal import DiagonalScreen
from audiogmm.kernels.estep.factor_layout import lay_out
from audiogmm.kernels.estep.full import FullScreen
from audiogmm.kernels.estep.screens import GROUP, TRIANGLES
from audiogmm.mixture.grouping import arrange_in_groups
from audiogmm.mixture.quantization import quantized
from audiogmm.mixture.triangulation import triangulate
from audiogmm.types import FloatArray

ROUNDOFF = 2.0**-24
"""Unit roundoff of float32."""

LARGEST = 1e15
"""A component with a coefficient beyond this is not screened: times `FARTHEST`^2, float32 could overflow."""

UNDERFLOW = 1e-12
"""More than all that gradual underflow of the terms can add up to."""

RANGE = 10.0
"""Standard deviations in the range of the first screen's integers; a frame beyond gets the second one."""

TINY = 1e-12
"""Least range, for features that are constant."""

ALWAYS = 1e30
"""The upper bound of a component that is not screened."""


def diagonal_screen(
    means: FloatArray, precisions: FloatArray, constants: FloatArray, spread: FloatArray
) -> DiagonalScreen:
    """Return bounds for scores ``s = C - 1/2 sum_d (x_d - m_d)^2 p_d`` by one float32 product.

    The product. With M = 1/2 sum_d m_d^2 p_d, the score is

        s = (C - M) + sum_d (m_d p_d) x_d + sum_d (-p_d / 2) x_d^2,

    a sum of a constant and F terms, F = 2 D; or F = D + 1 if p_d is the same for all d, with x_d^2 summed
    once.

    The bound. Let u = 2^-24. Coefficients and x are each rounded once, so a term with x^2 = x * x is off by
    at most four roundings before it is added, or D more where these are summed first; a chain of F
    multiplications and additions adds at most F + 1 (Higham 2002, section 3.1). So what is computed is off by
    at most e S, with e = n u / (1 - n u), n = F + 8 (or 2 F + 8), and S the sum of the sizes,

        S = |C - M| + sum_d |m_d p_d x_d| + 1/2 sum_d p_d x_d^2.

    S need not be computed, as the score itself bounds it. Write q = C - s = 1/2 sum_d (x_d - m_d)^2 p_d >= 0.
    As x^2 <= 2 (x - m)^2 + 2 m^2, the last sum is at most 2 q + 2 M. As |m x| <= (m^2 + x^2) / 2, the middle
    one is at most M plus the last. With |C - M| <= |C| + M,

        S <= |C| + M + 5 M + 4 q = B - 4 s,    where B = |C| + 6 M + 4 C.

    Hence |computed - s| <= e (B - 4 s), which is linear in s, and

        (computed - e B) / (1 - 4 e) <= s <= (computed + e B) / (1 + 4 e).

    e B is put into the constant once, so a bound costs nothing a frame. The constant then is e |B| larger,
    which adds e^2 |B| to S, and its own roundings; both are within the three roundings that n has to
    spare, and within `UNDERFLOW`. Where e B is large the component is never skipped and bounds no other: that
    is what near-zero variances and means far from the origin cost, and all that they cost. A component with
    a coefficient over `LARGEST` is not screened at all.

    Parameters
    ----------
    means, precisions : ndarray of shape (K, D), float64
        About the origin; precisions of shape (K, 1) if they are the same for all features.
    constants : ndarray of shape (K,), float64
        C: log weight + half log determinant of the precision - D/2 log 2 pi.
    spread : ndarray of shape (D,), float64
        Standard deviation of the frames that are expected, about the origin: sets the range of integers.

    Returns
    -------
    DiagonalScreen
        With K rounded up to a multiple of the group.
    """
    D = means.shape[1]
    squares = precisions.shape[1] == D and D > 1
    half_norm = 0.5 * (means**2 * precisions).sum(axis=1)
    coefficients = np.concatenate([means * precisions, -0.5 * precisions], axis=1)
    n_terms = coefficients.shape[1]
    e = roundings(n_terms + 8 if squares else 2 * n_terms + 8)
    sum_of_sizes = np.abs(constants) + 6 * half_norm + 4 * constants
    margin = e * (sum_of_sizes + 8 * e * np.abs(sum_of_sizes)) + UNDERFLOW
    start = constants - half_norm + margin
    hopeless = ~(np.abs(coefficients).max(axis=1) <= LARGEST) | ~(np.abs(start) + margin <= LARGEST)
    farthest = np.maximum(RANGE * spread, TINY)
    squared, size = farthest**2, spread**2
    if not squares:
        squared, size = np.array([squared.sum() / 4]), np.array([size.sum()])
    ranges, sizes = np.concatenate([farthest, squared]), np.concatenate([spread, size])
    dots = quantized(coefficients, constants - half_norm, ranges, sizes)
    coefficients[hopeless] = 0
    return DiagonalScreen(
        coefficients=arrange_in_groups(coefficients, GROUP, np.float32).ravel(),
        start=arrange_in_groups(np.where(hopeless, ALWAYS, start), GROUP, np.float32, -ALWAYS).ravel(),
        slack=arrange_in_groups(np.where(hopeless, 2 * ALWAYS, 2 * margin), GROUP, np.float32).ravel(),
        n_terms=n_terms,
        squares=squares,
        widen_lower=1 / (1 - 4 * e),
        widen_upper=1 + 4 * e,
        dots=dots,
    )


def roundings(n: int) -> float:
    """Return the relative error of n float32 roundings, Higham's gamma_n."""
    return n * ROUNDOFF / (1 - n * ROUNDOFF)


SPLIT = 2.0**-12
"""delta in `(a + b)^2 <= (1 + delta) a^2 + (1 + 1/delta) b^2`: how the error of a distance is shared out."""

LARGEST_FACTOR = 1e9
"""As `LARGEST`, for entries of a triangular factor: their squares are taken."""


def triangular_screen(
    means: FloatArray, factors: FloatArray, constants: FloatArray, spread: FloatArray
) -> FullScreen:
    """Return bounds for ``s = C - 1/2 |L x - b|^2``, b = L m, each from one triangular float32 product.

    Let g = n u / (1 - n u) with n = D + 8 and u = 2^-24, H the Frobenius norm of L, r = |x|^2, and delta =
    `SPLIT`. Scale by c^2 = 1 / (2 (1 + g) (1 + delta)). Each entry of t = c (L x - b) is a chain of at most D
    + 1 terms whose factors are rounded once each, so what is computed is t + v with (Higham 2002, section
    3.1; Cauchy-Schwarz)

        |v_i| <= g c (sum_j |L_ij| |x_j| + |b_i|),    |v|^2 <= 2 g^2 c^2 (H^2 r + |b|^2) =: V.

    For any delta, (1 - delta) |t|^2 - V / delta <= |t + v|^2 <= (1 + delta) |t|^2 + (1 + 1 / delta) V. With
    |t|^2 = c^2 |L x - b|^2 the score obeys, for Q = |t + v|^2,

        s <= C - (1 + g) Q + (1 + g) (1 + 1 / delta) V,
        s >= C - w (Q + V / delta),    where w = (1 + g) (1 + delta) / (1 - delta).

    V is linear in r, so both are: an upper bound is computed as ``start + reach r - Q``, a chain of D + 2
    terms that is off by at most g (|start| + reach r + Q); the excess g Q is what the factor 1 + g above has
    to spare, the rest goes into start and reach. Turned round, Q is at most (start + reach r - upper + g
    |start| + g reach r) / (1 - g), so ``s >= W (upper - slack - shrink r)`` with W = w / (1 - g). r itself is
    summed in float32; one per cent is allowed for that and for the rounding of the four numbers.

    A component with an entry beyond `LARGEST_FACTOR` is never skipped and bounds no other.

    Parameters
    ----------
    means : ndarray of shape (K, D), float64
        m, about the origin.
    factors : ndarray of shape (K, D, D), float64
        P = L^T, upper triangular, with P P^T the precision.
    constants : ndarray of shape (K,), float64
        C: log weight + half log determinant of the precision - D/2 log 2 pi.
    spread : ndarray of shape (D,), float64
        As of `diagonal_screen`.

    Returns
    -------
    FullScreen
        With K rounded up to a multiple of the group.
    """
    K, D = means.shape
    g = roundings(D + 8)
    squared_scale = 0.5 / ((1 + g) * (1 + SPLIT))
    scale = np.full(K, np.sqrt(squared_scale))
    unscaled = -(means[:, None, :] @ factors)[:, 0]
    offsets = scale[:, None] * unscaled
    allowance = 1.01 * 2 * g**2
    growth = allowance * squared_scale * np.einsum("kij,kij->k", factors, factors)  # V = growth r + fixed
    fixed = allowance * (offsets**2).sum(axis=1)
    start = constants + 4 * g * np.abs(constants) + 1.01 * (1 + 1 / SPLIT) * fixed + UNDERFLOW
    reach = 1.01 * (1 + 1 / SPLIT) * growth
    widen = (1 + g) ** 2 * (1 + SPLIT) / (1 - SPLIT) / (1 - g)
    slack = start - constants / widen + 8 * g * np.abs(start) + fixed / SPLIT + UNDERFLOW
    shrink = 1.01 * reach + growth / SPLIT
    hopeless = ~(np.maximum(factors.max(axis=(1, 2)), -factors.min(axis=(1, 2))) <= LARGEST_FACTOR)
    hopeless |= ~(np.maximum(np.abs(start), np.abs(offsets).max(axis=1)) <= LARGEST_FACTOR)
    scale[hopeless], offsets[hopeless] = 0, 0
    limits = np.stack(
        [
            np.where(hopeless, ALWAYS, start),
            np.where(hopeless, 0, reach),
            np.where(hopeless, 2 * ALWAYS, slack),
            np.where(hopeless, 0, shrink),
        ],
        axis=1,
    )
    n_rows = D + D % 2
    coefficients = np.zeros(-(-K // TRIANGLES) * TRIANGLES * n_rows * (n_rows + 4) // 2, np.float32)
    lay_out(factors, offsets, scale, coefficients)
    packed = arrange_in_groups(limits, TRIANGLES, np.float32)
    if K % TRIANGLES:
        packed[-1, 0, K % TRIANGLES :] = -ALWAYS
    triangles = triangulate(unscaled, factors, constants, np.maximum(RANGE * spread, TINY))
    return FullScreen(coefficients, packed.ravel(), n_rows, widen, triangles)
