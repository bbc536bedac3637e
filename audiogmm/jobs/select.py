"""Select a model: train many sizes and forms side by side, and say which criterion chooses which."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError
from audiogmm.jobs.selected import Criterion, Selection, check_criterion
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.runs.aside import Aside
from audiogmm.runs.defaults import defaults
from audiogmm.runs.holdout import Excerpt, divide
from audiogmm.runs.progress import Progress, Silent
from audiogmm.runs.training_inputs import open_training_inputs
from audiogmm.runs.watch import Watch
from audiogmm.training import LocalReducer
from audiogmm.training.seeding import Init
from audiogmm.training.selection.candidates import Candidate
from audiogmm.training.selection.selection import SweepMonitor, sweep
from audiogmm.types import CovarianceType
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.manifest import Entry


EVERY_SIZE = "8:256"
"""The sizes that are gone through where none are named."""


class SweepWatch(Watch, SweepMonitor):
    """One bar for the passes of all candidates, with how many are finished."""

    def on_candidates(self, number: int, finished: int, n: int) -> None:
        """Keep the figure for the next bar."""
        self._latest = f": {finished} of {n} candidates finished"


def select(
    source: str | os.PathLike[str] | Iterable[Entry] | Iterable[FrameBlock],
    frontend: FrontEnd | None = None,
    *,
    n_components: str | int | Iterable[int] = EVERY_SIZE,
    covariance_type: CovarianceType | Sequence[CovarianceType] | None = None,
    by: Criterion | None = None,
    hold_out: float = 0.2,
    kmeans: bool = True,
    seed: int = 0,
    init: Init = "split",
    passes: int = 100,
    tol: float = 1e-3,
    floor: float | None = None,
    sample_rate: int | None = None,
    upsample: bool = False,
    threads: int | None = None,
    workers: int = 0,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> Selection:
    """Train mixtures of many sizes and forms in the same passes over the data, and compare them.

    Parameters
    ----------
    source, frontend, seed, passes, tol, floor, sample_rate, upsample, threads, workers, aside, progress
        As for `audiogmm.train`.
    n_components : str, int or iterable of int
        The sizes: numbers, or a text such as ``"8,16,32"`` or ``"8:256"``, which doubles.
    covariance_type : CovarianceType or sequence of it, optional
        The forms; what `train` would take by default.
    by : {"held-out", "bic", "bic-effective", "aic", "icl"}, optional
        What recommends: held-out likelihood, or, where nothing is held out, BIC with an effective number of
        frames.
    hold_out : float
        Share of the recordings (of a single one: its last fifth) that judges and does not train; pieces of
        one file are on one side. 0: none.
    kmeans : bool
        Run k-means of the same sizes beside.
    init : {"split", "k-means++", "random"}
        How each candidate starts: by splitting, each size of a form grows from the next smaller one.

    Returns
    -------
    Selection
        On Ctrl-C, once a candidate is finished, that of those that are: `sweep.missing` names the others.

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
    wanted = checked(n_components, covariance_type, by, hold_out)
    progress = progress or Silent()
    aside = Aside(strict=True) if aside is None else aside
    with LocalReducer(threads, workers) as reducer:
        opened = open_training_inputs(
            source,
            frontend,
            aside=aside,
            progress=progress,
            reducer=reducer,
            sample_rate=sample_rate,
            upsample=upsample,
        )
        inputs, shards = opened.recordings, opened.shards
        settled = inputs.frontend if inputs else None
        usual = defaults(settled)
        forms = [*(wanted.forms or (usual["covariance_type"],)), *(["kmeans"] if kmeans else [])]
        parts = None if hold_out == 0 else divide(inputs, shards, hold_out, seed)
        kept, held = (shards, None) if parts is None else parts
        if isinstance(held, list) and any(isinstance(part, Excerpt) and part.is_empty for part in held):
            raise ChoiceError(
                f"{held[0].id}, the only recording, has {amount(held[0].start, 'frame')}",
                needed="at least 5, for a last fifth to be held out",
                remedy="--hold-out 0, or more recordings",
            )
        with SweepWatch(progress, "selection", passes) as watch:
            found = sweep(
                kept,
                held,
                [Candidate(form, size) for form in forms for size in wanted.sizes],
                seed=seed,
                init=init,
                passes=passes,
                tol=tol,
                floor=usual["floor"] if floor is None else floor,
                reducer=reducer,
                monitor=watch,
                on_error=None if inputs is None else inputs.refuse,
            )
    metadata = ModelMetadata(
        frontend=settled.to_dict() if settled else None,
        sample_rate=settled.sample_rate if settled else None,
        seed=seed,
    )
    return Selection(found, None if by == "held-out" and not found.held_out_recordings else by, metadata)


