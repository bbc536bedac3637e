"""Conditions: trials divided by the values of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray, IntArray

MAX_CONDITIONS = 50
"""Of one column."""

BINS = 4
"""Parts of about the same size into which numbers are divided."""

FEW_NUMBERS = 8
"""A column of no more different numbers is not divided into parts."""


def divide_trials(name: str, cells: Sequence[str]) -> tuple[list[str], IntArray]:
    """Divide trials into conditions: by text, or by quantiles where all cells are numbers.

    Parameters
    ----------
    name : str
        Of the column.
    cells : sequence of str
        The column, of length n. Empty cells are a condition of their own.

    Returns
    -------
    labels : list of str
        Of the conditions, in order.
    which : ndarray of shape (n,), int64
        The condition of each trial.

    Raises
    ------
    ChoiceError
        If there are more than `MAX_CONDITIONS` different texts.

    Examples
    --------
    >>> divide_trials("sex", ["f", "m", "f", ""])
    (['f', 'm', '(empty)'], array([0, 1, 0, 2]))
    >>> labels, which = divide_trials("seconds", [str(s) for s in range(1, 13)])
    >>> labels, which.tolist()
    (['1 to 3', '4 to 6', '7 to 9', '10 to 12'], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    """
    distinct = set(cells) - {""}
    try:
        numbers = {cell: float(cell) for cell in distinct}
    except ValueError:
        numbers = {}
    if np.all(np.isfinite(list(numbers.values()))) and len(set(numbers.values())) > FEW_NUMBERS:
        values = np.array([numbers.get(cell, np.nan) for cell in cells])
        labels, which = _quantiles(values)
    else:
        if len(distinct) > MAX_CONDITIONS:
            raise ChoiceError(
                f"--by {name}: {len(distinct)} different values, such as {min(distinct)!r}",
                needed=f"at most {MAX_CONDITIONS} conditions, or numbers",
            )
        labels = sorted(distinct, key=(lambda c: (numbers[c], c)) if numbers else (lambda c: (0.0, c)))
        place = {label: i for i, label in enumerate(labels)}
        which = np.array([place.get(cell, len(labels)) for cell in cells], dtype=np.int64)
    if np.any(which == len(labels)):
        labels = [*labels, "(empty)"]
    return labels, which


def _quantiles(values: FloatArray) -> tuple[list[str], IntArray]:
    """Parts of about the same size; equal numbers stay together; NaN gets the number after the last part."""
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    which = np.searchsorted(edges, values)  # a part ends with its edge
    parts = [known[np.searchsorted(edges, known) == i] for i in range(len(edges) + 1)]
    kept = [i for i, part in enumerate(parts) if len(part)]
    place = np.full(len(parts) + 1, len(kept))
    place[kept] = np.arange(len(kept))
    labels = [f"{parts[i].min():g} to {parts[i].max():g}" for i in kept]
    return labels, np.where(np.isnan(values), len(kept), place[which]).astype(np.int64)
