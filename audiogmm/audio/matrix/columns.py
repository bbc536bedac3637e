"""Which columns of a table are read: named ones, or all but an index, times, and those that are excluded."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from audiogmm.errors import FeatureError
from audiogmm.words import amount

WIDEST = 1 << 20
"""Numbers in a row, at most: a few bytes of a compressed table may stand for any number of them."""

LARGEST_WINDOW = 1 << 25
"""Numbers that are read at once, at most: fewer rows where they are wide."""

Kind = Literal["number", "time", "text", "lists"]

_INDEX = re.compile(r"|index|id|row|row_id|unnamed: \d+|__index_level_\d+__|level_\d+", re.IGNORECASE)
_TIME = re.compile(r"timestamp|datetime|date|time", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2}.*)?")


def rows_at_once(block: int, n_columns: int, path: str) -> int:
    """Return how many rows of a table are read at once, `block` at most.

    Raises
    ------
    FeatureError
        If a row holds more than `WIDEST` numbers.

    Examples
    --------
    >>> rows_at_once(8192, 40, "a.npy"), rows_at_once(8192, 1 << 20, "a.npy")
    (8192, 32)
    """
    if n_columns > WIDEST:
        raise FeatureError(f"{path} has rows of {n_columns:,} numbers", needed=f"at most {WIDEST:,} in a row")
    return max(1, min(block, LARGEST_WINDOW // max(1, n_columns)))


@dataclass(frozen=True, slots=True)
class Column:
    """A column as its file shows it.

    Attributes
    ----------
    name : str
        Its number, counted from 0, where the table names none.
    kind : {"number", "time", "text", "lists"}
        What it holds: numbers, dates or times of day, lists of numbers, or anything else.
    holds : str
        What it holds, for messages.
    is_index : bool
        Whether the file says that it is an index.
    """

    name: str
    kind: Kind = "number"
    holds: str = ""
    is_index: bool = False


@dataclass(frozen=True)
class ColumnChoice:
    """The columns that are wanted.

    Attributes
    ----------
    columns : tuple of str
        Names, in the order of the features; numbers counted from 0, where a table has no names. Empty: all
        that are no index and no times.
    exclude : tuple of str
        Names that are left out.
    id_column : str or None
        The column that names the rows, left out too.
    of_model : bool
        Whether `columns` are those that a model was trained on, rather than the caller's.

    Examples
    --------
    >>> choice = ColumnChoice(exclude=("site",))
    >>> choice.find("a.csv", [Column("id"), Column("site", "text"), Column("rpm")])
    ((2,), "columns left out: 'id' (an index); --columns takes those that it names")
    """

    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    id_column: str | None = None
    of_model: bool = False

    @classmethod
    def of(
        cls,
        columns: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        id_column: str | None = None,
    ) -> ColumnChoice:
        """Return the choice of names, or of a text with commas between them (quoted names may hold some).

        Examples
        --------
        >>> ColumnChoice.of("rpm,temp", ["site"]).columns, ColumnChoice.of('"a,b",c').columns
        (('rpm', 'temp'), ('a,b', 'c'))
        """
        return cls(_names(columns), _names(exclude), id_column)

    def or_those_of(self, names: Sequence[str]) -> ColumnChoice:
        """Return the same with the columns of a model, where none are named and the model names some."""
        if self.columns or not any(names):
            return self
        return replace(self, columns=tuple(names), of_model=True)

    @property
    def left_out(self) -> tuple[str, ...]:
        """All names that are left out."""
        return (*self.exclude, self.id_column) if self.id_column else self.exclude

    @property
    def key(self) -> str:
        """What tells a run with these columns from one with others: nothing, where none are chosen."""
        return f" {self}" if self else ""

    def __bool__(self) -> bool:
        return bool(self.columns or self.exclude or self.id_column)

    def find(self, path: str, table: Sequence[Column]) -> tuple[tuple[int, ...], str]:
        """Find the places of the columns, and a note on what is left out unasked.

        A table without names has numbers, counted from 0, in their place; if it has as many columns as the
        model, all of them are taken.

        Raises
        ------
        FeatureError
            If a column is missing, is text, or none is left.
        """
        if not has_names(table):
            table = [replace(column, name=str(place)) for place, column in enumerate(table)]
            if self.of_model and len(table) == len(self.columns):
                return tuple(range(len(table))), ""
        places = {column.name: place for place, column in enumerate(table)}
        named = *self.columns, *self.left_out
        missing = [name for name in named if name not in places]
        if missing:
            raise FeatureError(
                f"{path} has no {_list('column', missing)}; it has {_list('column', list(places))}",
                needed=("the model's " if self.of_model else "") + _list("column", named),
                remedy="rename it, or --columns with the names here, in the order of the model's"
                if self.of_model
                else "correct the names (upper and lower case differ)",
            )
        found = [places[name] for name in self.columns or places if name not in self.left_out]
        note = ""
        if not self.columns:
            unasked = {place: why for place in found if (why := _why_left_out(table[place]))}
            kept = [place for place in found if place not in unasked]
            if kept and unasked:
                found = kept
                names = ", ".join(f"{table[place].name!r} ({why})" for place, why in unasked.items())
                note = f"columns left out: {names}; --columns takes those that it names"
        if not found:
            raise FeatureError(f"{path}: no column is left", needed="at least one column of numbers")
        self._refuse_text(path, [table[place] for place in found])
        return tuple(found), note

    def _refuse_text(self, path: str, found: Sequence[Column]) -> None:
        wrong = [
            column
            for column in found
            if column.kind in ("text", "time") or (column.kind == "lists" and len(found) > 1)
        ]
        if wrong:
            names = ",".join(column.name for column in wrong)
            quoted = f"'{names}'" if " " in names else names
            raise FeatureError(
                f"{path}: "
                + ", ".join(f"column {column.name!r} holds {column.holds}" for column in wrong[:3]),
                needed="numeric columns, or one column of lists of numbers",
                remedy=f"--exclude {quoted}"
                + f", or --id-column {quoted} if it names the rows" * (len(wrong) == 1),
            )


ALL = ColumnChoice()
"""All columns that are no index and no times."""


def has_names(table: Sequence[Column]) -> bool:
    """Return whether every column has a name of its own; one alone may have none, as a data frame's index.

    Examples
    --------
    >>> [has_names([Column(name) for name in names]) for names in (("", "a"), ("a", "a"), ("",))]
    [True, False, False]
    """
    names = {column.name for column in table}
    return any(names) and len(names) == len(table)


def is_date(cell: str) -> bool:
    """Return whether a text is a date or a time of day.

    Examples
    --------
    >>> [is_date(text) for text in ("2024-05-01T10:00:00Z", "1/5/2024 10:00", "10:00:02", "pump-3")]
    [True, True, True, False]
    """
    return _DATE.fullmatch(cell.strip()) is not None


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        given = next(csv.reader([given]), [])
    return tuple(str(name) for name in given)


def _why_left_out(column: Column) -> str:
    if column.is_index or _INDEX.fullmatch(column.name):
        return "an index"
    return "times" if column.kind == "time" or _TIME.fullmatch(column.name) else ""


def _list(noun: str, names: Sequence[str]) -> str:
    """Put a noun before some names, of which many are counted."""
    shown = ", ".join(map(repr, names[:8]))
    more = f" and {amount(len(names) - 8, 'more', 'more')}" if len(names) > 8 else ""
    return f"{noun if len(names) == 1 else noun + 's'} {shown}{more}"
