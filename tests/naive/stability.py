"""How steady false alarms are, by counting."""

from __future__ import annotations

import numpy as np


def misses(recordings, level):
    """|share of a recording's scores under the quantile of all others - level|, for each."""
    found = []
    for i, own in enumerate(recordings):
        others = [score for j, other in enumerate(recordings) if j != i for score in other]
        threshold = np.quantile(others, level)
        found.append(abs(sum(score < threshold for score in own) / len(own) - level))
    return found
