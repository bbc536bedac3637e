"""Components laid out in groups, as microkernels read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def arrange_in_groups(table: NDArray[Any], group: int, dtype: DTypeLike, empty: float = 0.0) -> NDArray[Any]:
    """Arrange rows (K, ...) as (n_groups, ..., group); rows that fill up the last group are `empty`.

    Examples
    --------
    >>> arrange_in_groups(np.array([[1, 2], [3, 4], [5, 6]]), 2, np.int32)[1]
    array([[5, 0],
           [6, 0]], dtype=int32)
    """
    n_groups = -(-len(table) // group)
    filled = np.full((n_groups * group, *table.shape[1:]), empty, dtype=dtype)
    filled[: len(table)] = table
    grouped = np.moveaxis(filled.reshape(n_groups, group, *table.shape[1:]), 1, -1)
    return np.ascontiguousarray(grouped)
