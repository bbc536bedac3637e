"""Directions of most variance of rows in a spool, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import eigh

from audiogmm.training.frames.row_spool import Rows, join_rows
from audiogmm.types import FloatArray

MAX_ROWS = 1024
"""Rows whose directions are exact; more are condensed."""

KEPT_ROWS = 512
"""Rows that stand for all those before them, once there are more."""

_COLUMNS = 512
"""Columns that are worked on at a time."""


def eigenvectors(rows: Rows, n: int) -> tuple[FloatArray, FloatArray]:
    """Return the n largest eigenvalues of the products of all pairs of rows, ascending, and their vectors.

    Returns
    -------
    values : ndarray of shape (n,), float64
    vectors : ndarray of shape (n_rows, n), float64
    """
    products = np.empty((len(rows), len(rows)))
    blocks = list(rows.blocks())
    for i, (place, block) in enumerate(blocks):
        here = block.read()
        products[place, place] = here @ here.T
        for other, earlier in blocks[:i]:
            both = here @ earlier.read().T
            products[place, other], products[other, place] = both, both.T
    last = len(rows) - 1
    values, vectors = eigh(products.T, subset_by_index=[max(0, last + 1 - n), last], overwrite_a=True)
    return values, vectors


def condense(rows: Rows) -> Rows:
    """Return at most `MAX_ROWS` rows, in the same spool, that have nearly the scatter of all.

    As soon as there are more, the `KEPT_ROWS` directions of most variance, with their lengths, stand for all
    rows so far (the sequential Karhunen-Loeve basis of Levy and Lindenbaum 2000). It depends on the order.
    """
    held, rest = rows.take(slice(MAX_ROWS)), rows.take(slice(MAX_ROWS, None))
    while len(rest):
        _, vectors = eigenvectors(held, KEPT_ROWS)
        weights = vectors.astype(rows.dtype)
        kept = []
        for first in range(0, KEPT_ROWS, 128):
            part = np.zeros((min(128, KEPT_ROWS - first), rows.n_columns), rows.dtype)
            for place, block in held.blocks():
                part += weights[place, first : first + len(part)].T @ block.read()
            kept.append(rows.spool.put(part))
        n = MAX_ROWS - KEPT_ROWS
        held, rest = join_rows([*kept, rest.take(slice(n))]), rest.take(slice(n, None))
    return held


def project_columns(rows: Rows, vectors: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    """Yield the products of the transposed rows with vectors (n_rows, m), some columns of the rows at a time.

    Yields
    ------
    columns : slice
    products : ndarray of shape (n, m), float64
    """
    for first in range(0, rows.n_columns, _COLUMNS):
        columns = slice(first, min(first + _COLUMNS, rows.n_columns))
        yield columns, rows.read(columns).T @ vectors
