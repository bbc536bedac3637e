"""Tables of numbers in Parquet, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import open_source
from audiogmm.audio.matrix.columns import Column, Kind, rows_at_once
from audiogmm.errors import FeatureError


def missing_extra(path: str, package: str) -> FeatureError:
    """Return the error for a format whose package is not installed."""
    return FeatureError(
        f"{path} cannot be read: {package} is not installed",
        needed=package,
        remedy="pip install 'audiogmm[interop]'",
    )


class ParquetReader:
    """Rows of a Parquet file: numeric columns, or a single column of lists of one length.

    Raises
    ------
    FeatureError
        If pyarrow is missing, the file is damaged, a column is not numeric, or a cell is null (row and column
        are named).
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise missing_extra(path, "pyarrow") from error

    def header(self) -> list[Column]:
        """Return the columns of the schema, and which of them pandas wrote as its index."""
        with self._opened() as file:
            schema = file.schema_arrow
        described = (schema.pandas_metadata or {}).get("index_columns", ())
        index = {name for name in described if isinstance(name, str)}
        return [
            Column(field.name, kind_of(field.type), str(field.type), field.name in index) for field in schema
        ]

    def rows(self, first: int, block: int, places: tuple[int, ...] | None = None) -> Iterator[NDArray[Any]]:
        """Yield batches of at most `block` rows; other columns and earlier row groups are not read."""
        with self._opened() as file:
            names = file.schema_arrow.names
            wanted = list(range(len(names))) if places is None else list(places)
            is_told_apart = len(set(names)) == len(names)
            group, skip = 0, first
            while group < file.num_row_groups and skip >= file.metadata.row_group(group).num_rows:
                skip -= file.metadata.row_group(group).num_rows
                group += 1
            groups = list(range(group, file.num_row_groups))
            row = first - skip
            lists = [
                names[place] for place in wanted if kind_of(file.schema_arrow.field(place).type) == "lists"
            ]
            block = rows_at_once(block, self._widest(file, groups[:1], lists), self._path)
            for batch in (
                file.iter_batches(
                    batch_size=block,
                    row_groups=groups,
                    columns=[names[place] for place in wanted] if is_told_apart else None,
                )
                if groups
                else ()
            ):
                columns = [
                    (names[place], batch.column(names[place] if is_told_apart else place)) for place in wanted
                ]
                rows = self._numbers(columns, row)[max(0, first - row) :]
                row += batch.num_rows
                if len(rows):
                    yield rows

    def texts(self, place: int, first: int, block: int) -> Iterator[list[object]]:
        """Yield the cells of a column, at most `block` at once, from row `first` on."""
        with self._opened() as file:
            row = 0
            for batch in file.iter_batches(batch_size=block, columns=[file.schema_arrow.names[place]]):
                yield batch.column(0)[max(0, first - row) :].to_pylist()
                row += batch.num_rows

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        stream = open_source(self._path, FeatureError)
        try:
            # a buffer, or a whole column of a row group is read at once, however large
            yield pq.ParquetFile(pa.PythonFile(stream, mode="r"), pre_buffer=False, buffer_size=1 << 20)
        except pa.ArrowException as error:
            raise FeatureError(
                f"{self._path} is not a whole Parquet file ({error})",
                needed="Parquet",
                remedy="write it again",
            ) from error
        finally:
            stream.close()

    def _numbers(self, columns: list[tuple[str, Any]], start: int) -> NDArray[Any]:
        for name, column in columns:
            self._refuse_null(column, start, name)
        (name, first), *others = columns
        if not others and kind_of(first.type) == "lists":
            values = first.flatten()
            self._refuse_null(values, start, name)
            width, rest = divmod(len(values), len(first))
            if rest or not self._same_length(first, width):
                raise FeatureError(
                    f"{self._path}: the lists in column {name!r} differ in length",
                    needed="as many numbers in every row",
                )
            return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(len(first), width)
        return np.column_stack([column.to_numpy(zero_copy_only=False) for _, column in columns])

    def _widest(self, file: Any, groups: list[int], lists: list[str]) -> int:
        """Numbers in the first row of columns of lists: a list of one number, repeated, takes no place.

        It is read, since pyarrow's metadata of a damaged column ends the process (an exception in C++).
        """
        if not groups or not lists:
            return 1
        batch = next(file.iter_batches(batch_size=1, row_groups=groups, columns=lists), None)
        return max((len(column.flatten()) for column in batch.columns), default=1) if batch else 1

    def _refuse_null(self, column: Any, start: int, name: str) -> None:
        if column.null_count:
            row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise FeatureError(
                f"{self._path}: row {start + row} (counted from 0), column {name!r} is null",
                needed="a finite number in every cell",
                remedy=f"fill it, leave its row out, or --exclude {name!r}",
            )

    @staticmethod
    def _same_length(column: Any, width: int) -> bool:
        import pyarrow.compute as compute

        return bool(compute.all(compute.equal(compute.list_value_length(column), width)).as_py())


def kind_of(arrow_type: Any) -> Kind:
    """Return what a column of this type of Arrow holds."""
    from pyarrow import types

    if types.is_integer(arrow_type) or types.is_floating(arrow_type) or types.is_boolean(arrow_type):
        return "number"
    if types.is_temporal(arrow_type):
        return "time"
    if types.is_list(arrow_type) or types.is_large_list(arrow_type) or types.is_fixed_size_list(arrow_type):
        return "lists"
    return "text"
