"""Slow, obvious twins of the metrics of verification, of their bootstrap, and of calibration."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np


def rates(targets: Sequence[float], nontargets: Sequence[float]) -> list[tuple[float, float, float]]:
    """Threshold, miss rate and false-alarm rate at every threshold that makes a difference."""
    found = []
    for threshold in [*sorted({*targets, *nontargets}), math.inf]:
        miss = sum(s < threshold for s in targets) / len(targets)
        false_alarm = sum(s >= threshold and threshold != math.inf for s in nontargets) / len(nontargets)
        found.append((threshold, miss, false_alarm))
    return found


def eer(targets: Sequence[float], nontargets: Sequence[float]) -> float:
    """Least of max(miss, false alarm) over all chance mixtures of two thresholds."""
    best = 1.0
    points = [(m, f) for _, m, f in rates(targets, nontargets)]
    for (m1, f1), (m2, f2) in itertools.product(points, points):
        best = min(best, max(m1, f1))
        slope = (m1 - f1) - (m2 - f2)
        if slope:
            share = (m1 - f1) / slope  # where the mixture has as many misses as false alarms
            if 0 <= share <= 1:
                best = min(best, m1 + share * (m2 - m1))
    return best


def dcf(miss: float, false_alarm: float, prior: float, cost_miss: float, cost_false_alarm: float) -> float:
    """Expected cost over that of the better of the two systems that do not listen."""
    expected = cost_miss * prior * miss + cost_false_alarm * (1 - prior) * false_alarm
    return expected / min(cost_miss * prior, cost_false_alarm * (1 - prior))


def min_dcf(
    targets: Sequence[float], nontargets: Sequence[float], prior: float, cost_miss: float, cost_fa: float
) -> float:
    """Least cost over all thresholds."""
    return min(dcf(m, f, prior, cost_miss, cost_fa) for _, m, f in rates(targets, nontargets))


def act_dcf(
    targets: Sequence[float], nontargets: Sequence[float], prior: float, cost_miss: float, cost_fa: float
) -> float:
    """Cost at Bayes' threshold: accept where that costs less."""

    def accepts(llr: float) -> bool:
        odds = math.exp(llr) * prior / (1 - prior)
        return odds * cost_miss >= cost_fa

    miss = sum(not accepts(s) for s in targets) / len(targets)
    false_alarm = sum(accepts(s) for s in nontargets) / len(nontargets)
    return dcf(miss, false_alarm, prior, cost_miss, cost_fa)


def cllr(targets: Sequence[float], nontargets: Sequence[float]) -> float:
    """Brümmer and du Preez's cost, bits."""
    of_targets = sum(math.log2(1 + math.exp(-s)) for s in targets) / len(targets)
    of_nontargets = sum(math.log2(1 + math.exp(s)) for s in nontargets) / len(nontargets)
    return (of_targets + of_nontargets) / 2


def isotonic_odds(targets: Sequence[float], nontargets: Sequence[float]) -> dict[float, tuple[float, float]]:
    """Counts of targets and nontargets in the block of each distinct score, by min-max over all intervals.

    The isotonic regression at i is max over a <= i of min over b >= i of the share of targets in a..b.
    """
    values = sorted({*targets, *nontargets})
    t = [sum(s == v for s in targets) for v in values]
    n = [sum(s == v for s in nontargets) for v in values]

    def share(a: int, b: int) -> float:
        return sum(t[a : b + 1]) / sum(t[a : b + 1] + n[a : b + 1])

    found = {}
    for i, value in enumerate(values):
        posterior = max(min(share(a, b) for b in range(i, len(values))) for a in range(i + 1))
        found[value] = (posterior, 1 - posterior)
    return found


def min_cllr(targets: Sequence[float], nontargets: Sequence[float]) -> float:
    """Cllr of the log-odds that isotonic regression gives, less the log-odds of the trials themselves."""
    odds = isotonic_odds(targets, nontargets)
    base = math.log(len(targets) / len(nontargets))

    def cost(score: float, sign: int) -> float:
        p, q = odds[score]
        p, q = (p, q) if sign < 0 else (q, p)
        if p == 0:
            return math.inf
        if q < 1e-15:
            return 0.0
        return math.log2(1 + math.exp(math.log(q / p) + (base if sign < 0 else -base)))

    of_targets = sum(cost(s, -1) for s in targets) / len(targets)
    of_nontargets = sum(cost(s, 1) for s in nontargets) / len(nontargets)
    return (of_targets + of_nontargets) / 2


def calibration_cost(
    theta: np.ndarray, x: np.ndarray, target: np.ndarray, prior: float, weights: np.ndarray, l2: float
) -> float:
    """Objective of the prior-weighted logistic regression; slopes of standardized columns, then offset."""
    log_odds = math.log(prior / (1 - prior))
    w_t = sum(w for w, y in zip(weights, target, strict=True) if y)
    w_n = sum(w for w, y in zip(weights, target, strict=True) if not y)
    alpha = [w * (prior / w_t if y else (1 - prior) / w_n) for w, y in zip(weights, target, strict=True)]
    mean = sum(a * row for a, row in zip(alpha, x, strict=True))
    sd = np.sqrt(sum(a * (row - mean) ** 2 for a, row in zip(alpha, x, strict=True)))
    cost = 0.0
    for a, row, y in zip(alpha, x, target, strict=True):
        z = float(np.dot(theta[:-1], (row - mean) / sd)) + theta[-1] + log_odds
        cost += a * float(np.logaddexp(0.0, -z if y else z))
    return cost + l2 / 2 * float(np.sum(theta[:-1] ** 2))


def speakers(
    models: Sequence[str], recordings: Sequence[str], target: Sequence[bool]
) -> list[tuple[int, int]]:
    """Speaker of the model and of the recording of each trial: numbers spread until nothing changes."""
    number = {("model", m): i for i, m in enumerate(sorted(set(models)))}
    number |= {("recording", r): len(number) + i for i, r in enumerate(sorted(set(recordings)))}
    changed = True
    while changed:
        changed = False
        for m, r, t in zip(models, recordings, target, strict=True):
            a, b = number["model", m], number["recording", r]
            if t and a != b:
                number["model", m] = number["recording", r] = min(a, b)
                changed = True
    return [(number["model", m], number["recording", r]) for m, r in zip(models, recordings, strict=True)]


def drawn(
    scores: Sequence[float], target: Sequence[bool], pairs: Sequence[tuple[int, int]], counts: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Target and nontarget scores after a draw of speakers: each trial as often as its people meet."""
    targets: list[float] = []
    nontargets: list[float] = []
    for score, is_target, (a, b) in zip(scores, target, pairs, strict=True):
        times = counts[a] if a == b else counts[a] * counts[b]
        (targets if is_target else nontargets).extend([score] * times)
    return targets, nontargets


def extension_cost(weights, x, target, log_odds, prior: float, l2: float) -> float:
    """What `extend_calibration` makes least: `log_odds` are those of the base, `x` the further columns."""
    scale = []
    n = {True: sum(map(bool, target)), False: sum(not t for t in target)}
    alpha = [(prior if t else 1 - prior) / n[bool(t)] for t in target]
    for column in x.T:
        scale.append(math.sqrt(sum(a * v * v for a, v in zip(alpha, column, strict=True))))
    cost = 0.0
    for row, t, a, odds in zip(x, target, alpha, log_odds, strict=True):
        s = odds + sum(w * v / c for w, v, c in zip(weights, row, scale, strict=True))
        cost += a * math.log1p(math.exp(-s if t else s))
    return cost + l2 / 2 * sum(w * w for w in weights)
