"""A mark beside the output of a run that began and has not ended, so that the next run may go on from it."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from audiogmm.checksum import sealed, unsealed
from audiogmm.documents import parse_document
from audiogmm.files import exclusive, refuse_overwrite, replacing
from audiogmm.reading import parsing
from audiogmm.temporaries import sweep

MARK = ".begun"


@dataclass(frozen=True)
class Unfinished:
    """The files that a run keeps until its outputs are whole: their names begin with `place`.

    Attributes
    ----------
    place : Path
        Beginning of the names, to which each part of the run adds its own.
    goes_on : bool
        Whether this run goes on from an earlier one.
    of : str
        What the run that began was given as `of`.
    """

    place: Path
    goes_on: bool
    of: str = ""

    @property
    def kept(self) -> list[Path]:
        """What is there to go on from."""
        return [file for file in _files(self.place) if file != _mark(self.place)]

    def part(self, name: str) -> Path:
        """Return the place of a part of the run."""
        return self.place.with_name(f"{self.place.name}.{name}")


@contextmanager
def unfinished(
    outputs: Sequence[Path], folder: Path | None = None, *, resume: bool, force: bool, of: str = ""
) -> Iterator[Unfinished]:
    """Keep the outputs of a run to it until they are whole; then remove what it kept.

    A run that writes several outputs may be killed between two of them: the mark says that those which are
    there are its own, so that the same run with `resume` replaces them.

    Parameters
    ----------
    outputs : sequence of Path
        What the run writes, of which the first names the run.
    folder : Path, optional
        Where to keep what it goes on from: beside the first output by default.
    resume : bool
        Go on from an earlier run, in place of removing what that kept.
    force : bool
        Replace outputs.
    of : str
        What the run is of, where it replaces its own input: kept until the run has ended.

    Raises
    ------
    OutputError
        If an output exists (and neither `force` nor an earlier run that had not ended), or cannot be
        written; if another run writes them, or keeps its state at the same place.

    Examples
    --------
    >>> import tempfile
    >>> output = Path(tempfile.mkdtemp()) / "m.agmm"
    >>> try:
    ...     with unfinished([output], resume=False, force=False) as run:
    ...         _ = run.part("all").write_text("after two passes")
    ...         _ = output.write_text("written just before the kill")
    ...         raise KeyboardInterrupt
    ... except KeyboardInterrupt:
    ...     pass
    >>> with unfinished([output], resume=True, force=False) as run:
    ...     run.goes_on, [file.name for file in run.kept]
    (True, ['m.agmm.checkpoint.all'])
    >>> [file.name for file in output.parent.iterdir()]
    ['m.agmm']
    """
    first = outputs[0]
    place = (folder or first.parent) / f"{first.name}.checkpoint"
    mark = _mark(place)
    with exclusive(first), exclusive(place, of=first if folder is None else place):
        sweep(place.parent)  # of a run that was killed while it wrote there
        goes_on = resume and any(_files(place))
        for output in outputs:
            refuse_overwrite(output, force or goes_on)
        if not goes_on:
            _drop(place)
            with replacing(mark, force=True) as temporary:
                temporary.write_text(json.dumps(sealed({"of": of})))
        elif mark.exists():
            with parsing(mark, needed="what a run began with", remedy="without --resume, to start again"):
                of = str(unsealed(parse_document(mark.read_bytes()), True, mark, "start again")["of"])
        run, before = Unfinished(place, goes_on, of), list(map(identity, outputs))
        try:
            yield run
        except BaseException:
            if not run.kept and before == list(map(identity, outputs)):
                mark.unlink(missing_ok=True)
            raise
        _drop(place)


def _drop(place: Path) -> None:
    """Remove what a run kept, its mark last."""
    for file in sorted(_files(place), key=lambda file: file == _mark(place)):
        file.unlink(missing_ok=True)


def _files(place: Path) -> list[Path]:
    return sorted(place.parent.glob(f"{glob.escape(place.name)}.*"))


def _mark(place: Path) -> Path:
    return place.with_name(place.name + MARK)


def identity(output: Path) -> tuple[int, int] | None:
    """Return what changes when a file is replaced; None where there is none."""
    with suppress(FileNotFoundError):
        about = output.stat()
        return about.st_ino, about.st_mtime_ns
    return None
