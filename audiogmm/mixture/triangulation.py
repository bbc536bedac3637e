"""16-bit bounds on scores of full covariances, proven: the first screen on CPUs that multiply in pairs."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep.dots import DOTS, LARGEST
from audiogmm.kernels.estep.factor_layout import pack_integers
from audiogmm.kernels.estep.screens import TRIANGLES
from audiogmm.kernels.estep.triangles import LIMITS, IntegerFactors
from audiogmm.mixture.grouping import arrange_in_groups
from audiogmm.mixture.quantization import ALWAYS, ROUNDED
from audiogmm.types import FloatArray

ROUNDOFF = 2.0**-24
"""Unit roundoff of float32."""

HIGHEST_SUM = 2.0**31 - 2
"""Of a 32-bit integer."""

FINEST = 1e-12
"""Least step of a row: its square is far from underflow."""

LARGEST_BOUND = 1e15
"""A component whose distances or constant may be beyond this is never skipped."""


def triangulate(
    offsets: FloatArray, factors: FloatArray, constants: FloatArray, ranges: FloatArray
) -> IntegerFactors:
    """Return bounds for scores ``s = C - 1/2 |t|^2``, t = L x - L m, by one triangular integer product each.

    The product. Feature j of a frame becomes the integer X_j nearest to x_j / s_j, with s_j = range_j /
    32767; a frame with a feature out of range is not looked at. Row i of L gets a step b_i; its entries
    become the integers A_ij nearest to L_ij s_j / b_i, and B_i is the one nearest to -(L m)_i / b_i. With
    I_i = B_i + sum_j A_ij X_j, exact in 32 bits (below),

        |t_i - b_i I_i| <= sum_j |L_ij| |x_j - s_j X_j| + b_i sum_j |L_ij s_j / b_i - A_ij| |X_j| + b_i / 2
                        <= h sum_j |L_ij| s_j + b_i / 2 + b_i N / 2,

    where N = sum_j |X_j| is the frame's, and h = `ROUNDED` has room for what rounds x itself, three times
    2^-24 of 32767 steps. By the triangle inequality of the norm over any set of rows, with

        v = beta + gamma N / 2,   beta^2 = sum_i (h sum_j |L_ij| s_j + b_i / 2)^2,   gamma^2 = sum_i b_i^2,

    and Q = sum_i (b_i I_i)^2 over that set, the norm of t over the set is between sqrt(Q) - v and sqrt(Q)
    + v.

    The bounds. The norm over some rows is at most |t|: so `s <= C - 1/2 max(0, sqrt(Q) - v)^2` holds for
    Q over any rows, which is why a component may be left early, and `s >= C - 1/2 (sqrt(Q) + v)^2` for
    all rows.

    Leaving early changes nothing that is reported: of what floating-point adds up here each term is at
    least 0, and rounding is monotone, so an upper bound never rises with a further row; and a component
    that is below the best lower bound with an upper bound cannot raise it with a lower one.

    No overflow. |I_i| <= 32767 (sum_j |L_ij| s_j / b_i + D / 2) + |L m|_i / b_i + 1/2, and b_i is chosen
    so that this is below 2^31, and that no |A_ij| is over 32767, nor then a pair of products over 2^31.

    float32. With u = 2^-24: I_i rounds once, its square times the rounded b_i^2 four times, and the sum
    of D terms, none negative, D times; so sqrt(Q) is off by at most (D + 7) u / 2 + u of itself. v and N
    / 2 are off by at most (D + 5) u of themselves, the two roundings behind by 2 u of sqrt(Q) + v. beta
    and gamma are raised, and sqrt(Q) is lessened for the upper bound and raised for the lower one, by 4
    (D + 16) u, which leaves more than (D + 16) u of sqrt(Q) + v over: half a square and its difference
    with C, off by 3 u of the square, take less. What is left is the rounding of C and of the difference
    where C is the larger: 4 u |C|.

    Parameters
    ----------
    offsets : ndarray of shape (K, D), float64
        -L m, with m about the origin.
    factors : ndarray of shape (K, D, D), float64
        P = L^T, upper triangular, with P P^T the precision.
    constants : ndarray of shape (K,), float64
        C: log weight + half log determinant of the precision - D/2 log 2 pi.
    ranges : ndarray of shape (D,), float64
        Largest size of each feature about the origin, above 0.

    Returns
    -------
    IntegerFactors
        Empty where the CPU gains nothing: float32 then looks.
    """
    K, D = offsets.shape
    n_pairs = -(-D // 2)
    if not DOTS or D > LARGEST:
        return IntegerFactors(np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.float32), 0.0)
    per_step = (LARGEST / ranges).astype(np.float32)
    scales = 1 / per_step.astype(np.float64)
    sizes = np.abs(factors)
    sizes *= scales[:, None]
    reach, largest = sizes.sum(axis=1), sizes.max(axis=1)
    steps = np.maximum(
        (LARGEST * reach + np.abs(offsets)) / (HIGHEST_SUM - LARGEST * (D / 2 + 1)), largest / LARGEST
    )
    steps = np.maximum(steps * (1 + 1e-9), FINEST)
    excess = 4 * (D + 16) * ROUNDOFF
    fixed = (1 + excess) * np.sqrt(((ROUNDED * reach + steps / 2) ** 2).sum(axis=1))
    relative = (1 + excess) * np.sqrt((steps**2).sum(axis=1))
    margin = 4 * ROUNDOFF * np.abs(constants) + 1e-12
    hopeless = ~((LARGEST * reach + np.abs(offsets)).max(axis=1) + np.abs(constants) <= LARGEST_BOUND)
    steps[hopeless] = np.inf
    limits = np.zeros((K, LIMITS + 2 * n_pairs))
    limits[:, 0] = np.where(hopeless, ALWAYS, constants + margin)
    limits[:, 1] = np.where(hopeless, -ALWAYS, constants - margin)
    limits[:, 2], limits[:, 3] = np.where(hopeless, 0, fixed), np.where(hopeless, 0, relative)
    limits[:, LIMITS : LIMITS + D] = np.where(hopeless[:, None], 0, steps**2)
    packed = arrange_in_groups(limits, TRIANGLES, np.float32)
    if K % TRIANGLES:
        packed[-1, :2, K % TRIANGLES :] = -ALWAYS
    coefficients = np.zeros(len(packed) * n_pairs * (n_pairs + 3) * TRIANGLES, np.int32)
    pack_integers(factors, offsets, scales, steps, coefficients)
    paired = np.zeros(2 * n_pairs, np.float32)
    paired[: (D + 1) // 2], paired[n_pairs : n_pairs + D // 2] = per_step[::2], per_step[1::2]
    return IntegerFactors(paired, coefficients, packed.ravel(), excess)
