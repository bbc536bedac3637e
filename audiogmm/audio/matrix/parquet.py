"""Tables of numbers in Parquet, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import open_source
from audiogmm.errors import FeatureError


def missing_extra(path: str, package: str) -> FeatureError:
    """Return the error for a format whose package is not installed."""
    return FeatureError(
        f"{path} cannot be read: {package} is not installed",
        needed=package,
        remedy="pip install 'audiogmm[interop]'",
    )


class ParquetReader:
    """Rows of a Parquet file: all columns numeric, or a single column of lists of one length.

    Raises
    ------
    FeatureError
        If pyarrow is missing, the file is damaged, a column is not numeric, or a cell is null (row and column
        are named).
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.columns: tuple[str, ...] = ()

    def rows(self, first: int, block: int) -> Iterator[NDArray[Any]]:
        """Yield batches of at most `block` rows; whole row groups ahead of `first` are not read."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise missing_extra(self._path, "pyarrow") from error
        stream = open_source(self._path, FeatureError)
        try:
            file = pq.ParquetFile(pa.PythonFile(stream, mode="r"), pre_buffer=False)
            group, skip = 0, first
            while group < file.num_row_groups and skip >= file.metadata.row_group(group).num_rows:
                skip -= file.metadata.row_group(group).num_rows
                group += 1
            groups = list(range(group, file.num_row_groups))
            row = first - skip
            for batch in file.iter_batches(batch_size=block, row_groups=groups) if groups else ():
                rows = self._numbers(batch, row)[max(0, first - row) :]
                row += batch.num_rows
                if len(rows):
                    yield rows
        except pa.ArrowException as error:
            raise FeatureError(
                f"{self._path} is not a whole Parquet file ({error})",
                needed="Parquet",
                remedy="write it again",
            ) from error
        finally:
            stream.close()

    def _numbers(self, batch: Any, start: int) -> NDArray[Any]:
        import pyarrow.types as types

        names, columns = batch.schema.names, batch.columns
        for name, column in zip(names, columns, strict=True):
            self._refuse_null(column, start, name)
        if len(columns) == 1 and (
            types.is_list(columns[0].type)
            or types.is_large_list(columns[0].type)
            or types.is_fixed_size_list(columns[0].type)
        ):
            values = columns[0].flatten()
            self._refuse_null(values, start, names[0])
            width, rest = divmod(len(values), batch.num_rows)
            if rest or not self._same_length(columns[0], width):
                raise FeatureError(
                    f"{self._path}: the lists in column {names[0]!r} differ in length",
                    needed="as many numbers in every row",
                )
            return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(batch.num_rows, width)
        self.columns = tuple(names)
        for name, column in zip(names, columns, strict=True):
            kind = column.type
            if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
                raise FeatureError(
                    f"{self._path}: column {name!r} holds {kind}",
                    needed="numeric columns, or one column of lists of numbers",
                    remedy="leave the column out of the file",
                )
        return np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns])

    def _refuse_null(self, column: Any, start: int, name: str) -> None:
        if column.null_count:
            row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise FeatureError(
                f"{self._path}: row {start + row} (counted from 0), column {name!r} is null",
                needed="a finite number in every cell",
                remedy="fill it, or leave its row out",
            )

    @staticmethod
    def _same_length(column: Any, width: int) -> bool:
        import pyarrow.compute as compute

        return bool(compute.all(compute.equal(compute.list_value_length(column), width)).as_py())
