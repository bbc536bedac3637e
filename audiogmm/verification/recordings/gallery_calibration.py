"""The calibration of a gallery: learned by leaving one recording out, or else that of the background."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.runs.progress import Progress
from audiogmm.types import Json
from audiogmm.verification.backend import read_backend
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.calibration_fitting import fit_calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.normalization import MIN_COHORT, NORMALIZATIONS
from audiogmm.verification.recalibration import effective_trials, has_enough_trials, recalibrate
from audiogmm.verification.recordings.leave_one_out import LeaveOneOutTrials, leave_one_out
from audiogmm.verification.recordings.trial_scorer import ScoredTrials
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.reduce import Reducer
    from audiogmm.runs.inputs import Inputs

BACKGROUND, LEAVE_ONE_OUT = "background", "leave-one-out"
"""Methods by which a calibration is learned."""


def calibrate_gallery(
    gallery: Gallery,
    inputs: Inputs,
    several: Collection[str],
    max_models: int,
    reducer: Reducer,
    progress: Progress,
    *,
    has_new_backend: bool,
) -> str:
    """Learn the calibration of a gallery and write it; return why there is none, or "".

    Where leaving recordings of the manifest out makes trials enough (see `has_enough_trials`), these set
    scale and offset of the background's calibration, or a calibration is learned from them where the
    background has none. Otherwise one that was learned so from an earlier manifest stays, or the background's
    is written.

    Parameters
    ----------
    gallery : Gallery
        Locked, and with all the speakers in it.
    inputs, several, max_models, reducer
        See `leave_one_out`.
    progress : Progress
        Receives the stage.
    has_new_backend : bool
        What was learned before does not hold any more.
    """
    base, note = _calibration_of_background(gallery)
    if gallery.adaptation.iterations == 1 and several:  # statistics of several rounds cannot be subtracted
        progress.begin("leaving one recording out", None, "recordings")
        trials = leave_one_out(gallery, inputs, several, max_models, reducer)
        progress.end()
        if has_enough_trials(trials.speakers, trials.target):
            normalized = {
                method: _learn(background_calibration(gallery, method), trials.normalized(method), trials)[0]
                for method in trials.space
                if method != "none"
            }
            gallery.calibrate(*_learn(base, trials.scored, trials), normalized)
            return ""
    if not has_new_backend and gallery.calibrations.learned.get("method") == LEAVE_ONE_OUT:
        return ""
    if base is not None:
        gallery.calibrate(base, _describe(base, BACKGROUND))
    return note


def find_calibration(gallery: Gallery, normalization: str = "none") -> Calibration | None:
    """Return the calibration that fits a normalization; None where none was learned.

    That of plain scores does not fit normalized ones, nor the other way round: each has its own, learned from
    the same trials.

    Raises
    ------
    ChoiceError
        If there is no such normalization, or there are no impostors to normalize by.
    """
    if normalization == "none":
        return gallery.calibration
    if normalization not in NORMALIZATIONS:
        raise ChoiceError(f"normalization {normalization!r}", needed=f"one of {', '.join(NORMALIZATIONS)}")
    backend = read_backend(gallery.background)
    size = 0 if backend is None else len(backend.cohort)
    if size < MIN_COHORT:
        raise ChoiceError(
            f"{normalization}-norm with a cohort of {size}",
            needed=f"a back end with at least {MIN_COHORT} impostors",
            remedy="audiogmm enroll --background M, or --normalize none",
        )
    calibrations = gallery.calibrations
    found = calibrations.normalized.get(normalization)
    if found is None and calibrations.learned.get("method") != LEAVE_ONE_OUT:
        found = background_calibration(gallery, normalization)
    return found


def background_calibration(gallery: Gallery, normalization: str = "none") -> Calibration | None:
    """Return the back end's calibration of a normalization, if it holds for the gallery's adaptation."""
    backend = read_backend(gallery.background)
    if backend is None or backend.about.get("adaptation") != gallery.adaptation.to_dict():
        return None
    return backend.calibrations.get(normalization)


def describe_calibration(learned: Json) -> str:
    """Say how a calibration was learned.

    Examples
    --------
    >>> learned = {"method": "leave-one-out", "speakers": 6, "targets": 60, "nontargets": 300}
    >>> describe_calibration(learned)
    'calibrated by leaving one recording out: 60 target and 300 nontarget trials of 6 speakers'
    >>> describe_calibration(learned | {"scale": 0.9, "offset": -1.0})[-28:]
    "(background's x 0.90 - 1.00)"
    """
    if learned.get("method") == BACKGROUND:
        return f"calibrated by {amount(learned['targets'], 'target trial')} of the background"
    if learned.get("method") != LEAVE_ONE_OUT:
        return ""
    moved = ""
    if "scale" in learned:
        sign = "-" if learned["offset"] < 0 else "+"
        moved = f" (background's x {learned['scale']:.2f} {sign} {abs(learned['offset']):.2f})"
    return (
        f"calibrated by leaving one recording out: {learned['targets']:,} target and "
        f"{learned['nontargets']:,} nontarget trials of {learned['speakers']} speakers{moved}"
    )


def _calibration_of_background(gallery: Gallery) -> tuple[Calibration | None, str]:
    """The back end's calibration of plain scores; why it has none that holds, otherwise."""
    backend, calibration = read_backend(gallery.background), background_calibration(gallery)
    if backend is None:
        return None, (
            "the background model has no back end, so scores are plain likelihood ratios and not calibrated; "
            "`enroll --background M` learns one from a manifest that names at least 20 speakers"
        )
    learned, own = backend.about.get("adaptation"), gallery.adaptation.to_dict()
    if learned != own:
        return None, (
            f"scores are not calibrated: the back end was calibrated for models adapted with {learned}, and "
            f"these are with {own}; `enroll --background M` calibrates it again"
        )
    return calibration, (
        "" if calibration else "scores are not calibrated: the background's recordings were too short for it"
    )


def _learn(
    base: Calibration | None, scored: ScoredTrials, trials: LeaveOneOutTrials
) -> tuple[Calibration, Json]:
    """Learn a calibration of these scores of trials, and say how."""
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
    return calibration, _describe(calibration, LEAVE_ONE_OUT) | about


def _describe(calibration: Calibration, method: str) -> Json:
    return {
        "method": method,
        "targets": calibration.n_targets,
        "nontargets": calibration.n_nontargets,
    }
