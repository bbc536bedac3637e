"""The assignment of a recording in a file: hard in full, soft as the rows of a sparse matrix."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from audiogmm.files import replacing
from audiogmm.scoring.assignment import Assignment
from audiogmm.scoring.npz import npz_member

COLUMNS = {
    "times": "<f8",
    "voiced": "|b1",
    "component": "<i4",
    "posterior": "<f8",
    "entropy": "<f8",
    "soft_start": "<i8",
    "soft_component": "<i4",
    "soft_posterior": "<f8",
}
"""Arrays of the file, and their types: `soft_start[i]` to `soft_start[i + 1]` are the entries of frame i."""

_COPIED = 1 << 20


class AssignmentWriter:
    """Writer of the assignment of a recording, window by window, in bounded memory.

    A posterior under `least` is left out of the soft assignment, the largest of each frame never.

    Parameters
    ----------
    path : Path
        Name of the file, ending in ``.npz``; it appears when it is whole.
    least : float
        Smallest posterior kept.

    Raises
    ------
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from audiogmm.timeline import FrameClock
    >>> posteriors = np.array([[0.9, 0.1], [0.0, 1.0]])
    >>> found = Assignment(0, FrameClock(8000, 80, 200), np.ones(2, bool), posteriors,
    ...                    np.array([0, 1], np.int32), np.array([0.9, 1.0]), np.zeros(2))
    >>> path = Path(tempfile.mkdtemp()) / "a.npz"
    >>> with AssignmentWriter(path, least=0.05) as writer:
    ...     writer.write(found)
    >>> file = np.load(path)
    >>> file["component"], file["soft_start"], file["soft_component"]
    (array([0, 1], dtype=int32), array([0, 2, 3]), array([0, 1, 1], dtype=int32))
    """

    def __init__(self, path: Path, least: float) -> None:
        self.path = path
        self.least = least
        self.n_frames = 0
        self._entries = 0
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._target = stack.enter_context(replacing(self.path, force=True, durable=False))
            for name in COLUMNS:
                self._files[name] = stack.enter_context(TemporaryFile(dir=self._target.parent))
            self._stack = stack.pop_all()
        self._put("soft_start", np.zeros(1))
        return self

    def write(self, found: Assignment) -> None:
        """Add the next frames."""
        rows = np.arange(len(found.labels))
        kept = found.posteriors >= self.least
        kept[rows, found.labels] = True
        where, components = np.nonzero(kept)
        ends = self._entries + np.cumsum(np.bincount(where, minlength=len(rows)))
        for name, values in {
            "times": found.clock.center(found.start + rows),
            "voiced": found.voiced,
            "component": found.labels,
            "posterior": found.confidence,
            "entropy": found.entropy,
            "soft_start": ends,
            "soft_component": components,
            "soft_posterior": found.posteriors[where, components],
        }.items():
            self._put(name, values)
        self.n_frames += len(rows)
        self._entries += len(where)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack, zipfile.ZipFile(self._target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, kind_of in COLUMNS.items():
                file = self._files[name]
                length = file.tell() // np.dtype(kind_of).itemsize
                with npz_member(archive, name, kind_of, length) as member:
                    file.seek(0)
                    while piece := file.read(_COPIED):
                        member.write(piece)

    def _put(self, name: str, values: np.ndarray[Any, Any]) -> None:
        self._files[name].write(np.ascontiguousarray(values, dtype=COLUMNS[name]).tobytes())
