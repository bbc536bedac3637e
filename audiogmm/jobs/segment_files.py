"""Segments in files: one table of all recordings, and labels in one file a recording."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from audiogmm.errors import ChoiceError
from audiogmm.escapes import guarded
from audiogmm.files import replacing
from audiogmm.manifest.segments.span import Span
from audiogmm.manifest.segments.table import SPAN_FORMATS
from audiogmm.scoring.component_segments import ComponentSegment
from audiogmm.types import Seconds

COLUMNS = ("id", "start", "end", "label", "posterior", "frames")
"""Of the table: the recording; seconds, or rows of a table; the label, its mean posterior, voiced frames."""


@dataclass(frozen=True)
class SegmentFiles:
    """Where the segments of recordings are written.

    Attributes
    ----------
    table : Path
        Folder of the rows of each recording, which become one table.
    names : sequence of str
        The label of each component.
    labels : Path, optional
        Folder of label files, one a recording.
    format : str
        Of the label files, by its name in `SPAN_FORMATS`.
    """

    table: Path
    names: Sequence[str]
    labels: Path | None = None
    format: str = "audacity"

    def write(self, id: str, segments: Iterable[ComponentSegment], recording: str = "") -> None:
        """Write the segments of a recording as they come; those of a TextGrid at the end.

        `recording` is its path, where it has one.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        with ExitStack() as stack:
            table = stack.enter_context(self._rows(id).open("w", encoding="utf-8", newline=""))
            rows = csv.writer(table, lineterminator="\n")

            def spans() -> Iterator[Span]:
                for found in segments:
                    start, end = found.segment.start, found.segment.end
                    label, posterior = self.names[found.component], f"{found.mean_posterior:.6f}"
                    cells = (found.id, _time(start), _time(end), label, posterior, str(found.n_frames))
                    rows.writerow(map(guarded, cells))
                    score = round(found.mean_posterior, 4)
                    place = recording or id
                    yield Span(place, round(start, 6), round(end, 6), label=label, score=score, id=id)

            if self.labels is None:
                for _ in spans():
                    pass
                return
            form = SPAN_FORMATS[self.format]
            temporary = stack.enter_context(
                replacing(self.labels / f"{id}{form.suffix}", force=True, durable=False)
            )
            with temporary.open("w", encoding="utf-8", newline="\n") as out:
                if form.whole is not None:
                    out.write(form.text(list(spans())))
                else:
                    out.writelines(f"{line}\n" for line in form.lines(spans()))

    def _rows(self, id: str) -> Path:
        return self.table / f"{id}.csv"

    def collect(self, ids: Iterable[str], path: Path) -> None:
        """Join the rows of recordings, in their order, to one table."""
        with replacing(path, force=True) as temporary, temporary.open("wb") as table:
            table.write((",".join(COLUMNS) + "\n").encode())
            for id in ids:
                with self._rows(id).open("rb") as rows:
                    while piece := rows.read(1 << 20):
                        table.write(piece)


def check_label_format(format: str) -> None:
    """Refuse a label format that is not in the table.

    Raises
    ------
    ChoiceError
        If it is not.
    """
    if format not in SPAN_FORMATS:
        raise ChoiceError(f"labels={format!r}", needed=f"one of {', '.join(SPAN_FORMATS)}")


def _time(value: Seconds) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
