"""How a speaker's model is made of the background model: what moves, how far, and in how many rounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.adaptation import TAU, adapt
from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray, Json

PARAMETERS = ("means", "variances", "weights")
"""What adaptation may move."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """Settings of MAP adaptation (Reynolds, Quatieri and Dunn 2000, section 3.3).

    Attributes
    ----------
    tau : float
        Relevance factor, in frames: a component that heard tau frames of the speaker goes half the way.
    means, variances, weights : bool
        What moves; the rest stays the background's. The paper found means alone best, and so is the default.
    iterations : int
        Rounds of EM: each takes the posteriors under the model of the round before, the first under the
        background model.

    Raises
    ------
    ChoiceError
        If tau is negative or not finite, nothing moves, or there is no round.

    Examples
    --------
    >>> Adaptation(tau=8, weights=True).to_dict()
    {'tau': 8.0, 'adapt': ['means', 'weights'], 'iterations': 1}
    >>> Adaptation.from_dict({"tau": 8.0, "adapt": ["means", "weights"]}) == Adaptation(tau=8, weights=True)
    True
    """

    tau: float = TAU
    means: bool = True
    variances: bool = False
    weights: bool = False
    iterations: int = 1

    def __post_init__(self) -> None:
        if not (self.tau >= 0 and np.isfinite(self.tau)):
            raise ChoiceError(f"a relevance factor tau={self.tau}", needed="a finite number of at least 0")
        if not (self.means or self.variances or self.weights):
            raise ChoiceError("adaptation of nothing", needed=f"at least one of {', '.join(PARAMETERS)}")
        if self.iterations < 1:
            raise ChoiceError(f"iterations={self.iterations}", needed="at least 1")

    @classmethod
    def of(cls, parameters: Iterable[str], tau: float = TAU, iterations: int = 1) -> Adaptation:
        """Settings that move the parameters of these names.

        Raises
        ------
        ChoiceError
            If there is no such parameter.

        Examples
        --------
        >>> Adaptation.of(["weights"]).means
        False
        """
        named = [name.strip() for name in parameters if name.strip()]
        if unknown := [name for name in named if name not in PARAMETERS]:
            raise ChoiceError(f"adaptation of {unknown[0]!r}", needed=f"some of {', '.join(PARAMETERS)}")
        return cls(tau=float(tau), iterations=iterations, **{name: name in named for name in PARAMETERS})

    @classmethod
    def from_dict(cls, settings: Json) -> Adaptation:
        """What `to_dict` gave."""
        return cls.of(settings["adapt"], settings["tau"], int(settings.get("iterations", 1)))

    def to_dict(self) -> Json:
        """As JSON."""
        moved = [name for name in PARAMETERS if getattr(self, name)]
        return {"tau": float(self.tau), "adapt": moved, "iterations": self.iterations}

    def __call__(self, background: Mixture, stats: SufficientStats) -> Mixture:
        """The background model, moved towards the frames of these statistics.

        Variances are floored at `RELATIVE_FLOOR` of the background's mean variances.

        Raises
        ------
        TrainingError
            If there are no frames, or moments are not finite.
        MismatchError
            If the statistics are of another model.
        """
        moved: dict[str, Any] = {name: getattr(self, name) for name in PARAMETERS}
        floor: float | FloatArray = 0.0
        if self.variances:
            K, D = background.means.shape
            spread = form_of(background.covariance_type).variances(background.covariances, K, D)
            floor = RELATIVE_FLOOR * (background.weights @ spread) / background.weights.sum()
        return adapt(background, stats, tau=self.tau, floor=floor, **moved)[0]
