"""A track in a file: .npz or CSV, written as it is scored, and read whole."""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError, FeatureError
from audiogmm.escapes import guarded
from audiogmm.files import replacing
from audiogmm.reading import reading
from audiogmm.scoring.npz import npz_member
from audiogmm.scoring.summary import WINDOW, Windows, summarize_track
from audiogmm.scoring.track import ScoreTrack, require_finite
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray

_MARK = b"audiogmm track 2"  # the comment of an archive that has a clock
_SMALL, _MOST_PACKED = 1 << 26, 100  # an archive unpacks to so many bytes, or to so many times its own
SUFFIXES = (".npz", ".csv")
"""Formats of a track, by the suffix of its file."""


class TrackWriter:
    """Writer of a track as it is scored, in bounded memory; the file appears when it is whole.

    Scores wait in unnamed temporary files beside the track: a zip archive, in which an array follows its
    own length, can only be written once the last frame is known.

    Parameters
    ----------
    path : path-like
        Name of the track, ending in ``.npz`` or ``.csv``.
    id : str
        Name of the recording.
    force : bool
        Replace a track that is there.

    Raises
    ------
    ChoiceError
        If the suffix is another one.
    OutputError
        If the file exists (and not `force`), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npz"
    >>> block = FrameBlock(np.zeros((3, 1), np.float32), np.ones(3, bool), 0, FrameClock(8000, 80, 200))
    >>> with TrackWriter(path, "a") as writer:
    ...     writer.write(block, np.array([-1.0, -2.0, -3.0]))
    >>> writer.summary.mean, read_track(path).scores
    (-2.0, array([-1., -2., -3.]))
    """

    def __init__(self, path: str | os.PathLike[str], id: str, *, force: bool = False) -> None:
        self.path = Path(path)
        self.id = id
        self.n_frames = 0
        self.clock: FrameClock | None = None
        self.names: tuple[str, Iterable[str]] | None = None  # of the rows of a table, for CSV
        self._force = force
        self._stack = ExitStack()
        if self.path.suffix.lower() not in SUFFIXES:
            raise ChoiceError(f"track {self.path}", needed=f"a name that ends in {' or '.join(SUFFIXES)}")

    def __enter__(self) -> TrackWriter:
        with ExitStack() as stack:
            self._target = stack.enter_context(replacing(self.path, force=self._force, durable=False))
            self._scores: IO[bytes] = stack.enter_context(TemporaryFile(dir=self._target.parent))
            self._voiced: IO[bytes] = stack.enter_context(TemporaryFile(dir=self._target.parent))
            self._stack = stack.pop_all()
        return self

    def write(self, block: FrameBlock, scores: FloatArray) -> None:
        """Add the scores of the next block.

        Parameters
        ----------
        block : FrameBlock
            Begins where the one before it ended.
        scores : ndarray of shape (n_frames,), float64
            Its scores.

        Raises
        ------
        FeatureError
            If the block does not follow the one before it, or a score is missing or not finite.
        """
        if block.start != self.n_frames or len(scores) != len(block):
            raise FeatureError(
                f"track {self.id}: {len(scores)} scores for {len(block)} frames from frame {block.start} on",
                needed=f"a score for each frame from frame {self.n_frames} on",
            )
        if self.clock is None:
            self.clock = block.clock
        require_finite(scores, self.id, block.start, block.clock)
        self._scores.write(np.ascontiguousarray(scores, dtype="<f8").tobytes())
        self._voiced.write(np.ascontiguousarray(block.voiced, dtype=np.bool_).tobytes())
        self.n_frames += len(scores)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            clock = self.clock or FrameClock.for_rows()
            self.summary = summarize_track(self.id, clock, self._windows)
            if self.path.suffix.lower() == ".csv":
                _write_csv(self._target, clock, self._windows, self.names)
            else:
                _write_npz(self._target, self.n_frames, clock, self._windows)

    def _windows(self) -> Iterator[tuple[FloatArray, BoolArray]]:
        self._scores.seek(0)
        self._voiced.seek(0)
        for start in range(0, self.n_frames, WINDOW):
            n = min(WINDOW, self.n_frames - start)
            scores = np.frombuffer(self._scores.read(8 * n), dtype="<f8")
            yield scores, np.frombuffer(self._voiced.read(n), dtype=np.bool_)


