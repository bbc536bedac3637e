"""Report: one page of a run, to look at and to listen to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.from_model import make_scorer, unit_of
from audiogmm.errors import AudioFileError, ChoiceError
from audiogmm.report.page.document import MOST_BYTES, Page, size_of, write_page
from audiogmm.report.page.image import require_imaging
from audiogmm.report.run.clusters import Listened
from audiogmm.report.run.facts import about_page, facts_of, left_out, set_aside_rows, title_of
from audiogmm.report.run.files import Run
from audiogmm.report.run.layout import ROOM, Layout
from audiogmm.report.run.panels import clusters_of_folder, normal_panel, selection_panel, training_panel
from audiogmm.report.run.plan import Plan, plan_page
from audiogmm.report.run.rescoring import HearAgain, Heard
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import inputs_for
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.mixture.store import Model

MOST_RECORDINGS = 200
"""Recordings shown in full, unless told otherwise."""

SOUNDS, STRETCHES = 600, 400
"""On a whole page, shared evenly by its recordings."""


@dataclass
class ReportResult:
    """A page, and what is on it."""

    output: Path
    aside: Aside
    size: int = 0
    shown: int = 0
    named: int = 0
    sounds: int = 0
    events: int = 0
    notes: list[str] = field(default_factory=list)

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.output),
            "bytes": self.size,
            "recordings_shown": self.shown,
            "recordings_named": self.named,
            "events": self.events,
            "sounds": self.sounds,
            "notes": self.notes,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        shown, sounds = amount(self.shown, "recording"), amount(self.sounds, "sound")
        yield f"{amount(self.events, 'event')}; {shown} shown, {sounds} to hear"
        if self.named:
            yield f"{amount(self.named, 'further recording')} with events named in a table"
        for note in self.notes:
            yield f"note: {note}"
        yield f"page: {self.output} ({self.size / 1e6:.1f} MB)"


def report_to_file(
    run: Path,
    output: Path,
    *,
    model: Path | None = None,
    manifest: str | None = None,
    table: Path | None = None,
    clusters: Path | None = None,
    most: int = MOST_RECORDINGS,
    title: str = "",
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ReportResult:
    """Make one HTML file of a run, which needs no network and holds less than 25 MB.

    Recordings with events are shown in full, the most severe first, then those without, as far as there is
    room; further ones with events are named in a table. Memory depends on `most`, not on the run.

    Parameters
    ----------
    run : Path
        The events that `detect` wrote, or the record beside them, or the folder that holds both.
    output : Path
        The page.
    model, manifest
        Where they are now, if not where the run found them.
    table : Path, optional
        That `select` wrote: its criteria are drawn.
    clusters : Path, optional
        A folder that `cluster` wrote; otherwise components are listened for in the recordings shown.
    most : int
        Recordings shown in full, at most.
    title : str
        Of the page.

    Raises
    ------
    ChoiceError
        If the model is not known, or Pillow or matplotlib is missing.
    ManifestError
        If the events, the record, the manifest, the table or the folder of clusters cannot be used.
    ModelFileError, MismatchError
        If the model cannot be used, or is another one.
    OutputError
        If the page exists (and not `force`), or cannot be written.
    """
    from audiogmm.reduce import LocalReducer

    progress = progress or Silent()
    if most < 0:
        raise ChoiceError(f"most={most}", needed="0 recordings or more")
    found = Run.at(run)
    sources = [path for path in (model, manifest, table) if path is not None]
    check_output(output, force, found.events, *sources)
    require_imaging()
    path, loaded, detector = found.model(model)
    unit = "s" if unit_of(loaded) else ""
    further = [] if table is None else [selection_panel(table)]
    heard_before = None if clusters is None else clusters_of_folder(clusters, unit)
    aside = Aside(errors_path(output), strict=strict)
    plan = plan_page(found, manifest, most, audio=bool(loaded.metadata.frontend), aside=aside)
    about = found.record.detector if found.record else detector.metadata()
    threshold, release = (
        float(about.get(name, getattr(detector, name))) for name in ("threshold", "release")
    )

    layout = Layout(plan, threshold, release, unit, aside)
    for shown in plan.missing:
        layout.add(
            Heard(
                shown, AudioFileError(shown.trouble, needed="the manifest of the run", remedy="--manifest M")
            )
        )
    listened = Listened(loaded.mixture.n_components)
    upsample = found.record is not None and found.record.upsample
    inputs = inputs_for(loaded, plan.wanted, aside=aside, say=progress.say, upsample=upsample)
    task = hearing(loaded, detector, plan, threshold, components=heard_before is None)
    entries = {entry.id: entry for entry in plan.wanted}
    progress.begin("listening again", len(plan.wanted), "recordings")
    with LocalReducer(threads) as reducer:
        for heard in reducer.map(inputs, task):
            progress.advance(1)
            if not layout.add(heard):
                break
            listened.add(heard, entries.get(heard.shown.id))
    progress.end()

    peaks = [one.event.peak for one in plan.events.severest if one.event.peak is not None]
    panels = [
        normal_panel(detector, about, threshold, release, peaks, unit),
        training_panel(loaded),
        *further,
        heard_before or listened.panel(unit),
    ]
    notes = [plan.note] if plan.note else []
    if plan.wanted and not layout.seconds:
        notes.append("None of the recordings could be heard again. --manifest tells where they are now.")
    n_aside, aside_rows = set_aside_rows(plan, aside)

    def laid_out() -> Page:
        rows = plan.rows(layout.ids)
        return Page(
            title=title or title_of(found, manifest),
            facts=facts_of(found, plan, layout.seconds, threshold, unit),
            n_events=plan.events.n_events,
            threshold=threshold,
            notes=notes,
            found=plan.events.severest,
            names=plan.names,
            cards=layout.cards,
            rows=rows,
            left=left_out(found, plan, layout.ids, len(rows)),
            panels=[panel for panel in panels if panel is not None],
            aside=aside_rows,
            n_aside=n_aside,
            about=about_page(found, path, loaded),
            has_truth=layout.has_truth,
            unit=unit,
        )

    page = laid_out()
    while page.cards and size_of(page) > MOST_BYTES:
        layout.drop_milder()
        page = laid_out()
    size = write_page(page, output, force=force)
    return ReportResult(
        output, aside, size, len(page.cards), len(page.rows), layout.n_sounds, plan.events.n_events, notes
    )


def hearing(model: Model, detector: Detector, plan: Plan, threshold: float, *, components: bool) -> HearAgain:
    """What listens to the recordings again, with stretches and sounds shared evenly by them."""
    from audiogmm.mixture.evaluator import Evaluator

    n = max(1, len(plan.wanted))
    return HearAgain(
        make_scorer(model),
        detector,
        Evaluator(model.mixture),
        threshold,
        plan.found,
        n_stretches=min(8, max(1, STRETCHES // n)),
        n_sounds=min(200, max(3, SOUNDS // n)),
        room=ROOM // (3 * n),
        n_components=model.mixture.n_components if components else 0,
    )
