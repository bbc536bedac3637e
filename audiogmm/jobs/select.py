"""Select a model: train many sizes and forms side by side, and say which criterion chooses which."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.jobs.select_settings import SelectSettings
from audiogmm.jobs.selected import Selection
from audiogmm.keywords import accepts
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.defaults import choose_defaults
from audiogmm.runs.frontends import as_frontend
from audiogmm.runs.holdout import Excerpt, divide
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.settings import OF_FILES
from audiogmm.runs.sources import Source
from audiogmm.runs.training_inputs import open_training_inputs
from audiogmm.runs.watch import Watch
from audiogmm.training.selection.selection import SelectionMonitor, train_candidates
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


class SelectionWatch(Watch, SelectionMonitor):
    """One bar for the passes of all candidates, with how many are finished."""

    def on_candidates(self, number: int, finished: int, n: int) -> None:
        """Keep the figure for the next bar."""
        self._latest = f": {finished} of {n} candidates finished"


@accepts(SelectSettings, without=(*OF_FILES, "frontend", "plot", "save", "scores", "checkpoint"))
def select(
    source: Source | Iterable[FrameBlock],
    frontend: FrontEnd | str | None = None,
    *,
    settings: SelectSettings,
    checkpoint: Path | None = None,
    aside: Aside | None = None,
    progress: Progress | bool | None = None,
) -> Selection:
    """Train mixtures of many sizes and forms in the same passes over the data, and compare them.

    Parameters
    ----------
    source, frontend, aside, progress
        As for `audiogmm.train`.
    settings : SelectSettings
        How they are compared; or its fields as keywords.
    checkpoint : Path, optional
        File that takes what was reached, from which the same call continues.

    Returns
    -------
    Selection
        On Ctrl-C, once a candidate is finished, that of those that are: `result.missing` names the others.

    Raises
    ------
    ChoiceError
        If a setting is outside its choices or its range.
    TrainingError
        If there are fewer frames than components, or none at all.
    AudioGMMError
        The first bad recording's, unless `aside` takes it.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> centres = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    >>> clock = ag.FrameClock(16000, 160, 400)
    >>> blocks = [ag.FrameBlock((centres[random.integers(3, size=300)] + random.normal(size=(300, 2)))
    ...                         .astype(np.float32), np.ones(300, bool), 0, clock) for _ in range(6)]
    >>> ag.select(blocks, n_components="1,2,3,4,5", covariance_type="spherical").recommended.candidate
    Candidate(form='spherical', n_components=3)
    """
    progress = progress_of(progress)
    aside = Aside(strict=True) if aside is None else aside
    with LocalReducer(settings.threads, settings.workers) as reducer:
        inputs = open_training_inputs(
            source,
            as_frontend(frontend or settings.frontend),
            reducer=reducer,
            aside=aside,
            progress=progress,
            sample_rate=settings.sample_rate,
            upsample=settings.upsample,
            choice=settings.choice,
        )
        usual = choose_defaults(inputs.frontend)
        while True:
            known = len(aside)
            kept, held = divide(inputs, settings.hold_out, settings.seed) or (inputs.shards, None)
            check_held_out(held)
            try:
                with SelectionWatch(progress, "selection", settings.passes) as watch:
                    found = train_candidates(
                        kept,
                        held,
                        settings.candidates(usual.covariance_type),
                        settings=settings.of_candidates(usual.floor),
                        reducer=reducer,
                        monitor=watch,
                        on_error=inputs.on_error,
                        checkpoint=checkpoint,
                    )
                break
            except TrainingError:
                if len(aside) == known:  # else another draw, without those that were found to be bad
                    raise
    metadata = ModelMetadata(
        frontend=inputs.frontend.to_dict() if inputs.frontend else None,
        sample_rate=inputs.frontend.sample_rate if inputs.frontend else None,
        seed=settings.seed,
        columns=inputs.columns,
    )
    by = None if settings.by == "held-out" and not found.held_out_recordings else settings.by
    return Selection(found, by, metadata)


def check_held_out(held: Iterable[Shard] | None) -> None:
    """Refuse a single recording that is too short for a part of it to be held out.

    Raises
    ------
    ChoiceError
        Naming it and its length.
    """
    if isinstance(held, list) and any(isinstance(part, Excerpt) and part.is_empty for part in held):
        raise ChoiceError(
            f"{held[0].id}, the only recording, has {amount(held[0].start, 'frame')}",
            needed="at least 5, for a last fifth to be held out",
            remedy="--hold-out 0, or more recordings",
        )
