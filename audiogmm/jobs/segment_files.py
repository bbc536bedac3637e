"""Segments in files: a table of all recordings, labels in one file a recording, and sounds of some."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from audiogmm.content_hash import hash_file
from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.escapes import guarded
from audiogmm.files import replacing, unwritable
from audiogmm.manifest.entry import is_safe_id, safe_id
from audiogmm.manifest.segments.span import Span
from audiogmm.manifest.segments.table import SPAN_FORMATS
from audiogmm.reporting.run.excerpt import read_samples
from audiogmm.runs.inputs import Inputs
from audiogmm.scoring.classes import Classes
from audiogmm.scoring.clustering import ClusterSummary
from audiogmm.scoring.component_segments import ComponentSegment
from audiogmm.temporaries import remove
from audiogmm.types import Json, Seconds

SEGMENTS = "segments.csv"
"""The table."""

_WAITING = ".segments"

COLUMNS = ("id", "start", "end", "label", "posterior", "frames")
"""Of the table: the recording; seconds, or rows of a table; the label, its mean posterior, voiced frames."""


@dataclass(frozen=True)
class SegmentFiles:
    """Where the segments of recordings are written.

    Attributes
    ----------
    output : Path
        Folder of the table. The rows of each recording wait there in hidden files, until there are all.
    names : sequence of str
        The label of each component.
    labels : Path, optional
        Folder of label files, one a recording.
    format : str
        Of the label files, by its name in `SPAN_FORMATS`.
    edited : bool
        Label files may have been edited since: those that are there are left as they are.
    """

    output: Path
    names: Sequence[str]
    labels: Path | None = None
    format: str = "audacity"
    edited: bool = False

    def begin(self, *, goes_on: bool) -> None:
        """Make room for the rows of recordings; those of a table that is there are taken back from it.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        waiting, table = self.output / _WAITING, self.output / SEGMENTS
        if not goes_on:
            remove(waiting)
        was_there = waiting.is_dir()
        try:
            waiting.mkdir(parents=True, exist_ok=True)
            if goes_on and not was_there and table.is_file():
                with table.open("rb") as rows:
                    rows.readline()
                    for cell, lines in groupby(rows, lambda line: line.partition(b",")[0]):
                        id = cell.decode(errors="replace")
                        if is_safe_id(id):  # whoever wrote the table
                            self._rows(id).write_bytes(b"".join(lines))
        except OSError as error:
            raise unwritable(waiting, error) from error

    def end(self) -> None:
        """Remove what waited for the table."""
        remove(self.output / _WAITING)

    def hashes(self, id: str) -> Json:
        """Return hashes of the files of a recording."""
        return {name: hash_file(path) for name, path in self._files(id).items()}

    def are_made(self, id: str, hashes: Json) -> bool:
        """Return whether the files of a recording are as they were when these were their hashes."""
        files = self._files(id)
        if self.edited and "labels" in files and files["labels"].is_file():
            del files["labels"]
        return all(path.is_file() and hash_file(path) == hashes[name] for name, path in files.items())

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
            temporary = stack.enter_context(replacing(self._files(id)["labels"], force=True, durable=False))
            with temporary.open("w", encoding="utf-8", newline="\n") as out:
                if form.whole is not None:
                    out.write(form.text(list(spans())))
                else:
                    out.writelines(f"{line}\n" for line in form.lines(spans()))

    def collect(self, ids: Iterable[str]) -> None:
        """Join the rows of recordings, in their order, to one table."""
        with replacing(self.output / SEGMENTS, force=True) as temporary, temporary.open("wb") as table:
            table.write((",".join(COLUMNS) + "\n").encode())
            for id in ids:
                with self._rows(id).open("rb") as rows:
                    while piece := rows.read(1 << 20):
                        table.write(piece)

    def _rows(self, id: str) -> Path:
        return self.output / _WAITING / f"{id}.csv"

    def _files(self, id: str) -> dict[str, Path]:
        files = {"rows": self._rows(id)}
        if self.labels is not None:
            files["labels"] = self.labels / f"{id}{SPAN_FORMATS[self.format].suffix}"
        return files


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


def write_sounds(
    sums: ClusterSummary, clusters: Classes, most: int, inputs: Inputs, folder: Path
) -> dict[ComponentSegment, Json]:
    """Write the most typical and the longest segments of each component as wav files.

    Returns
    -------
    dict
        Of each segment, `sound`, its file, relative to the folder above `folder`, and `sound_start`, where
        that begins, seconds on the recording's clock; a feature matrix has none.
    """
    import soundfile

    wanted: dict[str, list[tuple[int, ComponentSegment]]] = {}
    for number in range(len(clusters.names)):
        for rank, found in enumerate(sums.examples(number)[:most]):
            wanted.setdefault(found.id, []).append((rank, found))
    sounds: dict[ComponentSegment, Json] = {}
    for recording in inputs if wanted else ():
        if recording.entry.audio_filepath in (None, "-"):
            continue
        for rank, found in wanted.get(recording.id, ()):
            path = folder / safe_id(clusters.names[found.component]) / f"{rank}-{found.id}.wav"
            start = max(recording.entry.offset, found.excerpt.start)
            try:
                samples, rate = read_samples(recording.entry, start, found.excerpt.end)
            except AudioGMMError as error:
                inputs.refuse(recording.id, error)
                break
            content = io.BytesIO()  # libsndfile gives a disk's refusals no number
            soundfile.write(content, samples, round(rate), format="WAV", subtype="PCM_16")
            with replacing(path, force=True) as temporary:
                temporary.write_bytes(content.getvalue())
            sounds[found] = {"sound": str(path.relative_to(folder.parent)), "sound_start": start}
    return sounds


def remove_stale_sounds(
    folder: Path, clusters: Classes, ids: Container[str], sounds: Mapping[ComponentSegment, Json]
) -> None:
    """Remove sounds of these recordings that an earlier run wrote, and that are no examples any more."""
    written = {folder.parent / sound["sound"] for sound in sounds.values()}
    for name in clusters.names:
        for path in sorted((folder / safe_id(name)).glob("*-*.wav")):
            rank, _, id = path.stem.partition("-")
            if rank.isdigit() and id in ids and path not in written:
                path.unlink(missing_ok=True)
