"""Tables in memory: pandas, polars, Arrow and structured arrays by one interface; none is imported."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


class DataFrame:
    """A table of any library, by its own methods; others by the stream of Arrow that they offer.

    Parameters
    ----------
    found : object
        For which `is_dataframe` holds.

    Examples
    --------
    >>> frame = DataFrame(np.array([(1, 2.0), (3, 4.0)], dtype=[("a", int), ("b", float)]))
    >>> frame.names, len(frame), frame.column(1, 1, 5), frame.records()
    (['a', 'b'], 2, array([4.]), [{'a': 1, 'b': 2.0}, {'a': 3, 'b': 4.0}])
    """

    def __init__(self, found: Any) -> None:
        if hasattr(found, "to_frame"):  # a series of pandas or polars
            found = found.to_frame()
        if hasattr(found, "collect_schema") and hasattr(found, "collect"):  # a lazy frame of polars
            found = found.collect()
        if isinstance(found, np.ndarray):
            names: Any = found.dtype.names
        else:
            if not (hasattr(found, "columns") and (hasattr(found, "iloc") or hasattr(found, "slice"))):
                found = _as_arrow(found)
            names = getattr(found, "column_names", None) or found.columns
        self.names = [str(name) for name in names]
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    def column(self, place: int, start: int, stop: int) -> NDArray[Any]:
        """Return a column's cells from row `start` up to row `stop`, as NumPy holds them."""
        found = self._found
        if isinstance(found, np.ndarray):
            return found[self.names[place]][start:stop]
        if hasattr(found, "iloc"):
            return np.asarray(found.iloc[start:stop, place])
        part = found.slice(start, stop - start)
        return np.asarray(part.column(place) if hasattr(part, "column") else part.to_series(place))

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as mappings without empty cells."""
        columns = [self.column(place, 0, len(self)) for place in range(len(self.names))]
        cells = (dict(zip(self.names, map(_plain, row), strict=True)) for row in zip(*columns, strict=True))
        return [{name: cell for name, cell in row.items() if not _is_empty(cell)} for row in cells]


def is_dataframe(found: object) -> bool:
    """Return whether an object is a table that `DataFrame` reads.

    Examples
    --------
    >>> is_dataframe(np.zeros((3, 2))), is_dataframe(np.zeros(3, [("a", int)])), is_dataframe([1])
    (False, True, False)
    """
    if isinstance(found, np.ndarray):
        return found.dtype.names is not None
    if isinstance(found, type):
        return False
    offers = any(
        hasattr(found, name) for name in ("__arrow_c_stream__", "__arrow_c_array__", "__dataframe__")
    )
    is_lazy = hasattr(found, "collect_schema") and hasattr(found, "collect")
    return is_lazy or (
        offers and (hasattr(found, "to_frame") or not hasattr(found, "to_numpy") or _is_wide(found))
    )


def _is_wide(found: object) -> bool:
    """Whether it has columns, which an array of Arrow has not."""
    return hasattr(found, "columns") or hasattr(found, "column_names")


def _as_arrow(found: Any) -> Any:
    import pyarrow as pa

    if hasattr(found, "__arrow_c_stream__") or hasattr(found, "__arrow_c_array__"):
        return pa.table(found)
    from pyarrow.interchange import from_dataframe

    return from_dataframe(found)


def _plain(cell: Any) -> Any:
    return cell.tolist() if isinstance(cell, np.generic | np.ndarray) else cell


def _is_empty(cell: Any) -> bool:
    return (
        cell is None
        or cell == ""
        or (isinstance(cell, float) and math.isnan(cell))
        or str(cell) in ("<NA>", "NaT")
    )
