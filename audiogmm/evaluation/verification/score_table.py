"""Score files: trials with their scores, column by column, checked row by row."""

from __future__ import annotations

import csv
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from audiogmm.errors import AudioGMMError, ChoiceError, ManifestError
from audiogmm.escapes import unguarded
from audiogmm.manifest.text import open_text
from audiogmm.runs.aside import Aside
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.trial_layouts import TrialLayout, find_layout
from audiogmm.words import amount

TrialKey: TypeAlias = tuple[str, ...]
"""Identifies a trial: its model, and the segment of a recording."""

RECORDING = ("audio_filepath", "features_filepath", "id", "test")
SEGMENT = ("offset", "duration", "channel")

_TRUE = {"1", "1.0", "true", "target", "tgt"}
_FALSE = {"0", "0.0", "false", "nontarget", "imp", "impostor"}


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """The usable rows of a score file, in the order of the file.

    Attributes
    ----------
    path : str
        The file.
    columns : tuple of str
        Names of its columns, in their order.
    rows : list of list of str
        Their cells.
    lines : list of int
        Line of the file at which each row begins; the header is line 1.
    keys : list of tuple of str
        Of the trials, all different.
    n_repeated : int
        Rows left out because an earlier one is the same.
    """

    path: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    keys: list[TrialKey]
    n_repeated: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, name: str) -> list[str]:
        """Return a column as it is.

        Raises
        ------
        ChoiceError
            If there is no such column; the others are named.
        """
        at = self._index(name)
        return [row[at] for row in self.rows]

    def numbers(self, name: str) -> FloatArray:
        """Return a column of numbers, shape (n,); NaN where a cell is not a number.

        ``log_NAME`` is the natural logarithm of the column NAME where there is no column of that name.

        Raises
        ------
        ChoiceError
            If there is no such column.
        """
        if name not in self.columns and name.startswith("log_") and name[4:] in self.columns:
            values = self.numbers(name[4:])
            return np.log(np.where(values > 0, values, np.nan))
        return np.array([_number(cell) for cell in self.texts(name)], dtype=np.float64)

    def targets(self) -> BoolArray:
        """Return which rows are target trials, shape (n,), bool."""
        at = self._index("target")
        return np.array([row[at].strip().lower() in _TRUE for row in self.rows], dtype=np.bool_)

    def recordings(self) -> list[TrialKey]:
        """Return the keys of the segments of all trials."""
        return [key[1:] for key in self.keys]

    def take(self, chosen: IntArray) -> ScoreTable:
        """Return some of the rows, in the order of `chosen`."""
        at = chosen.tolist()
        rows, lines = [self.rows[i] for i in at], [self.lines[i] for i in at]
        return ScoreTable(self.path, self.columns, rows, lines, [self.keys[i] for i in at], self.n_repeated)

    def _index(self, name: str) -> int:
        if name not in self.columns:
            raise ChoiceError(
                f"no column {name!r} in {self.path}", needed=f"one of {', '.join(self.columns)}"
            )
        return self.columns.index(name)


