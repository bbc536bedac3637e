"""Report: one page of a detection run, to look at and to listen to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.keywords import accepts
from audiogmm.reporting.page.document import Page, write_page
from audiogmm.reporting.page.image import require_imaging
from audiogmm.reporting.run.files import DetectionRun
from audiogmm.reporting.run.page import ReportSettings, make_page
from audiogmm.reprs import lines_repr
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.types import Json
from audiogmm.words import SOUND, Terms, amount


@dataclass(frozen=True)
class ReportResult:
    """A page that was written."""

    output: Path  # the file
    size: int  # bytes of the file
    page: Page  # what it shows
    n_sounds: int  # sounds that can be played
    aside: Aside  # recordings that could not be scored again
    terms: Terms = SOUND

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return the result for `--json`."""
        return {
            "output": str(self.output),
            "bytes": self.size,
            "recordings_shown": len(self.page.cards),
            "recordings_named": len(self.page.rows),
            "events": self.page.n_events,
            "sounds": self.n_sounds,
            "notes": list(self.page.notes),
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Return the closing lines."""
        shown, named = len(self.page.cards), len(self.page.rows)
        noun = self.terms.recording
        sounds = f", {amount(self.n_sounds, 'sound')} to play" if self.terms.material == "audio" else ""
        yield f"{amount(self.page.n_events, 'event')}; {amount(shown, noun)} shown{sounds}"
        if named:
            yield f"{amount(named, f'further {noun}')} with events listed in a table"
        for note in self.page.notes:
            yield f"note: {note}"
        yield f"page: {self.output} ({self.size / 1e6:.1f} MB)"


@accepts(ReportSettings)
def report(
    run: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    settings: ReportSettings,
    progress: Progress | bool | None = None,
) -> ReportResult:
    """Write one HTML file of a run, which needs no network and holds less than 25 MB.

    Recordings with events are shown in full, the most severe first, then those without, as far as there is
    room; further ones with events are listed in a table. Memory depends on `most`, not on the run.

    Parameters
    ----------
    run : path-like
        The events that `detect` wrote, or the record beside them, or the folder that holds both.
    output : path-like
        The page.
    settings : ReportSettings
        Or its fields as keywords.
    progress : Progress, optional
        Takes what is done so far.

    Raises
    ------
    ChoiceError
        If the model is not known, or Pillow or matplotlib is missing.
    ManifestError
        If the events, the record, the manifest, the table or the folder of clusters cannot be used.
    ModelFileError, MismatchError
        If the model cannot be used, or is not that of the run.
    OutputError
        If the page exists (and not `force`), or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> for name in ("a", "b", "c"):
    ...     soundfile.write(folder / f"{name}.wav", 0.05 * random.standard_normal(32000), 16000)
    >>> manifest, ambient = str(folder / "all.jsonl"), ag.FrontEnd.preset("ambient")
    >>> _ = ag.write_manifest(ag.scan(folder), manifest)
    >>> from audiogmm.jobs import detect_to_file, train_to_file
    >>> _ = train_to_file(manifest, folder / "room.agmm", ambient, n_components=2)
    >>> _ = detect_to_file(folder / "room.agmm", manifest, folder / "events.jsonl")
    >>> ag.report(folder / "events.jsonl", folder / "report.html").output.name
    'report.html'
    """
    run, output = Path(run), Path(output)
    found = DetectionRun.at(run)
    check_output(output, settings.force, found.events, settings.model, settings.manifest, settings.table)
    require_imaging()
    with set_aside_by(output, settings.strict) as aside:
        made = make_page(found, settings, aside, progress_of(progress))
        size = write_page(made.page, output, force=settings.force)
        return ReportResult(output, size, made.page, made.n_sounds, aside, made.terms)
