"""The slow, obvious twin of identification."""

from __future__ import annotations

from fractions import Fraction
from math import exp


def posteriors(llr: list[float], priors: list[float]) -> list[float]:
    """P(i) = p_i e^l_i / (p_0 + sum p_j e^l_j), term by term; nobody is last."""
    nobody = 1 - sum(map(Fraction, priors))
    terms = [Fraction(p) * Fraction(exp(ratio)) for p, ratio in zip(priors, llr, strict=True)]
    total = sum(terms, nobody)
    return [float(term / total) for term in [*terms, nobody]]