def read_score_table(
    path: str | os.PathLike[str],
    numeric: Sequence[str] = ("score",),
    *,
    target: bool = True,
    aside: Aside,
    trials: str | os.PathLike[str] | None = None,
) -> ScoreTable:
    """Read a score file.

    Columns are separated by commas, tabs or semicolons. A row that repeats an earlier trial with the same
    figures is left out.

    Parameters
    ----------
    path : path-like
        A CSV, perhaps ``.gz``, with the columns `model`, `audio_filepath` (or `features_filepath`, `id` or
        `test`) and those asked for.
    numeric : sequence of str
        Columns that must hold finite numbers (`ScoreTable.numbers`).
    target : bool
        Require a column `target` of 1 and 0.
    aside : Aside
        Takes the rows that cannot be used, each with its reason.
    trials : path-like, optional
        A list of trials with the truth, in place of a column `target`; what it does not list is left out.
        Lists of Kaldi, VoxCeleb and NIST are read, and so are Kaldi's scores: model, test, score.

    Raises
    ------
    ManifestError
        If the file cannot be read, lacks a column, has no good row, or has two rows of one trial that
        contradict each other.
    """
    path = os.fspath(path)
    with open_text(path) as file:
        header = file.readline().rstrip("\r\n")
        layout = find_layout(header)
        delimiter, columns = _columns(header) if layout is None else ("", layout.columns)
        lines: Iterator[str] = file
        if layout is not None and layout.n_header_lines == 0:
            lines = itertools.chain([header], file)
        truths = None if trials is None else _read_truths(trials, aside)
        if truths is not None and "target" not in columns:
            columns = (*columns, "target")
        _check_columns(path, columns, (*numeric, *(["target"] if target else [])))
        table = ScoreTable(path, columns, [], [], [])
        needed, truth = _needed(columns, numeric), columns.index("target") if target else None
        say = _columns_that_count(columns, needed, truth)
        seen: dict[TrialKey, int] = {}
        key_of = _RowKeys(columns)
        n_repeated = 0
        rows = (
            _rows(lines, delimiter, columns, path, aside, len(columns) - (truths is not None))
            if layout is None
            else _laid_out(lines, layout, path, aside)
        )
        for line, cells in rows:
            if truths is not None and len(cells) < len(columns):
                said = truths.get((cells[columns.index("model")], key_of(cells)[1]))
                if said is None:
                    continue  # scored, and not in the key
                cells = [*cells, said]
            wrong = _wrong(cells, columns, needed, truth)
            if wrong:
                aside.put("", path, ManifestError(f"{path}:{line} has {wrong[0]}", needed=wrong[1]))
                continue
            key = key_of(cells)
            before = seen.setdefault(key, len(table.rows))
            if before < len(table.rows):
                _refuse_contradiction(table, before, line, cells, say)
                n_repeated += 1
                continue
            table.rows.append(cells)
            table.lines.append(line)
            table.keys.append(key)
    if not table.rows:
        reasons = f", {len(aside)} rows were set aside, first: {aside.rows[0].reason}" if len(aside) else ""
        raise ManifestError(f"{path} has no trial that can be used{reasons}", needed="rows of trials")
    return ScoreTable(path, columns, table.rows, table.lines, table.keys, n_repeated)


