"""What a selection came to: the table, what each criterion chose, and which model to take."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.files import replacing
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.mixture.store import Model
from audiogmm.reprs import lines_repr
from audiogmm.training.selection.candidates import Candidate, TrainedCandidate
from audiogmm.training.selection.selection import SelectionResult
from audiogmm.types import Json
from audiogmm.words import SOUND, TABLE, Terms, amount

Criterion = Literal["held-out", "bic", "bic-effective", "aic", "icl"]
"""Criteria that can recommend a model."""

CRITERIA = get_args(Criterion)

NAMES = {
    "held-out": "held-out likelihood",
    "bic": "BIC",
    "bic-effective": "BIC, effective frames",
    "aic": "AIC",
    "icl": "ICL",
}
"""Names of the criteria, for closing lines and pictures."""

COST: dict[str, Callable[[TrainedCandidate], float]] = {
    "held-out": lambda one: -one.held_out.mean if one.held_out else np.inf,
    "bic": lambda one: one.bic,
    "bic-effective": lambda one: np.inf if one.bic_effective is None else one.bic_effective,
    "aic": lambda one: one.aic,
    "icl": lambda one: np.inf if one.icl is None else one.icl,
}
"""Each criterion as a number of which the lowest is best."""


@dataclass(frozen=True)
class Selection:
    """A table of candidates, and the choice among them.

    Parameters
    ----------
    result : SelectionResult
        The trained candidates, with their criteria.
    by : {"held-out", "bic", "bic-effective", "aic", "icl"} or None
        The criterion that recommends; None for the likelihood of held-out recordings, or, without any, BIC
        with the effective number of frames.
    metadata : ModelMetadata
        Front end and sample rate of the models.
    """

    result: SelectionResult
    by: Criterion | None = None
    metadata: ModelMetadata = field(default_factory=ModelMetadata, repr=False)

    __repr__ = lines_repr

    @cached_property
    def mixtures(self) -> list[TrainedCandidate]:
        """The mixtures that were finished, without k-means."""
        return [one for one in self.result.candidates if one.candidate.form != "kmeans"]

    @property
    def criterion(self) -> Criterion:
        """The criterion that recommends."""
        return self.by or ("held-out" if self.result.held_out_recordings else "bic-effective")

    @cached_property
    def chosen(self) -> dict[str, Candidate]:
        """The best candidate by each criterion; `knee` is where the inertia of k-means bends."""
        best = {
            name: min(self.mixtures, key=cost).candidate
            for name, cost in COST.items()
            if name != "held-out" or self.result.held_out_recordings
        }
        inertia = {one.candidate.n_components: one.inertia for one in self.result.candidates if one.inertia}
        bend = find_knee(inertia)
        return best | ({} if bend is None else {"knee": Candidate("kmeans", bend)})

    @cached_property
    def recommended(self) -> TrainedCandidate:
        """The recommended candidate.

        By held-out likelihood, it is the one with the fewest parameters that lies no more than one standard
        error behind the best (Breiman et al. 1984, section 3.4.3), the error being that of the difference,
        recording by recording.
        """
        best = next(one for one in self.mixtures if one.candidate == self.chosen[self.criterion])
        if self.criterion != "held-out":
            return best
        near = [one for one in self.mixtures if one is best or self._is_near(one, best)]
        return min(near, key=lambda one: one.n_parameters)

    @property
    def why(self) -> str:
        """Why it is recommended."""
        one, best, name = self.recommended, self.chosen[self.criterion], NAMES[self.criterion]
        if self.criterion != "held-out":
            return f"the lowest {name}"
        if one.candidate != best:
            behind, error = self.behind(one)
            return (
                f"the smallest within one standard error of the best {name}: "
                f"{behind:.4f} {self.terms.of('nats a frame')} behind {best}, with an error of {error:.4f}"
            )
        if self.result.held_out_recordings < 2:
            return f"the best {name}; one {self.terms.recording} gives no standard error"
        return f"the best {name}, and no smaller one within one standard error of it"

    @property
    def warning(self) -> str:
        """What to note where a larger size might be better still; else empty."""
        form, size = self.recommended.candidate.form, self.recommended.candidate.n_components
        tried = [one.candidate.n_components for one in self.mixtures if one.candidate.form == form]
        if size == max(tried) and len(tried) > 1:
            return f"{size} is the largest size tried: larger ones may be better still"
        return ""

    @property
    def model(self) -> Model:
        """The recommended model: trained on the recordings that were not held out, without a detector."""
        return Model(self.recommended.mixture, metadata=self.metadata)

    def behind(self, one: TrainedCandidate) -> tuple[float | None, float | None]:
        """Return how far behind the best held-out likelihood it is, nats a frame, and the standard error."""
        best = next((b for b in self.mixtures if b.candidate == self.chosen.get("held-out")), None)
        if best is None or best.held_out is None or one.held_out is None:
            return None, None
        difference = best.held_out.minus(one.held_out)
        return difference.mean, difference.error

    def _is_near(self, one: TrainedCandidate, best: TrainedCandidate) -> bool:
        behind, error = self.behind(one)
        return behind is not None and error is not None and behind <= error

    def rows(self) -> Iterator[Json]:
        """Yield a row for each candidate, with k-means of the same size; None where nothing is known."""
        n = self.result.n_frames
        inertia = {
            o.candidate.n_components: o.inertia for o in self.result.candidates if o.inertia is not None
        }
        for one in self.mixtures:
            name = one.candidate
            behind, error = self.behind(one)
            yield {
                "covariance_type": name.form,
                "n_components": name.n_components,
                "n_parameters": one.n_parameters,
                "passes": one.passes,
                "converged": one.converged,
                "log_likelihood": one.log_likelihood,
                "held_out": one.held_out.mean if one.held_out else None,
                "held_out_error": one.held_out.error if one.held_out else None,
                "behind": behind,
                "behind_error": error,
                "bic": one.bic,
                "bic_effective": one.bic_effective,
                "n_effective": None if one.time is None else n / one.time,
                "aic": one.aic,
                "icl": one.icl,
                "kmeans_inertia": inertia.get(name.n_components),
                "chosen_by": [criterion for criterion, best in self.chosen.items() if best == name],
                "recommended": one is self.recommended,
            }

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write the table as CSV.

        Raises
        ------
        OutputError
            If the file exists (and not `force`), or cannot be written.
        """
        rows = list(self.rows())
        with replacing(path, force=force) as temporary, temporary.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            table.writeheader()
            for row in rows:
                table.writerow(row | {"chosen_by": " ".join(row["chosen_by"])})

    @property
    def terms(self) -> Terms:
        """What the closing lines call frames and recordings."""
        return SOUND if self.metadata.frontend else TABLE

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        result, terms = self.result, self.terms
        held = f"{result.held_out_recordings} held out ({terms.frames(result.held_out_frames)})"
        yield (
            f"{terms.recordings(result.n_recordings)} trained ({terms.frames(result.n_frames)}), "
            f"{held if result.held_out_recordings else 'none held out'}; "
            f"{amount(result.passes, 'pass', 'passes')} for all"
        )
        yield from align_columns([_HEADINGS, *(_cells(row) for row in self.rows())])
        for criterion, best in self.chosen.items():
            if criterion == "knee":
                yield f"the inertia of k-means bends at {amount(best.n_components, 'cluster')}"
            else:
                yield f"{NAMES[criterion]} chooses {best}"
        yield f"recommended: {self.recommended.candidate}, {self.why}"
        if self.warning:
            yield f"note: {self.warning}"


