"""Slow, obvious twins of quality measures."""

from __future__ import annotations

import math
from collections.abc import Sequence


def signal_to_noise(levels: Sequence[float], voiced: Sequence[bool], share: float) -> float:
    """Mean power of voiced frames over the level that a share of all frames with sound stay under."""
    sound = sorted(level for level in levels if level > -math.inf)
    speech = [10 ** (level / 10) for level, marked in zip(levels, voiced, strict=True) if marked]
    return 10 * math.log10(sum(speech) / len(speech)) - sound[int(share * (len(sound) - 1))]