def _columns(header: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the names of the columns."""
    for delimiter in ",\t;":
        named = next(csv.reader([header], delimiter=delimiter), [])
        names = tuple(unguarded(name.strip()) for name in named)
        if "model" in names:
            return delimiter, names
    return ",", tuple(next(csv.reader([header]), []))


def _check_columns(path: str, columns: tuple[str, ...], wanted: Sequence[str]) -> None:
    if not any(columns):
        raise ManifestError(f"{path} is empty", needed="a header line and rows of trials")
    there = set(columns) | {f"log_{name}" for name in columns}
    missing = [name for name in ("model", *wanted) if name not in there]
    if not set(RECORDING) & set(columns):
        missing.append("audio_filepath")
    if missing:
        remedies = {
            "target": "--trials KEY, a list that says which trials are targets; or a column target",
            "score": "audiogmm verify writes it; --column names another",
        }
        raise ManifestError(
            f"{path}:1 has no column {' and no column '.join(missing)}, but {', '.join(columns)}",
            needed="model, audio_filepath" + "".join(f", {name}" for name in wanted),
            remedy=next((remedies[name] for name in missing if name in remedies), "add the header line"),
        )
    doubled = sorted({name for name in columns if name and columns.count(name) > 1})
    if doubled:
        raise ManifestError(f"{path}:1 names the column {doubled[0]!r} twice", needed="each column once")


def _needed(columns: tuple[str, ...], numeric: Sequence[str]) -> list[tuple[str, int, bool]]:
    """Name, place, and whether it must be above 0, of each column that must hold numbers."""
    return [
        (name, columns.index(name), False) if name in columns else (name[4:], columns.index(name[4:]), True)
        for name in numeric
    ]


def _read_truths(trials: str | os.PathLike[str], aside: Aside) -> dict[tuple[str, str], str]:
    """The truth of each trial of a list, by model and test."""
    table = read_score_table(trials, (), aside=aside)
    at = table.columns.index("target")
    return {(key[0], key[1]): row[at] for key, row in zip(table.keys, table.rows, strict=True)}


def _laid_out(
    lines: Iterator[str], layout: TrialLayout, path: str, aside: Aside
) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row of a list without a header of ours."""
    for line, text in enumerate(lines, 1 + layout.n_header_lines):
        cells = layout.cells(text)
        if len(cells) == len(layout.columns):
            yield line, cells
        elif cells:
            wrong = ManifestError(
                f"{path}:{line}: {amount(len(cells), 'word')} where {layout.name} lines have "
                f"{len(layout.columns)}",
                needed=f"{', '.join(layout.columns)}",
            )
            aside.put("", path, wrong)


def _rows(
    file: Iterator[str], delimiter: str, columns: tuple[str, ...], path: str, aside: Aside, width: int
) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that has as many cells as there are columns."""
    rows = csv.reader(file, delimiter=delimiter, strict=True)
    while True:
        line = rows.line_num + 2  # the header is line 1, and the row begins after the last
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            aside.put("", path, ManifestError(f"{path}:{line} is not CSV: {error}", needed="quoted cells"))
            continue
        if len(cells) == width:
            yield line, [unguarded(cell) for cell in cells]
        elif cells:
            wrong: AudioGMMError = ManifestError(
                f"{path}:{line}: {amount(len(cells), 'cell')} where the header names {width}",
                needed="a cell for each column",
                remedy="quote cells that hold the delimiter",
            )
            aside.put("", path, wrong)


def _wrong(
    cells: list[str], columns: tuple[str, ...], needed: list[tuple[str, int, bool]], truth: int | None
) -> tuple[str, str] | None:
    """What a row has that cannot be used, and what was needed."""
    if truth is not None and cells[truth].strip().lower() not in _TRUE | _FALSE:
        return f"the target {cells[truth]!r}", "1 for a target trial, 0 for another"
    for name, at, positive in needed:
        value = _number(cells[at])
        if not math.isfinite(value):
            return f"the {name} {cells[at]!r}", "a finite number"
        if positive and value <= 0:
            return f"the {name} {cells[at]!r}", "a number above 0, to take the logarithm of"
    if not cells[columns.index("model")]:
        return "no model", "the speaker that is claimed"
    return None


class _RowKeys:
    """Makes the keys of rows; numbers are compared as numbers, a missing offset is 0."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._model = columns.index("model")
        self._recording = next(columns.index(name) for name in RECORDING if name in columns)
        self._segment = [columns.index(name) if name in columns else None for name in SEGMENT]

    def __call__(self, cells: list[str]) -> TrialKey:
        offset, duration, channel = ("" if at is None else cells[at] for at in self._segment)
        return cells[self._model], cells[self._recording], _same(offset or "0"), _same(duration), channel


def _same(cell: str) -> str:
    """A number as Python writes it, so that 3, 3.0 and 3.000 are one; other text as it is."""
    value = _number(cell)
    return repr(value) if math.isfinite(value) else cell


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _columns_that_count(
    columns: tuple[str, ...], needed: list[tuple[str, int, bool]], truth: int | None
) -> list[tuple[str, int]]:
    counting = [(name, at) for name, at, _ in needed]
    return counting if truth is None else [*counting, ("target", truth)]


def _refuse_contradiction(
    table: ScoreTable, before: int, line: int, cells: list[str], counting: list[tuple[str, int]]
) -> None:
    """A trial may be listed twice only if both rows say the same."""
    for name, at in counting:
        first, second = table.rows[before][at], cells[at]
        if _same(first) != _same(second):
            raise ManifestError(
                f"{table.path}:{line} and line {table.lines[before]} are one trial "
                f"({cells[table.columns.index('model')]}, {' '.join(table.keys[before][1:2])}), "
                f"with the {name} {second} and {first}",
                needed="each trial once",
                remedy="remove one of them",
            )
