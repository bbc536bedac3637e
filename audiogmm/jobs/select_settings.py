"""What decides a selection: the sizes and forms that are compared, and how; checked in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.scorers.table import check_scores
from audiogmm.errors import ChoiceError
from audiogmm.jobs.selected import Criterion, check_criterion
from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.mixture.forms import form_of
from audiogmm.runs.settings import RunSettings
from audiogmm.training.seeding import Init
from audiogmm.training.selection.candidates import Candidate
from audiogmm.training.selection.selection import CandidateSettings
from audiogmm.types import CovarianceType

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

EVERY_SIZE = "8:256"
"""The sizes that are compared where none are named."""


@dataclass(frozen=True, kw_only=True)
class SelectSettings(RunSettings):
    """How models are compared.

    Attributes
    ----------
    frontend, sample_rate, seed, passes, tol, floor
        As of `TrainSettings`.
    n_components : str, int or iterable of int
        The sizes: numbers, or a text such as ``"8,16,32"`` or ``"8:256"``, which doubles. Kept as a tuple, in
        ascending order.
    covariance_type : CovarianceType or iterable of it, optional
        The forms, kept as a tuple; what `train` would take by default.
    by : {"held-out", "bic", "bic-effective", "aic", "icl"}, optional
        What recommends: held-out likelihood, or, where nothing is held out, BIC with an effective number of
        frames.
    hold_out : float
        Share of the recordings (of a single one: its last fifth), in [0, 0.5], on which models are compared
        and not trained; pieces of one file are on one side. 0: none.
    kmeans : bool
        Run k-means of the same sizes as well.
    init : {"split", "k-means++", "random"}
        How each candidate starts: by splitting, each size of a form grows from the next smaller one.
    plot : Path, optional
        Where to draw the criteria.
    save : Path, optional
        Where to save the recommended model: `train` starts from it, with the same recordings held out to set
        the normal scores, and re-estimates it on all.
    scores : str, optional
        What the detector of the saved model scores by, as of `train`.
    checkpoint : Path, optional
        Folder for what a selection to a file keeps to go on from, beside the table by default.

    Raises
    ------
    ChoiceError
        If a setting is outside its choices or its range, or two contradict each other.
    """

    frontend: FrontEnd | None = None
    sample_rate: int | None = None
    n_components: str | int | Iterable[int] = EVERY_SIZE
    covariance_type: CovarianceType | Iterable[CovarianceType] | None = None
    by: Criterion | None = None
    hold_out: float = 0.2
    kmeans: bool = True
    seed: int = 0
    init: Init = "split"
    passes: int = 100
    tol: float = 1e-3
    floor: float | None = None
    plot: Path | None = None
    save: Path | None = None
    scores: str | None = None
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        check_criterion(self.by, self.hold_out)
        if not 0 <= self.hold_out <= 0.5:
            raise ChoiceError(f"hold_out={self.hold_out}", needed="at least 0 (none) and at most 0.5")
        forms = self.covariance_type or ()
        forms = (forms,) if isinstance(forms, str) else tuple(dict.fromkeys(forms))
        for form in forms:
            form_of(form)
        object.__setattr__(self, "covariance_type", forms)
        object.__setattr__(self, "n_components", tuple(sizes(self.n_components)))
        self.of_candidates()  # which checks the others
        check_scores(self.scores)
        if self.scores is not None and self.save is None:
            raise ChoiceError(
                f"--scores {self.scores} without --save", needed="--save, which trains the recommended model"
            )

    def of_candidates(self, floor: float = RELATIVE_FLOOR) -> CandidateSettings:
        """Return the settings of the schedule; `floor` is the default one."""
        return CandidateSettings(
            seed=self.seed,
            init=self.init,
            passes=self.passes,
            tol=self.tol,
            floor=floor if self.floor is None else self.floor,
        )

    def candidates(self, usual: CovarianceType) -> list[Candidate]:
        """List what is compared: every size of every form (of the usual one by default), and of k-means."""
        forms = [*(self.covariance_type or (usual,)), *(["kmeans"] if self.kmeans else [])]
        return [Candidate(form, size) for form in forms for size in sizes(self.n_components)]


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
