"""The outline of a curve, from its definition: cut into equal columns, the lowest and highest of each."""

from __future__ import annotations

import numpy as np


def envelope(values: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Lows, highs, and values in a column: the least power of two with under 2 * `columns` full ones."""
    step = 1
    while len(values) // step >= 2 * columns:
        step *= 2
    low, high = [], []
    for first in range(0, len(values), step):
        column = [float(value) for value in values[first : first + step]]
        low.append(min(column))
        high.append(max(column))
    return np.array(low), np.array(high), step
