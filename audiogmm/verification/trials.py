"""Lists of trials, each of which asks whether a recording is of a speaker."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from audiogmm.errors import AudioGMMError, LongLineError, ManifestError
from audiogmm.escapes import restored, unguarded
from audiogmm.lines import with_short_lines
from audiogmm.reading import reading
from audiogmm.verification.trial_layouts import find_layout
from audiogmm.words import amount

PATHS = ("audio_filepath", "features_filepath")
IDS = ("id", "test")
"""Columns that name the test by the id of a manifest's entry, where there is no path."""

SEGMENT_COLUMNS = (*PATHS, "offset", "duration", "channel", "frame_rate")
"""Columns that name the segment of a recording that is tested."""

SCORE_COLUMNS = ("score", "decision", "raw", "space", "voiced_seconds", "snr", "flag")
"""Columns that scoring adds, in this order, in place of those of the list."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One line of a list of trials.

    Attributes
    ----------
    model : str
        The speaker that is claimed.
    segment : tuple of str
        The cells of `SEGMENT_COLUMNS`, and the id of an entry, where tests are named by ids; equal for trials
        of one segment.
    cells : tuple of str
        The columns that are kept, as they are.
    line : int
        In the list; the header is line 1.
    """

    model: str
    segment: tuple[str, ...]
    cells: tuple[str, ...]
    line: int


