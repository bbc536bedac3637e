"""Slow, obvious twins of quality measures."""

from __future__ import annotations

import math
from collections.abc import Sequence


def signal_to_noise(levels: Sequence[float], voiced: Sequence[bool], share: float) -> float:
    """Mean power of voiced frames over the level that a share of all frames with sound stay under."""
    sound = sorted(level for level in levels if level > -math.inf)
    speech = [10 ** (level / 10) for level, marked in zip(levels, voiced, strict=True) if marked]
    return 10 * math.log10(sum(speech) / len(speech)) - sound[int(share * (len(sound) - 1))]


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
