"""Recordings and tables that are in memory, as entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from audiogmm.manifest.entry import Entry
from audiogmm.reprs import short_repr


@dataclass(frozen=True, slots=True, eq=False)
class MemoryEntry(Entry):
    """One recording, or one table, whose path is only a name.

    Attributes
    ----------
    data : ndarray or DataFrame
        Samples, shape (n_samples, n_channels), int16 or float32, at `sample_rate`; or a table: a matrix, or
        what `audiogmm.manifest.dataframe.DataFrame` takes. Entries are equal if they hold the same object.
    """

    data: Any = field(default=None, repr=False)

    __repr__ = short_repr

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemoryEntry) and self.data is other.data and Entry.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((Entry.__hash__(self), id(self.data)))
