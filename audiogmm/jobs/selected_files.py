"""Select to files: the table, a picture of the criteria, and the recommended model, ready for use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import OutputError
from audiogmm.files import together
from audiogmm.jobs.select import select
from audiogmm.jobs.select_settings import SelectSettings
from audiogmm.jobs.selected import Selection
from audiogmm.jobs.train import train
from audiogmm.jobs.train_settings import TrainSettings
from audiogmm.keywords import accepts
from audiogmm.manifest.entry import STANDARD_INPUT
from audiogmm.mixture.store import Model
from audiogmm.reporting.run.pictures import check_pictures
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.inputs import copy_standard_input
from audiogmm.runs.listed_inputs import note_inputs
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.unfinished import unfinished
from audiogmm.training import TrainingInterrupted
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


_CONTINUES = "the same command with --resume continues"


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
        selection, found = self.selection, self.selection.result
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
            **self.aside.summary(),
        }

    def lines(self) -> list[str]:
        """For a person."""
        written = {"table": self.output, "picture": self.plot, "model": self.saved}
        return [
            *self.selection.lines(),
            *(f"{what}: {path}" for what, path in written.items() if path is not None),
        ]


@accepts(SelectSettings, without=("frontend",))
def select_to_file(
    source: str,
    output: Path,
    frontend: FrontEnd | None = None,
    *,
    settings: SelectSettings,
    progress: Progress | bool | None = None,
) -> SelectResult:
    """Select as `select` does; write the table, a picture, and the recommended model, ready for use.

    Parameters
    ----------
    source, frontend, settings, progress
        As for `select`.
    output : Path
        The table, as CSV.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    KeyboardInterrupt
        On Ctrl-C; it says what was kept.
    """
    progress = progress_of(progress)
    settings = replace(settings, frontend=frontend or settings.frontend)
    plot, save = settings.plot, settings.save
    outputs = [path for path in (output, plot, save) if path is not None]
    check_outputs(outputs, source)
    with (
        unfinished(outputs, settings.checkpoint, resume=settings.resume, force=settings.force) as run,
        set_aside_by(output, settings.strict) as aside,
    ):
        force, began = settings.force or run.goes_on, time.time()
        if plot is not None:
            check_pictures(plot, force=force)
        copy = copy_standard_input() if source == STANDARD_INPUT else None  # read again to be saved
        entries = source if copy is None else copy.entries
        sizes = run.part("sizes")
        try:
            with aside.explaining():
                selection = select(
                    entries, settings=settings, checkpoint=sizes, aside=aside, progress=progress
                )
            if not selection.mixtures:
                raise KeyboardInterrupt
        except KeyboardInterrupt as stopped:
            raise KeyboardInterrupt(
                "Nothing was written" + (f"; {_CONTINUES}" if run.kept else ".")
            ) from stopped

        def write(model: Model | None = None) -> None:
            with together():
                selection.write(output, force=force)
                if plot is not None:
                    draw_selection(selection, plot, force=force)
                if save is not None and model is not None:
                    model.save(save, force=force)
            note_inputs(output, source, aside, progress.say, since=began)

        if missing := ", ".join(map(str, selection.result.missing)):
            write()
            raise KeyboardInterrupt(
                f"The table of the {amount(len(selection.mixtures), 'candidate')} finished is in {output}; "
                f"not finished: {missing}. {_CONTINUES.capitalize()}"
            )
        if save is None:
            write()
            return SelectResult(output, selection, aside, plot, save)
        try:
            model = train(
                entries,
                settings=settings_to_train(settings, selection),
                checkpoint=run.part("save"),
                aside=aside,
                progress=progress,
            )
        except (KeyboardInterrupt, TrainingInterrupted) as stopped:
            write()
            raise KeyboardInterrupt(
                f"The table is in {output}; the model was not saved. {_CONTINUES.capitalize()}"
            ) from stopped
        write(model)
        return SelectResult(output, selection, aside, plot, save)


def settings_to_train(settings: SelectSettings, selection: Selection) -> TrainSettings:
    """Return the settings by which `train` makes the recommended model."""
    return TrainSettings(
        start=selection.model,
        hold_out=settings.hold_out,
        scores=settings.scores,
        sample_rate=settings.sample_rate,
        upsample=settings.upsample,
        passes=settings.passes,
        tol=settings.tol,
        floor=settings.floor,
        seed=settings.seed,
        threads=settings.threads,
        workers=settings.workers,
    )


def check_outputs(outputs: Sequence[Path], source: str) -> None:
    """Refuse outputs that cannot be written, before the work.

    Raises
    ------
    OutputError
        If one is the input or a folder, or two are the same.
    """
    for path in outputs:
        check_output(path, True, source)
        if list(outputs).count(path) > 1:
            raise OutputError(
                f"{path} is named for two outputs", needed="a file for each", remedy="another name"
            )


def draw_selection(selection: Selection, path: Path, *, force: bool = False) -> None:
    """Draw every criterion against the size, with a curve for each form."""
    from audiogmm.reporting.criteria import CriteriaPicture, draw_criteria

    bend = selection.chosen.get("knee")
    picture = CriteriaPicture.of_table(
        list(selection.rows()),
        n_frames=selection.result.n_frames,
        knee=None if bend is None else bend.n_components,
        why=selection.why,
    )
    draw_criteria(picture, path, force=force)
