"""A manifest in a data frame of pandas, polars or Arrow: a row is an entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.dataframe import DataFrame
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.table import named_as_ours

_PATHS = {"audio_filepath", "features_filepath"}
_WHOLE = {"channel", "sample_rate"}
"""Whole numbers, which pandas makes real where one is missing."""


def lists_recordings(frame: DataFrame) -> bool:
    """Return whether a frame is a manifest rather than a table of numbers: it has a column of paths.

    Examples
    --------
    >>> import numpy as np
    >>> lists_recordings(DataFrame(np.array([("a.wav", 1.0)], dtype=[("path", "U9"), ("snr", float)])))
    True
    """
    names = named_as_ours(frame.names)
    places = [place for place, name in enumerate(names) if name in _PATHS]
    return any(isinstance(cell, str) for place in places for cell in frame.column(place, 0, 100))


@dataclass(frozen=True)
class RowEntries:
    """Each row of a frame, counted from 0, as an entry or as what is wrong with it.

    Relative paths begin at the working directory.
    """

    frame: DataFrame

    def __iter__(self) -> Iterator[ManifestLine]:
        folder = ManifestFolder(str(Path.cwd()))
        names = dict(zip(self.frame.names, named_as_ours(self.frame.names), strict=True))
        for number, row in enumerate(self.frame.records()):
            record = {names[name]: _whole(names[name], cell) for name, cell in row.items()}
            try:
                yield number, entry_of(record, folder, f"row {number}")
            except ManifestError as error:
                yield number, error


def _whole(name: str, cell: Any) -> Any:
    return int(cell) if name in _WHOLE and isinstance(cell, float) and cell.is_integer() else cell
