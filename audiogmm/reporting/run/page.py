"""The page of a detection run: its recordings, scored again and laid out, and panels about the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.assembly import make_scorer
from audiogmm.anomaly.learning.model_parts import terms_of
from audiogmm.audio.matrix.columns import ColumnChoice
from audiogmm.errors import ChoiceError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reporting.page.content import DetectorSummary
from audiogmm.reporting.page.document import MOST_BYTES, Page, size_of
from audiogmm.reporting.page.times import times_section
from audiogmm.reporting.run.clusters import ComponentSounds
from audiogmm.reporting.run.facts import (
    describe_omissions,
    describe_page,
    list_set_aside,
    make_title,
    summarize_run,
)
from audiogmm.reporting.run.files import DetectionRun
from audiogmm.reporting.run.layout import ROOM, Layout
from audiogmm.reporting.run.panels import (
    EXAMPLES,
    clusters_of_folder,
    normal_panel,
    selection_panel,
    training_panel,
)
from audiogmm.reporting.run.plan import PagePlan, plan_page
from audiogmm.reporting.run.rescoring import COMPONENT_SECONDS, RescoreTask
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import open_inputs
from audiogmm.runs.progress import Progress
from audiogmm.scoring.clustering import Clusterer
from audiogmm.scoring.segmentation import INTERRUPTION
from audiogmm.words import SOUND, Terms

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.mixture.store import Model

SOUNDS, STRETCHES = 600, 400
"""Most sounds and stretches of a page, shared evenly by its recordings."""


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """What the page of a detection run shows, and where its inputs are.

    Parameters
    ----------
    model : Path, optional
        The model; by default the one that the record of the run names.
    manifest : str, optional
        The manifest; by default the one that the record of the run names.
    table : Path, optional
        A table that `select` wrote, whose criteria are drawn.
    clusters : Path, optional
        A folder that `cluster` wrote; by default the sound of components is taken from the recordings shown.
    most : int
        Most recordings that are shown in full.
    title : str
        Title of the page; "" for one made from the manifest's name.
    force : bool
        Overwrite a page that exists.
    strict : bool
        Fail on the first bad recording, in place of setting it aside.
    threads : int or None
        Threads of this process; all cores by default.

    Raises
    ------
    ChoiceError
        If `most` is negative.
    """

    model: Path | None = None
    manifest: str | None = None
    table: Path | None = None
    clusters: Path | None = None
    most: int = 200
    title: str = ""
    force: bool = False
    strict: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.most < 0:
            raise ChoiceError(f"most={self.most}", needed="0 recordings or more")


@dataclass(frozen=True)
class RunPage:
    """The page of a run, ready to be written.

    Attributes
    ----------
    page : Page
        Of less than 25 MB.
    n_sounds : int
        Sounds that can be played.
    terms : Terms
        What it calls recordings, or tables.
    """

    page: Page
    n_sounds: int
    terms: Terms = SOUND


def make_page(run: DetectionRun, settings: ReportSettings, aside: Aside, progress: Progress) -> RunPage:
    """Score the recordings of a run again, and lay out what its page shows.

    Parameters
    ----------
    run : DetectionRun
    settings : ReportSettings
    aside : Aside
        Takes recordings that could not be scored again.
    progress : Progress

    Raises
    ------
    ChoiceError, ManifestError, ModelFileError, MismatchError
        If a file of the run cannot be used; see `DetectionRun`.
    """
    from audiogmm.reduce import LocalReducer

    path, model, detector = run.model(settings.model)
    terms = terms_of(model)
    unit = terms.unit.strip()
    selection = None if settings.table is None else selection_panel(settings.table)
    components = None if settings.clusters is None else clusters_of_folder(settings.clusters, unit)
    plan = plan_page(run, settings.manifest, settings.most, audio=bool(model.metadata.frontend), aside=aside)
    about = run.record.detector if run.record else detector.metadata()
    threshold, release = (
        float(about.get(name, getattr(detector, name))) for name in ("threshold", "release")
    )
    summary = DetectorSummary(threshold, release, 3600 * detector.hours, unit)
    layout = Layout(plan, summary, aside)
    sounds = ComponentSounds(model)
    upsample = run.record is not None and run.record.upsample
    inputs = open_inputs(
        plan.wanted,
        model=model,
        aside=aside,
        say=progress.say,
        upsample=upsample,
        choice=ColumnChoice.of(run.record.columns if run.record else ()),
    )
    clusterer = Clusterer(
        Evaluator(model.mixture),
        sounds.clusters,
        INTERRUPTION if terms.unit else 0.0,
        EXAMPLES,
        COMPONENT_SECONDS,
    )
    task = _task(model, detector, plan, threshold, None if components is not None else clusterer)
    progress.begin("scoring again", len(plan.wanted), "recordings")
    with LocalReducer(settings.threads) as reducer:
        for rescored in reducer.map(inputs, task) if plan.wanted else ():  # none where all came by a pipe
            progress.advance(1)
            if not layout.add(rescored):
                break
            sounds.add(rescored)
    progress.end()

    peaks = [one.event.peak for one in plan.events.severest if one.event.peak is not None]
    panels = [
        normal_panel(detector, about, summary, peaks),
        training_panel(model),
        selection,
        components or sounds.panel(unit),
    ]
    notes = [plan.note] if plan.note else []
    if plan.wanted and not layout.seconds:
        notes.append("None of the recordings could be read. Give --manifest M if they were moved.")
    n_aside, aside_rows = list_set_aside(plan, aside)

    def lay_out() -> Page:
        rows = plan.rows(layout.ids)
        return Page(
            title=settings.title or make_title(run, settings.manifest),
            facts=summarize_run(run, plan, layout.seconds, threshold, terms),
            n_events=plan.events.n_events,
            detector=summary,
            notes=notes,
            events=plan.events.severest,
            names=plan.names,
            cards=layout.cards,
            rows=rows,
            omissions=describe_omissions(run, plan, layout.ids, len(rows), terms),
            times=times_section(run.record.times) if run.record and run.record.times else None,
            panels=[panel for panel in panels if panel is not None],
            aside=aside_rows,
            n_aside=n_aside,
            about=describe_page(run, path, model, terms),
            has_truth=layout.has_truth,
        )

    page = lay_out()
    while page.cards and size_of(page) > MOST_BYTES:
        layout.drop_milder()
        page = lay_out()
    return RunPage(page, layout.n_sounds, terms)


def _task(
    model: Model, detector: Detector, plan: PagePlan, threshold: float, clusterer: Clusterer | None
) -> RescoreTask:
    """Return the task for each recording, with stretches and sounds shared evenly by all."""
    n = max(1, len(plan.wanted))
    return RescoreTask(
        make_scorer(model),
        detector,
        threshold,
        plan.found,
        n_stretches=min(8, max(1, STRETCHES // n)),
        n_sounds=min(200, max(3, SOUNDS // n)),
        room=ROOM // (3 * n),
        clusterer=clusterer,
    )