def read_track(path: str | os.PathLike[str]) -> ScoreTrack:
    """Read a track; its `id` is the name of the file without suffix.

    A track without `clock`, as another program or a CSV file brings it, gets one whose frames touch each
    other and have their centers at `times`.

    Raises
    ------
    FeatureError
        If the file is not a track, or not a whole one.
    """
    path = Path(path)
    with reading(
        path,
        FeatureError,
        needed="an .npz with the arrays scores, times and voiced, or a CSV with those columns",
        remedy="write it again with `audiogmm score`",
        what="is not a track, or not a whole one",
    ):
        members = _read_csv(path) if path.suffix.lower() == ".csv" else _read_npz(path)
        scores = np.asarray(members["scores"], dtype=np.float64)
        times = np.asarray(members["times"], dtype=np.float64)
        voiced = np.asarray(members["voiced"], dtype=np.bool_)
        if not scores.shape == times.shape == voiced.shape:
            raise ValueError(f"{scores.shape} scores, {times.shape} times, {voiced.shape} voiced")
        clock = FrameClock(*_clock_arguments(members["clock"])) if "clock" in members else _clock_from(times)
        return ScoreTrack(path.stem, scores, voiced, clock)


def is_whole(path: Path) -> bool:
    """Return whether a track is there, with all that was written into it."""
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"
    except Exception:  # noqa: BLE001 - zipfile raises what it likes on a damaged archive
        return False


def _write_npz(path: Path, n_frames: int, clock: FrameClock, windows: Windows) -> None:
    """Write what `numpy.savez` would, one window at a time."""
    timing = np.array([clock.sample_rate, clock.hop, clock.length, clock.offset])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = _MARK
        for name, dtype in (("scores", "<f8"), ("times", "<f8"), ("voiced", "|b1")):
            with npz_member(archive, name, dtype, n_frames) as member:
                start = 0
                for scores, voiced in windows():
                    times = clock.center(np.arange(start, start + len(scores)))
                    start += len(scores)
                    column = {"scores": scores, "times": times, "voiced": voiced}[name]
                    member.write(np.ascontiguousarray(column, dtype=dtype).tobytes())
        with npz_member(archive, "clock", "<f8", len(timing)) as member:
            member.write(timing.astype("<f8").tobytes())


def _write_csv(
    path: Path, clock: FrameClock, windows: Windows, names: tuple[str, Iterable[str]] | None
) -> None:
    """Write one line a frame; numbers as their shortest exact decimals, `voiced` as 0 or 1; names last."""
    column, texts = names or ("", ())
    named = iter(texts)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["times", "scores", "voiced", *([guarded(column)] if names else ())])
        start = 0
        for scores, voiced in windows():
            times = clock.center(np.arange(start, start + len(scores)))
            start += len(scores)
            columns: list[list[Any]] = [times.tolist(), scores.tolist(), voiced.astype(int).tolist()]
            if names:
                columns.append([guarded(name) for name in islice(named, len(scores))])
            lines.writerows(zip(*columns, strict=True))


def _read_npz(path: Path) -> dict[str, Any]:
    # opened here, since numpy leaves the file open when it is not an archive
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        sizes = [member.file_size for member in archive.zip.infolist()] if archive.zip is not None else [0]
        if sum(sizes) > max(_SMALL, _MOST_PACKED * path.stat().st_size):
            raise ValueError(f"{sum(sizes):,} bytes in an archive of {path.stat().st_size:,}")
        if archive.zip is not None and archive.zip.comment == _MARK and "clock" not in archive.files:
            raise KeyError("clock")
        return {name: archive[name] for name in archive.files}


def _read_csv(path: Path) -> dict[str, Any]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        columns: dict[str, list[float]] = {"times": [], "scores": [], "voiced": []}
        for row in rows:
            for name, column in columns.items():
                column.append(float(row[name] or ""))
    return dict(columns)


def _clock_arguments(timing: Any) -> tuple[float, int, int, float]:
    rate, hop, length, offset = np.asarray(timing, dtype=np.float64).tolist()
    return rate, int(hop), int(length), offset


def _clock_from(times: FloatArray) -> FrameClock:
    """Return the clock of touching frames whose centers are `times`, seconds."""
    if len(times) < 2:
        return FrameClock.for_rows()
    step = float(times[-1] - times[0]) / (len(times) - 1)
    if not (step > 0 and np.allclose(np.diff(times), step, rtol=1e-3, atol=1e-6)):
        raise FeatureError("a track whose times are not evenly spaced", needed="times one hop apart")
    return FrameClock(1.0 / step, 1, 1, max(0.0, float(times[0]) - step / 2))