class TrialList:
    """A CSV with the columns `model` and `audio_filepath` (or `features_filepath`), or a list of Kaldi,
    VoxCeleb or NIST (see `trial_layouts`): lazy, re-iterable.

    `offset` and `duration` (seconds) cut the recording, and so does `channel` where it is a whole number.
    Further columns are kept. The columns may be separated by commas, tabs or semicolons.

    Parameters
    ----------
    path : str
        The file, perhaps ``.gz``.
    by_id : bool
        Tests are named by a column `id` or `test`; columns of paths are not read.
    on_error : callable, optional
        Called with each line that is set aside, and why; by default the first error is raised.

    Raises
    ------
    ManifestError
        If the file cannot be read, or lacks a column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "trials.csv"
    >>> _ = path.write_text("model,audio_filepath,target\\nann,a.wav,1\\n")
    >>> trials = TrialList(str(path))
    >>> trials.columns, [trial.model for trial in trials]
    (('model', 'audio_filepath', 'target'), ['ann'])
    """

    def __init__(
        self,
        path: str,
        on_error: Callable[[int, AudioGMMError], None] | None = None,
        *,
        by_id: bool = False,
    ) -> None:
        self.path = str(path)
        self._on_error = on_error
        with self._text() as file:
            header = file.readline().rstrip("\r\n")
        self._layout = find_layout(header, by_id=by_id)
        if self._layout is None:
            self._delimiter, self.header = _columns(header)
        else:
            self._delimiter, self.header = "", self._layout.columns
        self.n_header_lines = 1 if self._layout is None else self._layout.n_header_lines
        named = next((name for name in IDS if name in self.header), None)
        if "model" not in self.header or not (named if by_id else set(PATHS) & set(self.header)):
            wanted = "id" if by_id else "audio_filepath"
            raise ManifestError(
                f"{self.path}:1 has the columns {header[:80]!r}",
                needed=f"the columns model and {wanted}",
                remedy=f"--manifest M, whose entries the column {named} names"
                if named and "model" in self.header
                else f"add the header line: model,{wanted},target",
            )
        if doubled := sorted({c for c in self.header if c and self.header.count(c) > 1}):
            raise ManifestError(
                f"{self.path}:1 names the column {doubled[0]!r} twice", needed="each column once"
            )
        self._kept = [i for i, name in enumerate(self.header) if name not in SCORE_COLUMNS]
        self._segment = [self.header.index(name) if name in self.header else -1 for name in SEGMENT_COLUMNS]
        if by_id and named:
            self._segment[: len(PATHS)] = [-1] * len(PATHS)
        self._segment.append(self.header.index(named) if by_id and named else -1)
        self._by_id = by_id

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are kept."""
        return tuple(self.header[i] for i in self._kept)

    def __iter__(self) -> Iterator[Trial]:
        name = self.header.index("model")
        with self._text() as file:
            if self._layout is None:
                reader = csv.reader(file, delimiter=self._delimiter, strict=True)
                rows: Iterator[list[str]] = ([unguarded(cell) for cell in cells] for cells in reader)
            else:
                rows = map(self._layout.cells, file)
            line = self.n_header_lines
            needed, remedy = "a header line", "quote cells that hold the delimiter"
            with reading(f"{self.path}:1", ManifestError, needed=needed, remedy=remedy):
                for _ in range(self.n_header_lines):
                    next(rows)
            while True:
                line = line + 1 if self._layout is not None else reader.line_num + 1
                try:
                    cells = next(rows)
                    if not cells:
                        continue
                    if len(cells) != len(self.header):
                        raise ManifestError(
                            f"{self.path}:{line}: {amount(len(cells), 'cell')} where the header names "
                            f"{len(self.header)}",
                            needed="a cell for each column",
                            remedy="quote cells that hold the delimiter",
                        )
                    if not cells[name]:
                        raise ManifestError(
                            f"{self.path}:{line} names no model", needed="the speaker that is claimed"
                        )
                    if self._by_id and not cells[self._segment[-1]]:
                        raise ManifestError(
                            f"{self.path}:{line} names no recording", needed="the id of an entry"
                        )
                    yield Trial(
                        restored(cells[name]),
                        tuple(cells[i] if i >= 0 else "" for i in self._segment),
                        tuple([cells[i] for i in self._kept]),
                        line,
                    )
                except StopIteration:
                    return
                except csv.Error as error:
                    self._refuse(
                        line, ManifestError(f"{self.path}:{line} is not CSV: {error}", needed="quoted cells")
                    )
                except UnicodeDecodeError as error:
                    raise ManifestError(
                        f"{self.path}:{line} is not UTF-8: {error.reason}", needed="UTF-8 text"
                    ) from error
                except LongLineError:
                    raise
                except ManifestError as error:
                    self._refuse(line, error)

    def raw(self) -> Iterator[str]:
        """Yield the lines as they are, with the header."""
        with self._text() as file:
            yield from file

    def _refuse(self, line: int, error: AudioGMMError) -> None:
        if self._on_error is None:
            raise error
        self._on_error(line, error)

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        path = Path(self.path)
        try:
            with (
                gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file,
                io.TextIOWrapper(
                    with_short_lines(file, str(self.path)), encoding="utf-8-sig", newline=""
                ) as text,
            ):
                yield text
        except UnicodeDecodeError as error:
            raise ManifestError(
                f"{self.path} is not UTF-8 text: {error.reason}",
                needed="a list of trials: a CSV with the columns model,audio_filepath",
                remedy=f"the right file, or iconv -f latin1 -t utf-8 {self.path}",
            ) from None
        except (OSError, EOFError, zlib.error) as error:
            raise ManifestError(
                f"{self.path} cannot be read: {getattr(error, 'strerror', None) or error}",
                needed="a list of trials",
                remedy="a CSV with the columns model,audio_filepath",
            ) from error


def chunk_trials(trials: Iterable[Trial], max_trials: int, max_models: int) -> Iterator[list[Trial]]:
    """Yield a list in parts of at most so many trials, of at most so many different models.

    Examples
    --------
    >>> trials = [Trial(name, ("a.wav",), (), 2) for name in "aabbc"]
    >>> [len(chunk) for chunk in chunk_trials(trials, max_trials=3, max_models=9)]
    [3, 2]
    >>> [len(chunk) for chunk in chunk_trials(trials, max_trials=9, max_models=2)]
    [4, 1]
    """
    chunk: list[Trial] = []
    models: set[str] = set()
    for trial in trials:
        if chunk and (len(chunk) == max_trials or (trial.model not in models and len(models) == max_models)):
            yield chunk
            chunk, models = [], set()
        chunk.append(trial)
        models.add(trial.model)
    if chunk:
        yield chunk


def _columns(header: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the names of the columns."""
    for delimiter in ",\t;":
        names = tuple(map(unguarded, next(csv.reader([header], delimiter=delimiter), [])))
        if "model" in names:
            return delimiter, names
    return ",", tuple(next(csv.reader([header]), []))