@dataclass(frozen=True)
class Wanted:
    """The sizes and forms to be compared; no form for the usual one."""

    sizes: list[int]
    forms: tuple[CovarianceType, ...]


def checked(
    n_components: str | int | Iterable[int],
    covariance_type: CovarianceType | Sequence[CovarianceType] | None,
    by: str | None,
    hold_out: float,
) -> Wanted:
    """What is to be compared, before anything is read.

    Raises
    ------
    ChoiceError
        If a size, a form, the criterion or the share is none.
    """
    check_criterion(by, hold_out)
    if not 0 <= hold_out <= 0.5:
        raise ChoiceError(f"hold_out={hold_out}", needed="at least 0 (none) and at most 0.5")
    given = (covariance_type,) if isinstance(covariance_type, str) else tuple(covariance_type or ())
    for form in given:
        form_of(form)
    return Wanted(sizes(n_components), tuple(dict.fromkeys(given)))


_NEEDED = "numbers of components of at least 1 with commas between them, and ranges such as 8:256"


_REMEDY = "-k 8,16,32 or -k 8:256, which doubles: 8,16,32,64,128,256"


def sizes(wanted: str | int | Iterable[int]) -> list[int]:
    """Sizes in ascending order, each once.

    Parameters
    ----------
    wanted : str, int or iterable of int
        Numbers, or a text of numbers and ranges: ``8:256`` doubles from 8 as far as 256, which is the last
        one whether doubling meets it or not.

    Raises
    ------
    ChoiceError
        If a part is no number or no range, or below 1.

    Examples
    --------
    >>> sizes("4,8:100"), sizes([32, 8]), sizes(16)
    ([4, 8, 16, 32, 64, 100], [8, 32], [16])
    """
    if isinstance(wanted, str):
        found = {size for part in wanted.split(",") for size in _part(part.strip(), wanted)}
    else:
        found = {wanted} if isinstance(wanted, int) else set(wanted)
        if not found:
            raise ChoiceError("no size", needed=_NEEDED, remedy=_REMEDY)
        wrong = [
            size for size in found if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1
        ]
        if wrong:
            raise ChoiceError(f"n_components={wrong[0]!r}", needed="whole numbers of at least 1")
    return sorted(int(size) for size in found)


def _part(part: str, whole: str) -> list[int]:
    """One number, or one range."""
    first, colon, last = part.partition(":")
    try:
        low = int(first)
        high = int(last) if colon else low
    except ValueError:
        raise ChoiceError(
            f"-k {whole}: {part!r} is no number of components", needed=_NEEDED, remedy=_REMEDY
        ) from None
    if low < 1:
        raise ChoiceError(f"-k {whole}: {low} components", needed=_NEEDED, remedy=_REMEDY)
    if high < low:
        raise ChoiceError(
            f"-k {whole}: the range {part} ends before it begins", needed=_NEEDED, remedy=f"{high}:{low}"
        )
    doubled = []
    while low < high:
        doubled.append(low)
        low *= 2
    return [*doubled, high]
