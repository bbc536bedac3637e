"""Convergence: the likelihood no longer rises, or the parameters no longer change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.training.schedule.monitor import PassReport

Converged = Literal["likelihood", "parameters", ""]
"""Which rule ended the training; empty if it ended at its number of passes."""


@dataclass(frozen=True, slots=True)
class Convergence:
    """The two rules by which training stops.

    Parameters
    ----------
    tol : float
        It stops when the mean log-likelihood per frame rises by less than this, nats, from one pass to the
        next. 0 turns both rules off.
    movement_tol : float
        It stops when an update moves the parameters by less than this, in standard deviations; see
        `audiogmm.mixture.movement`.

    Raises
    ------
    ChoiceError
        If either is negative or not finite.

    Examples
    --------
    >>> report = PassReport(number=9, n_frames=100, log_likelihood=-3.0, gain=1e-5, movement=0.2)
    >>> Convergence(tol=1e-3).reached(report), Convergence(tol=0).reached(report)
    ('likelihood', '')
    """

    tol: float = 1e-3
    movement_tol: float = 1e-4

    def __post_init__(self) -> None:
        for name in ("tol", "movement_tol"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise ChoiceError(
                    f"{name}={value}", needed="a finite number of at least 0", remedy="0 to turn it off"
                )

    def reached(self, report: PassReport) -> Converged:
        """Return the rule that stops after this pass; a pass that rescued a component is never the last."""
        if self.tol == 0 or report.rescued:
            return ""
        if report.gain is not None and report.gain < self.tol:
            return "likelihood"
        return "parameters" if report.movement < self.movement_tol else ""
