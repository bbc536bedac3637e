"""The calibration of a gallery: from recordings left out in turn, or else from the background."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.runs.progress import Progress
from audiogmm.types import Json
from audiogmm.verification.backend import backend_of
from audiogmm.verification.calibration import Calibration, fit_calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.normalization import NORMALIZATIONS, SMALLEST_COHORT
from audiogmm.verification.recalibration import effective_trials, enough, recalibrate
from audiogmm.verification.recordings.leave_one_out import leave_out
from audiogmm.verification.recordings.trial_scorer import ScoredTrials

if TYPE_CHECKING:
    from audiogmm.reduce import Reducer
    from audiogmm.runs.inputs import Inputs
    from audiogmm.verification.recordings.leave_one_out import LeftOut

BACKGROUND, LEFT_OUT = "background", "leave-one-out"
"""How a calibration was learned."""


def keep_calibration(
    gallery: Gallery,
    inputs: Inputs,
    several: Collection[str],
    most_models: int,
    reducer: Reducer,
    progress: Progress,
    *,
    anew: bool,
) -> str:
    """Learn and keep the calibration of a gallery; why there is none, otherwise.

    Where the manifest has trials enough when recordings are left out (see `recalibration.enough`), these set
    scale and offset of what the background brings, or teach a calibration where it brings none. Where it
    has not, what an earlier manifest taught in this way stays, and the background's calibration otherwise.

    Parameters
    ----------
    gallery : Gallery
        Locked, and with all the speakers in it.
    inputs, several, most_models, reducer
        See `leave_out`.
    progress : Progress
        Who listens.
    anew : bool
        Forget what was learned before: the back end is another.
    """
    base, note = from_background(gallery)
    if gallery.adaptation.iterations == 1 and several:  # of several rounds, sums do not subtract
        progress.begin("leaving one recording out", None, "recordings")
        trials = leave_out(gallery, inputs, several, most_models, reducer)
        progress.end()
        if enough(trials.speakers, trials.target):
            gallery.calibrate(*_learned(base, trials.scored, trials), _normalized(gallery, trials))
            return ""
    if not anew and gallery.calibration_learned.get("method") == LEFT_OUT:
        return ""
    if base is not None:
        gallery.calibrate(base, _trials_of(base, BACKGROUND))
    return note


def _normalized(gallery: Gallery, trials: LeftOut) -> dict[str, Calibration]:
    """What the trials teach of normalized scores, by normalization."""
    found = {}
    for how in trials.space:
        if how != "none":
            base = background_calibration(gallery, how)
            found[how] = _learned(base, trials.normalized(how), trials)[0]
    return found


def find_calibration(gallery: Gallery, normalization: str) -> Calibration | None:
    """Return the calibration that fits a normalization; None where none was learned.

    What leaving one recording out taught of scores that are not normalized says nothing about those that
    are, and the other way round: each has its own, from the same trials.

    Raises
    ------
    ChoiceError
        If there is no such normalization, or there are no impostors to normalize by.
    """
    if normalization == "none":
        return gallery.calibration
    if normalization not in NORMALIZATIONS:
        raise ChoiceError(f"normalization {normalization!r}", needed=f"one of {', '.join(NORMALIZATIONS)}")
    backend = backend_of(gallery.background)
    size = 0 if backend is None else len(backend.cohort)
    if backend is None or size < SMALLEST_COHORT:
        raise ChoiceError(
            f"{normalization}-norm with a cohort of {size}",
            needed=f"a back end with at least {SMALLEST_COHORT} impostors",
            remedy="audiogmm enroll --background M, or --normalize none",
        )
    found = gallery.calibrations_normalized.get(normalization)
    if found is None and gallery.calibration_learned.get("method") != LEFT_OUT:
        found = background_calibration(gallery, normalization)
    return found


def background_calibration(gallery: Gallery, normalization: str = "none") -> Calibration | None:
    """What the back end brings for models as these are, and scores normalized so; None for others."""
    backend = backend_of(gallery.background)
    fits = backend is not None and backend.about.get("adaptation") == gallery.adaptation.to_dict()
    return backend.calibration(normalization) if backend is not None and fits else None


def from_background(gallery: Gallery) -> tuple[Calibration | None, str]:
    """The calibration that the back end brings; why it does not, otherwise."""
    backend = backend_of(gallery.background)
    if backend is None:
        return None, (
            "the background model has no back end, so scores are plain likelihood ratios and not calibrated; "
            "`enroll --background M` learns one from a manifest that names at least 20 speakers"
        )
    learned = backend.about.get("adaptation")
    if learned != gallery.adaptation.to_dict():
        return None, (
            f"the back end was calibrated for models adapted with {learned}, and these are with "
            f"{gallery.adaptation.to_dict()}: scores are not calibrated; `enroll --background M` calibrates "
            "anew"
        )
    calibration = backend.calibration()
    return (
        calibration,
        "" if calibration else "the background's recordings were too short to calibrate scores",
    )


def told(learned: Json) -> str:
    """How the calibration was learned, for a person.

    Examples
    --------
    >>> found = {"method": "leave-one-out", "speakers": 6, "targets": 60, "nontargets": 300}
    >>> told(found)
    'calibrated by leaving one recording out: 60 target and 300 nontarget trials of 6 speakers'
    >>> told(found | {"scale": 0.9, "offset": -1.0})[-28:]
    "(background's x 0.90 - 1.00)"
    """
    if learned.get("method") == BACKGROUND:
        return f"calibrated by the background's {learned['targets']:,} target trials"
    if learned.get("method") != LEFT_OUT:
        return ""
    moved = ""
    if "scale" in learned:
        sign = "-" if learned["offset"] < 0 else "+"
        moved = f" (background's x {learned['scale']:.2f} {sign} {abs(learned['offset']):.2f})"
    return (
        f"calibrated by leaving one recording out: {learned['targets']:,} target and "
        f"{learned['nontargets']:,} nontarget trials of {learned['speakers']} speakers{moved}"
    )


def _learned(base: Calibration | None, scored: ScoredTrials, trials: LeftOut) -> tuple[Calibration, Json]:
    """What the trials teach of these scores of theirs, and how."""
    about: Json = {"speakers": len(set(trials.speakers))}
    if base is not None:
        llr = scored.scores(base)
        calibration, moved = recalibrate(base, llr, trials.target, trials.speakers)
        about |= moved
    else:
        columns = {"raw": scored.raw}
        if not np.isnan(scored.space).any():
            columns["space"] = scored.space
        own = [name for name, same in zip(trials.speakers, trials.target.tolist(), strict=True) if same]
        calibration = fit_calibration(columns, trials.target, l2=1 / effective_trials(own))
    return calibration, _trials_of(calibration, LEFT_OUT) | about


def _trials_of(calibration: Calibration, method: str) -> Json:
    return {
        "method": method,
        "targets": calibration.n_targets,
        "nontargets": calibration.n_nontargets,
    }
