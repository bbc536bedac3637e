"""Exact quantiles of more numbers than fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from audiogmm.types import FloatArray

IN_MEMORY = 1 << 20
"""Up to this many numbers are simply sorted."""

_DIGIT = 16
_SIGN = np.uint64(1 << 63)


def quantiles(
    parts: Callable[[], Iterator[FloatArray]], n: int, levels: Sequence[float], in_memory: int = IN_MEMORY
) -> list[float]:
    """Compute quantiles with linear interpolation in bounded memory; `numpy.quantile`'s up to rounding.

    The order statistics on both sides of each quantile are found exactly, by radix selection on the bits
    of the numbers: four readings, each of which settles 16 bits.

    Parameters
    ----------
    parts : callable
        Gives the numbers from the start at each call, as arrays of shape (m,), float64, finite.
    n : int
        How many there are in all, at least one.
    levels : sequence of float
        Levels in [0, 1].
    in_memory : int
        Sort in memory up to this many numbers.

    Returns
    -------
    list of float
        A quantile for each level.

    Examples
    --------
    >>> quantiles(lambda: iter([np.array([4.0, 1.0]), np.array([3.0, 2.0])]), 4, [0.0, 0.5, 1.0])
    [1.0, 2.5, 4.0]
    """
    positions = [level * (n - 1) for level in levels]
    ranks = sorted(
        {rank for position in positions for rank in (int(position), min(int(position) + 1, n - 1))}
    )
    if n <= in_memory:
        ordered = np.sort(np.concatenate(list(parts())))
        values = {rank: float(ordered[rank]) for rank in ranks}
    else:
        values = dict(zip(ranks, _select(parts, ranks), strict=True))
    result = []
    for position in positions:
        below, share = int(position), position - int(position)
        low, high = values[below], values[min(below + 1, n - 1)]
        result.append(low + share * (high - low))
    return result


def _select(parts: Callable[[], Iterator[FloatArray]], ranks: list[int]) -> list[float]:
    """The numbers of the given ranks, each found digit by digit from the most significant one."""
    prefixes = [0] * len(ranks)
    within = list(ranks)  # rank among the numbers that share the prefix
    for shift in range(64 - _DIGIT, -1, -_DIGIT):
        counts = {prefix: np.zeros(1 << _DIGIT, dtype=np.int64) for prefix in set(prefixes)}
        for part in parts():
            keys = _ordered_bits(part)
            digits = (keys >> np.uint64(shift)).astype(np.int64) & ((1 << _DIGIT) - 1)
            heads = keys >> np.uint64(shift) >> np.uint64(_DIGIT)  # in two steps: a shift by 64 is undefined
            for prefix, count in counts.items():
                count += np.bincount(digits[heads == np.uint64(prefix)], minlength=1 << _DIGIT)
        for i, prefix in enumerate(prefixes):
            cumulative = np.cumsum(counts[prefix])
            digit = int(np.searchsorted(cumulative, within[i], side="right"))
            within[i] -= int(cumulative[digit] - counts[prefix][digit])
            prefixes[i] = (prefix << _DIGIT) | digit
    return [_number(prefix) for prefix in prefixes]


def _ordered_bits(numbers: FloatArray) -> NDArray[np.uint64]:
    """Unsigned integers in the same order as the numbers."""
    bits = (np.asarray(numbers, dtype=np.float64) + 0.0).view(np.uint64)  # + 0.0 makes -0 a 0
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _number(key: int) -> float:
    bits = key & ~(1 << 63) if key >> 63 else key ^ ((1 << 64) - 1)
    return float(np.array([bits], dtype=np.uint64).view(np.float64)[0])
