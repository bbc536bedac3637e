"""The decision: a threshold for log-likelihood ratios, from a prior and two costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from audiogmm.errors import ChoiceError


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The prior probability of a target, and the costs of the two errors.

    Attributes
    ----------
    prior : float
        Probability of a target trial, in (0, 1).
    cost_miss, cost_false_alarm : float
        Of rejecting a target, and of accepting a nontarget; above zero.

    Raises
    ------
    ChoiceError
        If the prior is not in (0, 1), or a cost is not above zero.

    Examples
    --------
    >>> point = OperatingPoint(prior=0.01, cost_miss=10.0)
    >>> round(point.threshold, 3)
    2.293
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
        """Log-likelihood ratio from which on to accept costs less than to reject, nats.

        log((1 - p) / p * C_fa / C_miss) (Brümmer and du Preez 2006, "Application-independent evaluation of
        speaker detection").
        """
        return math.log((1 - self.prior) / self.prior * self.cost_false_alarm / self.cost_miss)

    def cost(self, p_miss: float, p_false_alarm: float) -> float:
        """Return the expected cost of a trial over that of the best decision without a score (NIST SRE)."""
        miss, false_alarm = self.prior * self.cost_miss, (1 - self.prior) * self.cost_false_alarm
        return (miss * p_miss + false_alarm * p_false_alarm) / min(miss, false_alarm)

    def __str__(self) -> str:
        costs = (
            ""
            if self.cost_miss == self.cost_false_alarm == 1
            else f", costs {self.cost_miss:g} and {self.cost_false_alarm:g}"
        )
        return f"prior {self.prior:g}{costs}"
