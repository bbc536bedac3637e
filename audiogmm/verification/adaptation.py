"""MAP adaptation of the background model to a speaker: what is adapted, how far, in how many rounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.adaptation import TAU, adapt_mixture
from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray, Json

PARAMETERS = ("means", "variances", "weights")
"""What can be adapted."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """Settings of MAP adaptation (Reynolds, Quatieri and Dunn 2000, section 3.3).

    Attributes
    ----------
    tau : float
        Relevance factor, frames: a component with tau frames of the speaker is moved half the way.
    means, variances, weights : bool
        What is adapted; the rest stays the background's. Means alone, the default, is best in the paper.
    iterations : int
        Rounds of EM: each takes the posteriors of the model of the round before, the first those of the
        background model.

    Raises
    ------
    ChoiceError
        If tau is negative or not finite, nothing is adapted, or there is no round.

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
        """Return the settings that adapt the parameters of these names.

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
        """Make them from what `to_dict` returned."""
        return cls.of(settings["adapt"], settings["tau"], int(settings.get("iterations", 1)))

    def changed(self, adapt: Iterable[str] | None, tau: float | None, iterations: int | None) -> Adaptation:
        """Return these settings with others in place of some; None leaves a setting as it is."""
        return Adaptation.of(
            self.to_dict()["adapt"] if adapt is None else adapt,
            self.tau if tau is None else tau,
            self.iterations if iterations is None else iterations,
        )

    def to_dict(self) -> Json:
        """Return them as a JSON object."""
        adapted = [name for name in PARAMETERS if getattr(self, name)]
        return {"tau": float(self.tau), "adapt": adapted, "iterations": self.iterations}

    def __str__(self) -> str:
        settings = self.to_dict()
        adapted = ",".join(settings["adapt"])
        return f"--tau {settings['tau']:g} --adapt {adapted} --iterations {settings['iterations']}"

    def __call__(self, background: Mixture, stats: SufficientStats) -> Mixture:
        """Adapt the background model to the frames of these statistics.

        Variances are floored at `RELATIVE_FLOOR` of the background's mean variances.

        Raises
        ------
        TrainingError
            If there are no frames, or moments are not finite.
        MismatchError
            If the statistics are of another model.
        """
        adapted: dict[str, Any] = {name: getattr(self, name) for name in PARAMETERS}
        floor: float | FloatArray = 0.0
        if self.variances:
            K, D = background.means.shape
            spread = form_of(background.covariance_type).variances(background.covariances, K, D)
            floor = RELATIVE_FLOOR * (background.weights @ spread) / background.weights.sum()
        return adapt_mixture(background, stats, tau=self.tau, floor=floor, **adapted)[0]
