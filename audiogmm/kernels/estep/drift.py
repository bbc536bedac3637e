"""How much a component's scores can rise when its parameters move."""

from __future__ import annotations

from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray

UNKNOWN = 1e30
"""The shift of a component that moved too much for a bound."""


@kernel
def bound_drift(
    means: FloatArray,
    precisions: FloatArray,
    rises: FloatArray,
    moved: FloatArray,
    sharpened: FloatArray,
    shares: FloatArray,
    scale: FloatArray,
    shift: FloatArray,
) -> None:
    """Fill `scale` and `shift` so that new score <= scale * old score + shift; see `carried_margins`.

    Parameters
    ----------
    means, precisions : ndarray of shape (K, D), float64
        IN. Of the old components.
    rises : ndarray of shape (K, 3), float64
        IN. Old and new constant, and the old score at which the bound is to be close; nats.
    moved, sharpened : ndarray of shape (K, D), float64
        IN. Means and precisions of the new components.
    shares : ndarray of shape (n,), float64
        IN. Shares, below 1, of the largest scale that there is: those to try.
    scale : ndarray of shape (K,), float64
        INOUT. In: the least that may be used. Out: as above.
    shift : ndarray of shape (K,), float64
        OUT. Nats; `UNKNOWN` where the largest scale is below the least.
    """
    K, D = means.shape
    for k in range(K):
        least = scale[k]
        ratio = 1.0
        for d in range(D):
            ratio = min(ratio, sharpened[k, d] / precisions[k, d])
        scale[k], shift[k] = 1.0, UNKNOWN
        closest = UNKNOWN
        for share in shares:
            a = ratio * share
            if a < least:
                continue
            pull = 0.0
            for d in range(D):
                step = moved[k, d] - means[k, d]
                narrow = a * precisions[k, d]
                pull += narrow * sharpened[k, d] / (sharpened[k, d] - narrow) * step * step
            old, new, typical = rises[k]
            rise = new - a * old + 0.5 * pull
            rise += 1e-9 * (abs(new) + abs(old) + pull)
            if a * typical + rise < closest:
                closest = a * typical + rise
                scale[k], shift[k] = a, rise
