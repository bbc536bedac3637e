"""Conditions: the trials of a list cut by one of its columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray, IntArray

MOST = 50
"""Conditions of one column: more would say nothing each."""

BINS = 4
"""Numbers are cut into so many parts of about the same size."""

FEW_NUMBERS = 8
"""A column of no more different numbers is taken as it is."""


def cut(name: str, cells: Sequence[str]) -> tuple[list[str], IntArray]:
    """Cut trials into conditions: by text, or by quantiles where all that is there are numbers.

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
        If there are more than `MOST` different texts.

    Examples
    --------
    >>> cut("sex", ["f", "m", "f", ""])
    (['f', 'm', '(empty)'], array([0, 1, 0, 2]))
    >>> labels, which = cut("seconds", [str(s) for s in range(1, 13)])
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
        if len(distinct) > MOST:
            raise ChoiceError(
                f"--by {name}: {len(distinct)} different values, such as {min(distinct)!r}",
                needed=f"at most {MOST} conditions, or numbers",
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
