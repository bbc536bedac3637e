"""16-bit bounds on scores, proven: the first screen on CPUs that multiply such integers in pairs."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep.dots import DOTS, LARGEST, IntegerCoefficients
from audiogmm.kernels.estep.screens import GROUP
from audiogmm.mixture.grouping import arrange_in_groups
from audiogmm.types import FloatArray

ROUNDED = 0.51
"""How far an integer is from its term in steps: a half, and two float32 roundings of at most 32767 u each."""

WIDEST = 3.0
"""Nats between the bounds, for the median component and a typical frame, that are still of use."""

ALWAYS = 1e30
"""The upper bound of a component that is not screened."""


def quantized(
    coefficients: FloatArray, constants: FloatArray, ranges: FloatArray, sizes: FloatArray
) -> IntegerCoefficients:
    """Return bounds for scores ``s = c + sum_f a_f y_f`` by one integer product.

    The product. Term f of a frame becomes the integer Y_f nearest to y_f / t_f, with the step
    t_f = range_f / 32767; a frame with a term out of range is not looked at. The coefficients of a component
    become the integers A_f nearest to a_f t_f / b, with a step b of its own. With a' = a t / b and y' = y /
    t,

        |sum a_f y_f / b - sum A_f Y_f| <= sum |a'_f| |y'_f - Y_f| + sum |a'_f - A_f| |Y_f|
                                        <= h sum |a'_f| + 1/2 sum |Y_f|,    h = `ROUNDED`,

    hence |s - (c + b I)| <= h b sum |a'_f| + b N / 2, where I is the integer sum and N = sum |Y_f| is the
    frame's. I is taken modulo 2^32 and must not wrap: b is chosen so that sum |a'_f| <= 65535 - F / 2, so
    that sum |A_f| <= 65535 and |I| <= 65535 * 32767 < 2^31; and so that no |A_f| is over 32767, nor then a
    pair of products over 2^31.

    The terms themselves are float32: x is rounded once, x^2 three times, |x|^2 summed over d in float32, at
    most n = F + 4 times (Higham 2002, section 3.1). In steps that is n u 32767, which is added to h. The
    float32 arithmetic behind the sum - I to float32, plus N / 2, times b, plus the constant; N / 2 itself -
    is off by no more than 2^-24 * 2^31 = 128 units of b at each of its seven roundings, for which `PADDING`
    makes N / 2 larger, and 2^-24 of the constant at the last, for which the constant is.

    Parameters
    ----------
    coefficients : ndarray of shape (K, F), float64
        a.
    constants : ndarray of shape (K,), float64
        c.
    ranges : ndarray of shape (F,), float64
        Largest size of each term.
    sizes : ndarray of shape (F,), float64
        Typical size of each term.

    Returns
    -------
    IntegerCoefficients
        Empty where the CPU gains nothing, or the bounds would be too wide to be of use: float32 then looks.
    """
    floats, integers = np.empty(0, np.float32), np.empty(0, np.int32)
    nothing = IntegerCoefficients(floats, integers, floats, integers, floats)
    n_terms = coefficients.shape[1]
    if not DOTS or n_terms > LARGEST:
        return nothing
    per_step = (LARGEST / ranges).astype(np.float32)
    scaled = coefficients / per_step
    total = np.abs(scaled).sum(axis=1)
    step = np.maximum(total / (2 * LARGEST + 1 - n_terms / 2 - 1), np.abs(scaled).max(axis=1) / LARGEST)
    step = np.nextafter(step.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    h = ROUNDED + (n_terms + 4) * 2.0**-24 * LARGEST
    margin = 1.01 * h * total + 4 * 2.0**-24 * np.abs(constants) + 1e-12
    typical = 2 * (margin + step * (sizes * per_step).sum() / 2)
    if not np.median(typical) <= WIDEST:
        return nothing
    hopeless = ~((np.abs(constants) + margin + step * 2.0**31) <= 1e15)
    limits = np.stack(
        [
            np.where(hopeless, ALWAYS, constants + margin),
            np.where(hopeless, 0, step),
            np.where(hopeless, 2 * ALWAYS, 2.01 * margin),
        ],
        axis=1,
    )
    n_pairs = -(-n_terms // 2)
    per_step = np.pad(per_step, (0, 2 * n_pairs - n_terms))
    scaled /= step[:, None]
    np.rint(scaled, out=scaled)
    scaled[hopeless] = 0
    pairs = np.zeros((len(constants), n_pairs), dtype=np.int32)
    pairs[:, : n_terms - n_pairs] = scaled[:, n_pairs:]
    pairs <<= 16
    pairs |= scaled[:, :n_pairs].astype(np.int32) & 0xFFFF
    packed = arrange_in_groups(limits, GROUP, np.float32)
    if len(constants) % GROUP:
        packed[-1, 0, len(constants) % GROUP :] = -ALWAYS
    return IntegerCoefficients(
        per_step,
        arrange_in_groups(pairs, GROUP, np.int32).ravel(),
        packed.ravel(),
        pairs.ravel(),
        limits.astype(np.float32).ravel(),
    )