_HEADINGS = (
    "form", "K", "parameters", "passes", "train", "held out", "behind", "BIC", "BIC eff.", "AIC", "ICL",
    "k-means", "",
)  # fmt: skip


def _cells(row: Json) -> tuple[str, ...]:
    """A row of the table: likelihoods in nats a frame."""

    def error(value: float | None, of: float | None) -> str:
        return "-" if value is None else f"{value:.3f}" + ("" if of is None else f" ±{of:.3f}")

    inertia = row["kmeans_inertia"]
    return (
        row["covariance_type"],
        str(row["n_components"]),
        f"{row['n_parameters']:,}",
        str(row["passes"]) + ("" if row["converged"] else "+"),
        f"{row['log_likelihood']:.3f}",
        error(row["held_out"], row["held_out_error"]),
        error(row["behind"], row["behind_error"]),
        *(f"{row[name]:,.0f}" for name in ("bic", "bic_effective", "aic", "icl")),
        "-" if inertia is None else f"{inertia:.4g}",
        "<-" if row["recommended"] else "",
    )


def align_columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table whose columns are as wide as they need to be.

    Examples
    --------
    >>> list(align_columns([("form", "K"), ("diag", "16")]))
    ['form   K', 'diag  16']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def find_knee(curve: dict[int, float]) -> int | None:
    """Find where a falling curve over sizes bends most: the point farthest below the line between its ends.

    Both axes are logarithmic, and scaled to the curve (Satopaa et al. 2011). None for fewer than three
    sizes, or a curve that does not bend.

    Examples
    --------
    >>> find_knee({1: 1000.0, 2: 500.0, 4: 50.0, 8: 40.0, 16: 33.0})
    4
    """
    sizes = sorted(curve)
    if len(sizes) < 3 or min(curve.values()) <= 0:
        return None
    x, y = np.log(sizes), np.log([curve[size] for size in sizes])
    if y[0] <= y[-1]:
        return None
    depth = 1 - (x - x[0]) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    return sizes[int(depth.argmax())] if depth.max() > 1e-9 else None


def check_criterion(by: str | None, hold_out: float) -> None:
    """Refuse an unknown criterion, or held-out likelihood where nothing is held out.

    Raises
    ------
    ChoiceError
        With the criteria there are.
    """
    if by is not None and by not in CRITERIA:
        raise ChoiceError(f"by={by!r}", needed="one of " + ", ".join(CRITERIA))
    if by == "held-out" and hold_out == 0:
        raise ChoiceError(
            "held-out likelihood as criterion, and nothing held out",
            needed="held-out recordings",
            remedy="--hold-out 0.2, or --by bic-effective",
        )
