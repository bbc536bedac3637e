"""Select to files: the table, a picture of the criteria, and the recommended model, ready for use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.anomaly.scorers.table import check_scores
from audiogmm.errors import OutputError
from audiogmm.jobs.select import EVERY_SIZE, checked, select
from audiogmm.jobs.selected import NAMES, Criterion, Selection
from audiogmm.jobs.train import train
from audiogmm.manifest.entry import STANDARD_INPUT
from audiogmm.report.run.pictures import check_pictures
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import copy_standard_input
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent, stopped_by_hand
from audiogmm.training import TrainingInterrupted
from audiogmm.training.seeding import Init
from audiogmm.types import CovarianceType, Json

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.manifest import Entry


@dataclass(frozen=True)
class SelectResult:
    """What `select_to_file` wrote, for a person and for `--json`."""

    output: Path
    selection: Selection
    aside: Aside
    plot: Path | None = None
    saved: Path | None = None

    def summary(self) -> Json:
        """For `--json`."""
        selection, found = self.selection, self.selection.sweep
        best = selection.recommended.candidate
        return {
            "output": str(self.output),
            "plot": None if self.plot is None else str(self.plot),
            "model": None if self.saved is None else str(self.saved),
            "n_components": best.n_components,
            "covariance_type": best.covariance_type,
            "by": selection.criterion,
            "why": selection.why,
            "chosen": {name: str(candidate) for name, candidate in selection.chosen.items()},
            "rows": list(selection.rows()),
            "passes": found.passes,
            "n_frames": found.n_frames,
            "n_recordings": found.n_recordings,
            "held_out_frames": found.held_out_frames,
            "held_out_recordings": found.held_out_recordings,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> list[str]:
        """For a person."""
        written = {"table": self.output, "picture": self.plot, "model": self.saved}
        return [
            *self.selection.lines(),
            *(f"{what}: {path}" for what, path in written.items() if path is not None),
        ]


def select_to_file(
    source: str,
    output: Path,
    frontend: FrontEnd | None = None,
    *,
    n_components: str = EVERY_SIZE,
    covariance_type: Sequence[CovarianceType] = (),
    by: Criterion | None = None,
    hold_out: float = 0.2,
    kmeans: bool = True,
    init: Init = "split",
    plot: Path | None = None,
    save: Path | None = None,
    scores: str | None = None,
    force: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
    **settings: Any,
) -> SelectResult:
    """Select as `select` does; write the table, a picture, and the recommended model, ready for use.

    Parameters
    ----------
    plot : Path, optional
        Where to draw the criteria.
    save : Path, optional
        Where to save the recommended model: `train` goes on from it, with the same recordings held out to
        set the normal scores, and re-estimates it on all.
    scores : str, optional
        What the detector of the saved model scores by, as of `train`.
    **settings
        Those that `select` and `train` share.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    KeyboardInterrupt
        On Ctrl-C; it says what was kept.
    """
    progress = progress or Silent()
    checked(n_components, covariance_type, by, hold_out)
    check_scores(scores)
    check_outputs([path for path in (output, plot, save) if path is not None], source, force)
    if plot is not None:
        check_pictures(plot, force=force)
    aside = Aside(errors_path(output), strict=strict)
    kept = copy_standard_input() if source == STANDARD_INPUT else None  # read again to be saved
    material: str | Iterable[Entry] = source if kept is None else kept.entries
    with stopped_by_hand("Nothing was written."), aside.explaining():
        selection = select(
            material,
            frontend,
            n_components=n_components,
            covariance_type=covariance_type,
            by=by,
            hold_out=hold_out,
            kmeans=kmeans,
            init=init,
            aside=aside,
            progress=progress,
            **settings,
        )
        if not selection.judged:
            raise KeyboardInterrupt
    selection.write(output, force=force)
    if plot is not None:
        draw_selection(selection, plot, force=force)
    missing = ", ".join(map(str, selection.sweep.missing))
    if missing:
        raise KeyboardInterrupt(
            f"The table of the {len(selection.judged)} candidates that were finished is in {output}; not "
            f"finished: {missing}. There is no way to resume: name these alone in another run"
        )
    if save is not None:
        best = selection.recommended.candidate
        remedy = (
            f"The table is in {output}; the model was not saved: audiogmm train -k {best.n_components} "
            f"--covariance {best.covariance_type} makes it"
        )
        try:
            model = train(
                material,
                start=selection.model,
                hold_out=hold_out,
                scores=scores,
                aside=aside,
                progress=progress,
                **settings,
            )
        except (KeyboardInterrupt, TrainingInterrupted) as stopped:
            raise KeyboardInterrupt(remedy) from stopped
        model.save(save, force=force)
    return SelectResult(output, selection, aside, plot, save)


def check_outputs(outputs: Sequence[Path], source: str, force: bool) -> None:
    """Refuse outputs that cannot be written, before the work.

    Raises
    ------
    OutputError
        If one exists (and not `force`), is the input or a folder, or two are the same.
    """
    for path in outputs:
        check_output(path, force, source)
        if list(outputs).count(path) > 1:
            raise OutputError(
                f"{path} is named for two outputs", needed="a file for each", remedy="another name"
            )


def draw_selection(selection: Selection, path: Path, *, force: bool = False) -> None:
    """Draw every criterion against the size, a curve a form."""
    from audiogmm.report.criteria import CriteriaPicture, CriterionPanel, draw_criteria

    sweep, rows = selection.sweep, list(selection.rows())
    panels = []
    columns = {"held-out": "held_out"} | {name: name.replace("-", "_") for name in list(NAMES)[1:]}
    for criterion, column in columns.items():
        if criterion not in selection.chosen:
            continue
        likelihood = criterion == "held-out"
        scale = 1.0 if likelihood else 1.0 / sweep.n_frames
        curves: dict[str, list[tuple[int, float]]] = {}
        errors: dict[str, list[tuple[int, float]]] = {}
        for row in rows:
            point = (row["n_components"], row[column] * scale)
            curves.setdefault(row["covariance_type"], []).append(point)
            if likelihood and row["behind_error"]:
                bar = (row["n_components"], row["behind_error"])
                errors.setdefault(row["covariance_type"], []).append(bar)
        best = selection.chosen[criterion]
        panels.append(
            CriterionPanel(
                title=NAMES[criterion].capitalize() if likelihood else NAMES[criterion],
                unit="nats a frame, higher is better" if likelihood else "per frame, lower is better",
                curves=curves,
                errors=errors,
                chosen=(best.form, best.n_components),
            )
        )
    inertia = [(o.candidate.n_components, o.inertia / sweep.n_frames) for o in sweep.judged if o.inertia]
    if inertia:
        knee = selection.chosen.get("knee")
        panels.append(
            CriterionPanel(
                title="K-means inertia",
                unit="squared distance a frame",
                curves={"kmeans": inertia},
                chosen=None if knee is None else ("kmeans", knee.n_components),
            )
        )
    best = selection.recommended.candidate
    draw_criteria(
        CriteriaPicture(panels, recommended=(best.form, best.n_components), why=selection.why),
        path,
        force=force,
    )
