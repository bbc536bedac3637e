"""The evaluation of the scores of trials, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.verification.comparison import Difference
from audiogmm.evaluation.verification.performance import Curves, Performance
from audiogmm.runs.aside import Aside
from audiogmm.types import Json


@dataclass(frozen=True)
class Condition:
    """One condition's trials.

    Attributes
    ----------
    key, value : str
        Column, and its value.
    n_trials : int
        Trials with this value.
    performance : Performance or None
        None where they cannot be evaluated.
    reason : str
        Why not.
    """

    key: str
    value: str
    n_trials: int
    performance: Performance | None = None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """Another system on the same trials.

    Attributes
    ----------
    path : str
        Its scores.
    performance : Performance
        Its own figures, on the trials that both have.
    curves : Curves
        For a picture.
    eer, cllr, min_cllr : Difference
        From the system evaluated to the other.
    min_dcf, act_dcf : tuple of Difference
        One for each operating point.
    """

    path: str
    performance: Performance
    curves: Curves
    eer: Difference
    cllr: Difference
    min_cllr: Difference
    min_dcf: tuple[Difference, ...]
    act_dcf: tuple[Difference, ...]


@dataclass(frozen=True)
class VerificationEvaluation:
    """The evaluation of a score file.

    Attributes
    ----------
    path, column : str
        The scores.
    overall : Performance
        All trials.
    curves : Curves
        For a picture.
    conditions : tuple of Condition
        Of each column asked for, in order.
    against : Comparison or None
        Another system.
    notes : tuple of str
        What a reader should know of the trials.
    draws : Draws
        Of speakers, for the intervals.
    aside : Aside
        Rows that were not used.
    """

    path: str
    column: str
    overall: Performance
    curves: Curves
    conditions: tuple[Condition, ...]
    against: Comparison | None
    notes: tuple[str, ...]
    draws: Draws
    aside: Aside

    def to_dict(self) -> Json:
        """Return the result as one JSON object."""
        found: Json = {"scores": self.path, "column": self.column, **self.overall.to_json()}
        found["conditions"] = [
            {"key": c.key, "value": c.value, "n_trials": c.n_trials}
            | ({"reason": c.reason} if c.performance is None else c.performance.to_json())
            for c in self.conditions
        ]
        if self.against is not None:
            other = self.against
            found["against"] = {
                "scores": other.path,
                **other.performance.to_json(),
                "compared": {
                    "eer": other.eer.to_json(),
                    "cllr": other.cllr.to_json(),
                    "min_cllr": other.min_cllr.to_json(),
                    "min_dcf": [difference.to_json() for difference in other.min_dcf],
                    "act_dcf": [difference.to_json() for difference in other.act_dcf],
                },
            }
        found["interval"] = {
            "confidence": self.draws.confidence,
            "resampled": "speakers",
            "replicates": self.draws.replicates,
            "seed": self.draws.seed,
        }
        return found | {"notes": list(self.notes)}
