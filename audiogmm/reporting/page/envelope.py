"""The lowest and highest values of a curve of any length, in a bounded number of columns."""

from __future__ import annotations

import numpy as np

from audiogmm.types import FloatArray


class Envelope:
    """Keep the lowest and highest value of each column of a curve that arrives in chunks.

    A column holds `step` values, at first one. When there are twice as many columns as asked for, pairs of
    columns are merged and `step` doubles, so memory is bounded and any chunking gives the same columns.

    Parameters
    ----------
    columns : int
        Least number of columns, once there are as many values; there are always fewer than twice as many.

    Attributes
    ----------
    n : int
        Number of values so far.
    step : int
        Number of values in a column; the last column may hold fewer.
    lowest, lowest_at : float, int
        The lowest value so far, and its index.

    Examples
    --------
    >>> envelope = Envelope(2)
    >>> envelope.push(np.array([3.0, 1.0, 2.0, 5.0, 4.0]))
    >>> envelope.low, envelope.high, envelope.step, envelope.lowest_at
    (array([1., 2., 4.]), array([3., 5., 4.]), 2, 1)
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.step = 1
        self.n = 0
        self.lowest, self.lowest_at = np.inf, -1
        self._low: FloatArray = np.empty(0)
        self._high: FloatArray = np.empty(0)
        self._rest: FloatArray = np.empty(0)  # of a column that is not full

    def push(self, values: FloatArray) -> None:
        """Take the next values, shape (n,)."""
        if not len(values):
            return
        i = int(np.argmin(values))
        if values[i] < self.lowest:
            self.lowest, self.lowest_at = float(values[i]), self.n + i
        self.n += len(values)
        values = np.concatenate([self._rest, values])
        full = len(values) // self.step * self.step
        columns = values[:full].reshape(-1, self.step)
        self._rest = values[full:].copy()
        self._low = np.concatenate([self._low, columns.min(axis=1)])
        self._high = np.concatenate([self._high, columns.max(axis=1)])
        while len(self._low) >= 2 * self.columns:
            self._halve()

    @property
    def low(self) -> FloatArray:
        """The lowest value of each column, shape (n_columns,)."""
        return np.append(self._low, self._rest.min()) if len(self._rest) else self._low

    @property
    def high(self) -> FloatArray:
        """The highest value of each column, shape (n_columns,)."""
        return np.append(self._high, self._rest.max()) if len(self._rest) else self._high

    def _halve(self) -> None:
        """Merge pairs of columns; a last one without a partner becomes values of the next column.

        Its values are not kept, but any values with its low and high do.
        """
        pairs = len(self._low) // 2
        rest = self._rest
        if len(self._low) % 2:
            rest = np.concatenate([_equivalent(self._low[-1], self._high[-1], self.step), rest])
        self._low = self._low[: 2 * pairs].reshape(-1, 2).min(axis=1)
        self._high = self._high[: 2 * pairs].reshape(-1, 2).max(axis=1)
        self.step *= 2
        self._rest = rest


def _equivalent(low: float, high: float, n: int) -> FloatArray:
    """Return `n` values with this low and high, shape (n,)."""
    values = np.full(n, high)
    values[0] = low
    return values
