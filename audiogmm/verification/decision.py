"""The decision: from a log-likelihood ratio, a prior and two costs to accept or reject."""

from __future__ import annotations

import math
from dataclasses import dataclass

from audiogmm.errors import ChoiceError
from audiogmm.types import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How likely a target is before anything is heard, and what the two errors cost.

    Attributes
    ----------
    prior : float
        Probability of a target trial, in (0, 1).
    cost_miss, cost_false_alarm : float
        Of rejecting a target, and of accepting a nontarget; above zero.

    Raises
    ------
    ChoiceError
        If the prior is no probability within (0, 1), or a cost is not above zero.

    Examples
    --------
    >>> point = OperatingPoint(prior=0.01, cost_miss=10.0)
    >>> round(point.threshold, 3), round(point.effective_prior, 4)
    (2.293, 0.0917)
    >>> OperatingPoint(prior=1.0)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: a prior of 1.0; needed: a probability above 0 and under 1
    """

    prior: float = 0.05
    cost_miss: float = 1.0
    cost_false_alarm: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1:
            raise ChoiceError(f"a prior of {self.prior}", needed="a probability above 0 and under 1")
        for name in ("cost_miss", "cost_false_alarm"):
            cost = getattr(self, name)
            if not 0 < cost < math.inf:
                raise ChoiceError(f"{name}={cost}", needed="a finite cost above 0")

    @property
    def threshold(self) -> float:
        """Bayes' threshold for a log-likelihood ratio, nats (Brümmer and du Preez 2006)."""
        return math.log((1 - self.prior) / self.prior * self.cost_false_alarm / self.cost_miss)

    @property
    def effective_prior(self) -> float:
        """The prior that with costs of 1 asks for the same decisions."""
        return 1 / (1 + math.exp(self.threshold))

    def cost(self, p_miss: float, p_false_alarm: float) -> float:
        """Expected cost of a trial, normalized: 1 is what deciding without hearing costs (NIST SRE)."""
        miss, false_alarm = self.prior * self.cost_miss, (1 - self.prior) * self.cost_false_alarm
        return (miss * p_miss + false_alarm * p_false_alarm) / min(miss, false_alarm)

    def __str__(self) -> str:
        costs = (
            ""
            if self.cost_miss == self.cost_false_alarm == 1
            else f", costs {self.cost_miss:g} and {self.cost_false_alarm:g}"
        )
        return f"prior {self.prior:g}{costs}"


def threshold(prior: float = 0.05, cost_miss: float = 1.0, cost_false_alarm: float = 1.0) -> float:
    """Log-likelihood ratio from which on accepting costs less than rejecting, nats.

    log((1 - p) / p * C_fa / C_miss) (Brümmer and du Preez 2006, "Application-independent evaluation of
    speaker detection").

    Parameters
    ----------
    prior : float
        Probability of a target trial, in (0, 1).
    cost_miss, cost_false_alarm : float
        Of the two errors, above zero.

    Raises
    ------
    ChoiceError
        If one is outside its range.

    Examples
    --------
    >>> threshold(0.5), round(threshold(0.01, 10, 1), 3)
    (0.0, 2.293)
    """
    return OperatingPoint(prior, cost_miss, cost_false_alarm).threshold


def decide(
    llr: FloatArray, prior: float = 0.05, cost_miss: float = 1.0, cost_false_alarm: float = 1.0
) -> BoolArray:
    """Accept where the log-likelihood ratio reaches the threshold, shape (n,).

    Parameters
    ----------
    llr : ndarray of shape (n,), float64
        Calibrated log-likelihood ratios, nats.
    prior, cost_miss, cost_false_alarm : float
        As of `threshold`.

    Examples
    --------
    >>> import numpy as np
    >>> decide(np.array([-1.0, 0.0, 3.0]), prior=0.5)
    array([False,  True,  True])
    """
    accepted: BoolArray = llr >= threshold(prior, cost_miss, cost_false_alarm)
    return accepted
